"""Who is here and what was said. All of it lives in memory alone."""

from fastapi import WebSocket

from chat.render import render

HISTORY: list[tuple[str, str]] = []
PRESENT: set[WebSocket] = set()


async def say(name: str, text: str) -> None:
    """Adds a message to the history and sends it to everyone present."""
    HISTORY.append((name, text))
    message = render(name, text, number=len(HISTORY))
    for socket in list(PRESENT):
        await socket.send_text(message)
