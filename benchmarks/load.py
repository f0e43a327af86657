"""The load under which an edit is measured: requests at a fixed rate, and WebSockets that count.

Open loop: request k is due at start + k / rate whatever the server does. One connection is one coroutine with a
minimal HTTP/1.1 reader, since a full client would take the core that the server needs.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from websockets.asyncio.client import connect


@dataclass
class Tally:
    """What the load saw."""

    answered: int = 0
    failed: int = 0
    values: dict[bytes, float] = field(default_factory=dict)
    """When each value was seen first, on the monotonic clock."""
    latencies_s: list[float] = field(default_factory=list)
    sockets_dropped: int = 0
    counters_lost: int = 0
    echoes: int = 0


class Http:
    """A pool of keep-alive connections to one server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def get(self, path: str) -> bytes:
        """The body of a 200 answer. OSError, EOFError or ValueError for anything else."""
        head = b""
        while self.idle and not head:
            reader, writer = self.idle.pop()
            head = await self._ask(reader, writer, path, reused=True)
        if not head:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            head = await self._ask(reader, writer, path)
        if not head.startswith(b"HTTP/1.1 200"):
            raise ValueError(head.split(b"\r\n", 1)[0].decode())
        lines = head.lower().split(b"\r\n")
        length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
        body = await reader.readexactly(length)
        self.idle.append((reader, writer))
        return body

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, *, reused: bool = False
    ) -> bytes:
        """The head of the answer; empty if a reused connection was closed for its idleness before a byte of it."""
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
            return await reader.readuntil(b"\r\n\r\n")
        except (OSError, asyncio.IncompleteReadError) as error:
            if reused and not getattr(error, "partial", b""):
                return b""
            raise

    def close(self) -> None:
        """Closes what is idle."""
        for _, writer in self.idle:
            writer.close()


async def _request(http: Http, tally: Tally, due: float) -> None:
    try:
        value = await asyncio.wait_for(http.get("/value"), 20)
    except (OSError, EOFError, ValueError, asyncio.IncompleteReadError, TimeoutError):
        tally.failed += 1
        return
    now = time.monotonic()
    tally.answered += 1
    tally.latencies_s.append(now - due)
    tally.values.setdefault(value, now)


async def requests(http: Http, tally: Tally, rate: float, stop: asyncio.Event) -> None:
    """Asks for the value ``rate`` times a second until ``stop``."""
    start, count, pending = time.monotonic(), 0, set()
    while not stop.is_set():
        due = start + count / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.create_task(_request(http, tally, due))
        pending.add(task)
        task.add_done_callback(pending.discard)
        count += 1
    if pending:
        await asyncio.wait(pending, timeout=20)


async def counting_socket(port: int, tally: Tally, stop: asyncio.Event) -> None:
    """One WebSocket whose server side counts its messages: a lost counter or connection shows."""
    async with connect(f"ws://127.0.0.1:{port}/count") as socket:
        expected = 0
        try:
            while not stop.is_set():
                expected += 1
                await socket.send("next")
                if int(await asyncio.wait_for(socket.recv(), 20)) != expected:
                    tally.counters_lost += 1
                    return
                tally.echoes += 1
                await asyncio.sleep(0.25)
        except Exception:  # however it ends before it is told to, it was dropped
            tally.sockets_dropped += 1


async def wait_for_value(http: Http, tally: Tally, value: bytes, deadline_s: float) -> float | None:
    """When ``value`` was first answered to anyone; asks as fast as it gets answers."""
    end = time.monotonic() + deadline_s
    while value not in tally.values and time.monotonic() < end:
        try:
            tally.values.setdefault(await http.get("/value"), time.monotonic())
        except (OSError, EOFError, ValueError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.001)
    return tally.values.get(value)
