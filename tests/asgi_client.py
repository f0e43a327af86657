"""Asks an ASGI app as a client does, without a network."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx


def ask(app: Any, method: str, path: str, **options: Any) -> httpx.Response:
    """The app's answer; an error of the app is an answer too."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await client.request(method, path, **options)

    return asyncio.run(send())


def get(app: Any, path: str, **options: Any) -> Any:
    """The JSON or text of a successful answer; the status of any other."""
    answer = ask(app, "GET", path, **options)
    if not answer.is_success:
        return answer.status_code
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text


def talk(app: Any, path: str, *messages: str) -> list[str]:
    """What a WebSocket route answers to each message; empty if it takes no connection."""

    async def run() -> list[str]:
        incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        sent: list[str] = []
        incoming.put_nowait({"type": "websocket.connect"})
        for message in messages:
            incoming.put_nowait({"type": "websocket.receive", "text": message})
        incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "websocket.send":
                sent.append(message["text"])

        scope = {
            "type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": [],
            "root_path": "", "scheme": "ws", "subprotocols": [], "asgi": {"version": "3.0"},
        }  # fmt: skip
        await app(scope, incoming.get, send)
        return sent

    return asyncio.run(run())
