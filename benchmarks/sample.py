"""The app that is edited while it is measured."""

from __future__ import annotations

import socket
from pathlib import Path

_PYPROJECT = """\
[project]
name = "tuned"
version = "1"

[tool.habanero]
watch = ["tuned"]
gate = []
"""

_MAIN = '''\
"""A value to ask for, and sockets that count."""

import os

from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from habanero_receiver import Receiver

from tuned import value

app = FastAPI()
receiver = Receiver.from_env()
receiver.mount(app)


@app.get("/value")
async def current() -> Response:
    return Response(str(value.value()))


@app.websocket("/count")
async def count(socket: WebSocket) -> None:
    await socket.accept()
    number = 0
    try:
        while await socket.receive_text():
            number += 1
            await socket.send_text(str(number))
    except WebSocketDisconnect:
        pass


if os.environ.get("BENCH_FLOOR"):

    @app.post("/floor")
    async def floor(request: Request) -> Response:
        exec(await request.body(), vars(value))
        return Response(status_code=204)
'''

_VALUE = '''\
"""The module that is edited."""


def value() -> int:
    """The number of the edit."""
    return 0
'''


def make_app(root: Path) -> None:
    """Writes the project into ``root``."""
    package = root / "tuned"
    package.mkdir()
    (root / "pyproject.toml").write_text(_PYPROJECT)
    (package / "__init__.py").write_text("")
    (package / "main.py").write_text(_MAIN)
    (package / "value.py").write_text(_VALUE)


def free_port() -> int:
    """A port on loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
