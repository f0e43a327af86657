"""The application: WebSockets in, rendered messages out, and a ticker that never stops."""

import os

from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from chat import room, ticker
from habanero_receiver import Receiver

app = FastAPI(title="chat")
receiver = Receiver.from_env()
receiver.mount(app)
receiver.task(ticker.run, state=ticker.state)


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
