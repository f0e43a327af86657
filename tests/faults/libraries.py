"""What every server of the fault tests imports: imported once, in the process that all of them are forks of."""

import fastapi
import fastapi.responses  # noqa: F401
import uvicorn
import uvicorn.lifespan.on
import uvicorn.loops.auto
import uvicorn.protocols.http.auto
import uvicorn.protocols.websockets.auto  # noqa: F401

import habanero_receiver.boot
import habanero_receiver.fleet.follower
import habanero_receiver.fleet.heart
import habanero_receiver.fleet.join
import habanero_receiver.http.app
import habanero_receiver.http.asgi  # noqa: F401
