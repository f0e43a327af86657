"""The application: WebSockets in, rendered messages out, and a ticker that never stops."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from chat import room, ticker
from habanero_receiver import Receiver


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Runs the ticker for as long as the server lives."""
    task = asyncio.create_task(ticker.run())
    yield
    task.cancel()


app = FastAPI(title="chat", lifespan=lifespan)
receiver = Receiver.from_env()
receiver.mount(app)


@app.get("/health")
async def health() -> dict[str, int]:
    """What a restart would reset: the process, the ticker, the history."""
    return {"pid": os.getpid(), "ticks": ticker.state["ticks"], "messages": len(room.HISTORY)}


@app.websocket("/ws/{name}")
async def talk(socket: WebSocket, name: str) -> None:
    """One person's connection: everything said is sent to everyone who is here."""
    await socket.accept()
    room.PRESENT.add(socket)
    try:
        while True:
            await room.say(name, await socket.receive_text())
    except WebSocketDisconnect:
        room.PRESENT.discard(socket)
