"""A node's endpoints around a small app, behind a real uvicorn on a free port, in a thread of the test's own process.

What is sent goes through real sockets, and the test can still look at everything: journal, engine, policy, log.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from habanero_receiver.entrance import Entrance
from habanero_receiver.fleet.node import Node
from habanero_receiver.hold import Hold
from habanero_receiver.http import app as endpoints
from habanero_receiver.http.asgi import PREFIX, ReceiverMiddleware
from habanero_receiver.http.context import Context
from habanero_receiver.http.door import Door
from habanero_receiver.release.body import MEDIA_TYPE

PUSH = f"{PREFIX}/v1/push"


@dataclass
class Listening:
    """A receiver that is served. It fills the interface that the middleware wants of one."""

    node: Node
    entrance: Entrance = field(default_factory=Entrance)
    port: int = 0

    def __post_init__(self) -> None:
        self.context = Context(self.node)
        self.client = httpx.Client(timeout=20, trust_env=False)

    def endpoints(self) -> Door:
        return Door(self.context, endpoints.build(self.context), self.entrance)

    async def enter_loop(self, hold: Hold) -> None: ...

    async def leave_loop(self) -> None: ...

    def comes_up(self) -> None: ...

    def came_up(self, *, well: bool) -> None: ...

    async def begin_tasks(self) -> None: ...

    async def end_tasks(self) -> None: ...

    def push(self, body: bytes, **headers: str) -> httpx.Response:
        return self.ask("POST", PUSH, content=body, headers={"Content-Type": MEDIA_TYPE, **headers})

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.client.request(method, f"http://127.0.0.1:{self.port}{path}", **options)

    def raw(self, sent: bytes, *, end: bool = False) -> bytes:
        """Send bytes as they are, and give all that comes back until the server closes; `end` ends our side before.

        A server that closes before it took all that was sent resets the connection: then what came until then.
        """
        parts = []
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection, suppress(ConnectionError):
            connection.sendall(sent)
            if end:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65_536):
                parts.append(part)
        return b"".join(parts)


def head(method: str, path: str, fields: Mapping[str, str], *, host: str = "shop.test") -> bytes:
    """The head of a request as it travels; the server is asked to close afterwards."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def answer_of(received: bytes) -> tuple[int, str, dict[str, str]]:
    """Status, code and headers of the one answer in these bytes."""
    top, _, body = received.partition(b"\r\n\r\n")
    status, *fields = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return int(status.split()[1]), json.loads(body)["code"] if body.startswith(b"{") else "", headers


@contextmanager
def listen(node: Node, entrance: Entrance | None = None) -> Iterator[Listening]:
    """Serve until the end of the block."""
    listening = Listening(node, entrance or Entrance())
    app = FastAPI()

    @app.get("/price")
    async def price() -> dict[str, int]:
        return {"price": 20}

    app.add_middleware(ReceiverMiddleware, receiver=listening)
    # Without the protocol named, asyncio does not send small answers at once.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", 0))
        listening.port = bound.getsockname()[1]
        server = _Server(uvicorn.Config(app, log_level="critical", lifespan="off", proxy_headers=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            assert server.up.wait(20)
            yield listening
        finally:
            server.should_exit = True
            thread.join(20)
            listening.context._threads.shutdown()
            listening.client.close()


class _Server(uvicorn.Server):
    """Says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()
