"""An ssh-agent in this process, over a real unix socket: the protocol as it is, and what may go wrong with it."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from habanero_receiver.release.publickey import KEY_TYPE, PublicKey


def string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def strings(data: bytes) -> list[bytes]:
    """The strings that follow each other in some bytes."""
    found = []
    while len(data) >= 4:
        size = int.from_bytes(data[:4], "big")
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


@dataclass
class FakeAgent:
    """What it holds, and how it answers. `raw` are whole answers to give instead, one after the other."""

    path: Path
    keys: list[Ed25519PrivateKey] = field(default_factory=list)
    others: list[tuple[bytes, bytes]] = field(default_factory=list)
    locked: bool = False
    confirms: bool = True
    lies: bool = False
    silent: threading.Event | None = None
    raw: list[bytes] = field(default_factory=list)
    asked: list[int] = field(default_factory=list)

    def add(self) -> PublicKey:
        key = Ed25519PrivateKey.generate()
        self.keys.append(key)
        return PublicKey(key.public_key().public_bytes_raw(), "ana@agent")

    def answer(self, request: bytes) -> bytes:
        self.asked.append(request[0])
        if self.raw:
            return self.raw.pop(0)
        if request[0] == 11:
            held = [] if self.locked else [*self.others, *((blob(key), b"ana@agent") for key in self.keys)]
            return b"\x0c" + len(held).to_bytes(4, "big") + b"".join(string(k) + string(c) for k, c in held)
        wanted, message = strings(request[1:])[:2]
        key = next((each for each in self.keys if blob(each) == wanted), None)
        if key is None or self.locked or not self.confirms:
            return b"\x05"
        signed = key.sign(message + (b"!" if self.lies else b""))
        return b"\x0e" + string(string(KEY_TYPE.encode()) + string(signed))


def blob(key: Ed25519PrivateKey) -> bytes:
    return string(KEY_TYPE.encode()) + string(key.public_key().public_bytes_raw())


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        agent: FakeAgent = self.server.agent  # type: ignore[attr-defined]  # given to the server below
        size = int.from_bytes(self.rfile.read(4), "big")
        request = self.rfile.read(size)
        if agent.silent is not None:
            agent.silent.wait(30)
            return
        if request:
            raw = bool(agent.raw)
            answer = agent.answer(request)
            self.wfile.write(answer if raw else string(answer))


@contextmanager
def fake_agent(folder: Path) -> Iterator[FakeAgent]:
    """Serve one until the end of the block."""
    agent = FakeAgent(folder / "agent.sock")
    with socketserver.ThreadingUnixStreamServer(str(agent.path), _Handler) as server:
        server.daemon_threads = True
        server.agent = agent  # type: ignore[attr-defined]  # the handler finds it there
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield agent
        finally:
            if agent.silent is not None:
                agent.silent.set()
            server.shutdown()
            thread.join(10)
