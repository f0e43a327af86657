"""The endpoints of one node, spoken to without a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx
from authoring import Push
from nodes import World

from habanero_receiver.fleet import follower
from habanero_receiver.http import app
from habanero_receiver.http.context import Context
from habanero_receiver.release.body import MEDIA_TYPE

HEADERS = {"Content-Type": MEDIA_TYPE}


@dataclass
class Endpoints:
    """A caught-up node and its endpoints. Each call is one request on a loop of its own."""

    world: World
    context: Context = field(init=False)

    def __post_init__(self) -> None:
        follower.catch_up(self.world.node)
        self.world.swapper.log.clear()
        self.context = Context(self.world.node)
        self.app = app.build(self.context)

    def run(self, talk: Callable[[httpx.AsyncClient], Coroutine[Any, Any, Any]]) -> Any:
        """Run a conversation of several requests."""

        async def main() -> Any:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
                return await talk(client)

        return asyncio.run(main())

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer: httpx.Response = self.run(lambda client: client.request(method, path, **options))
        return answer

    def push(
        self, content: Push | bytes, *, action: str = "push", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        data = content if isinstance(content, bytes) else content.encode()
        return self.send("POST", f"/v1/{action}", content=data, headers=HEADERS if headers is None else headers)

    def get(self, path: str, **changes: Any) -> httpx.Response:
        return self.send("GET", path, headers=self.world.author.read(path, **changes))


async def in_chunks(*chunks: bytes) -> AsyncIterator[bytes]:
    """Send a body without a declared length."""
    for chunk in chunks:
        yield chunk
