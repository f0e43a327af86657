"""What bad pushes cost, and a good one's checks, beside what no receiver could do without.

*judged*: CPU time of one thread for a stranger, a forger and others, as the rules turn them away, and for all checks of
a good push of ten modules; the floor is one signature verified, and a sha256 over the same bytes. *answered*: CPU
time of the server process for one bad push over HTTP; the floor is the app's own 404 to the same request. *crowded*:
latency of the app while bad pushes come in at a fixed rate over many connections, in turns with the same requests to a
path that the app does not have.

    python -m benchmarks.hostile [--repeat 2000] [--connections 1000] [--rate 200] [--seconds 20]
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchmarks.load import Http
from benchmarks.sample import free_port, make_app
from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.release import body
from habanero_receiver.release.body import BlobPart, EnvelopePart, ManifestPart, PushParser
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope, Signature
from habanero_receiver.release.keys import TrustedKey
from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
from habanero_receiver.release.publickey import PublicKey
from habanero_receiver.release.statement import PythonTag, Statement
from habanero_receiver.swap.building.compiler import build

ROUNDS = 5
TARGET, BASE, PREV = "shop/bench#0001", "sha256:" + "ba" * 32, "sha256:" + "16" * 32
NOW = datetime.now(UTC).replace(microsecond=0)
HEAD = trust.Head(16, PREV, NOW - timedelta(hours=1))
MODULE = '''"""Part {number}."""


class Basket:
    """What somebody is about to buy."""

    def __init__(self, items=()):
        self.items = list(items)

    def total(self, rate={number}):
        return sum(cents for _, cents in self.items) * rate


def parse(text):
    return Basket((name, int(cents)) for name, _, cents in (line.rpartition(" ") for line in text.splitlines()))
'''


@dataclass(frozen=True)
class Key:
    """Somebody who signs."""

    private: Ed25519PrivateKey

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.private.public_key().public_bytes_raw(), "bench")


ANA, MALLORY = Key(Ed25519PrivateKey.generate()), Key(Ed25519PrivateKey.generate())


@dataclass(frozen=True)
class Push:
    """A push of ten modules."""

    statement: Statement
    manifest: bytes
    blobs: dict[str, bytes]

    def body(self, key: Key = ANA, keyid: str = "", **changes: object) -> bytes:
        """Signed; `keyid` is what the signature claims to be of."""
        payload = self.statement._replace(**changes).encode()  # type: ignore[arg-type]  # the caller names fields of it
        envelope = Envelope(PAYLOAD_TYPE, payload)
        sig = key.private.sign(envelope.message)
        envelope = Envelope(PAYLOAD_TYPE, payload, (Signature(keyid or key.public.keyid, sig),))
        return body.encode(envelope.encode(), self.manifest, self.blobs)


def make_push() -> Push:
    """Ten modules of some size, as a builder makes them."""
    entries: dict[str, ModuleEntry | None] = {}
    blobs: dict[str, bytes] = {}
    for number in range(10):
        source = (MODULE.format(number=number) * 8).encode()
        refs = []
        for data in (source, *build(source, f"tuned.m{number}", f"tuned/m{number}.py", False)):
            blobs[hashlib.sha256(data).hexdigest()] = data
            refs.append(BlobRef(hashlib.sha256(data).hexdigest(), len(data)))
        entries[f"tuned.m{number}"] = ModuleEntry(False, *refs)
    manifest = Manifest(entries).encode()
    digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
    statement = Statement(
        target=TARGET, base=BASE, seq=17, prev=PREV, kind="push", python=PythonTag.current(), manifest_digest=digest,
        manifest_size=len(manifest), issued=NOW, accept_until=NOW + timedelta(minutes=5), nonce="0f" * 16, author="ana",
    )  # fmt: skip
    return Push(statement, manifest, blobs)


def receive(data: bytes, policy: trust.TrustPolicy) -> None:
    """Walk a body by all the rules, as the endpoint does; HabaneroError for a bad one."""
    parser = PushParser(policy.limits)
    parser.feed(data)
    accepted = None
    while (part := parser.next_part()) is not None:
        if isinstance(part, EnvelopePart):
            signed = trust.judge_signatures(part.data, policy, NOW)
            accepted = trust.judge_push(signed, policy, BASE, HEAD, NOW)
            parser.expect_manifest(accepted.statement.manifest_size)
        elif isinstance(part, ManifestPart) and accepted is not None:
            parser.expect_blobs(trust.judge_manifest(part.data, accepted.statement, policy).blobs())
        elif not isinstance(part, BlobPart):
            raise RuntimeError("no such part")
    parser.close()


def cpu_ms(work: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Median and 99th percentile of this thread's CPU time for one call."""
    times = []
    for _ in range(repeat):
        began = time.thread_time()
        with suppress(HabaneroError):
            work()
        times.append(1e3 * (time.thread_time() - began))
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def judged(push: Push, repeat: int) -> dict[str, tuple[float, float]]:
    """The rules alone."""
    policy = trust.TrustPolicy(
        keys=(TrustedKey("ana", ANA.public),), target=TARGET, allowed_modules=frozenset({"tuned"}),
        python=PythonTag.current(),
    )  # fmt: skip
    good, known = push.body(), ANA.public.keyid
    receive(good, policy)
    message = Envelope(PAYLOAD_TYPE, push.statement.encode()).message
    sig, public, every = ANA.private.sign(message), ANA.private.public_key(), b"".join(push.blobs.values())

    def floor() -> None:
        with suppress(InvalidSignature):
            public.verify(sig, message)

    bodies = {
        "junk": b"x" * 20_000,
        "JSON of 16 KiB": b"HABPUSH1" + (16_384).to_bytes(4, "big") + b'["' + b"x" * 16_380 + b'"]',
        "a stranger": push.body(MALLORY),
        "a stranger with a trusted key's id": push.body(MALLORY, known),
        "another target": push.body(target="shop/other#1"),
        "an old release": push.body(seq=3),
        "expired": push.body(issued=NOW - timedelta(hours=3), accept_until=NOW - timedelta(hours=2)),
        "another manifest": push.body().replace(b"m3.py", b"m4.py", 1),
        "one byte of a blob": good[:-1] + bytes([good[-1] ^ 1]),
    }
    found = {"floor: one signature": cpu_ms(floor, repeat)}
    found |= {name: cpu_ms(lambda data=data: receive(data, policy), repeat) for name, data in bodies.items()}  # type: ignore[misc]
    found["floor: one signature, sha256 of all"] = cpu_ms(lambda: (floor(), hashlib.sha256(every).digest()), repeat)
    found["a good push of 10 modules"] = cpu_ms(lambda: receive(good, policy), repeat)
    return found


class Server:
    """The app of the other benchmarks, served by one process, with a receiver that trusts Ana alone."""

    def __init__(self, root: Path) -> None:
        make_app(root)
        self.port = free_port()
        own = {name: value for name, value in os.environ.items() if not name.startswith("HABANERO_")}
        settings = {
            "HABANERO_TARGET": TARGET, "HABANERO_TRUSTED_KEYS": f"ana {ANA.public.openssh()}",
            "HABANERO_MODULES": "tuned", "HABANERO_ROOT": str(root), "HABANERO_BUCKET": f"file://{root}/bucket",
        }  # fmt: skip
        words = ["-m", "uvicorn", "tuned.main:app", "--port", str(self.port), "--log-level", "critical"]
        with (root / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *words], cwd=root, env={**own, **settings}, stdout=log, stderr=log
            )

    def cpu_s(self) -> float:
        """CPU time of the process so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def request(path: str, data: bytes, *, close: bool = False) -> bytes:
    """A push as it travels."""
    closing = "Connection: close\r\n" if close else ""
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {body.MEDIA_TYPE}\r\n{closing}"
        f"Content-Length: {len(data)}\r\n\r\n"
    ).encode() + data


async def send(port: int, data: bytes) -> None:
    """One request over a connection of its own, to the end of the answer."""
    with suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(data)
        await reader.read()
        writer.close()


async def answered(server: Server, push: Push, repeat: int) -> dict[str, float]:
    """CPU milliseconds of the server for one request, by what is sent and where to."""
    found = {}
    bad = {"a stranger": push.body(MALLORY), "a forger": push.body(MALLORY, ANA.public.keyid), "junk": b"x" * 2_000}
    for name, data in bad.items():
        for where, path in (("", "/_habanero/v1/push"), (", to a path that the app lacks", "/_nothing/v1/push")):
            sent = request(path, data, close=True)
            for _ in range(20):
                await send(server.port, sent)
            before = server.cpu_s()
            for _ in range(repeat):
                await send(server.port, sent)
            found[name + where] = 1e3 * (server.cpu_s() - before) / repeat
    return found


async def crowded(server: Server, bad: bytes | None, connections: int, rate: float, seconds: float) -> list[float]:
    """Latencies of the app, in ms, at 50 requests a second, while `bad` comes in at `rate` over many connections."""
    over, latencies, http = asyncio.Event(), list[float](), Http(server.port)

    async def attack(number: int) -> None:
        await asyncio.sleep(number / rate)
        while not over.is_set():
            due = time.monotonic() + connections / rate
            await send(server.port, bad or b"")
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    attacks = [asyncio.ensure_future(attack(number)) for number in range(connections)] if bad else []
    began = time.monotonic()
    for number in range(int(50 * seconds)):
        await asyncio.sleep(max(0.0, began + number / 50 - time.monotonic()))
        asked = time.monotonic()
        await http.get("/value")
        latencies.append(1e3 * (time.monotonic() - asked))
    over.set()
    for task in attacks:
        task.cancel()
    await asyncio.gather(*attacks, return_exceptions=True)
    return latencies


async def measure(asked: argparse.Namespace) -> None:
    """All three, printed."""
    push = make_push()
    size = sum(map(len, push.blobs.values()))
    print(f"judged: CPU ms of one thread, median / p99 of {asked.repeat}; ten modules, {size / 1024:.0f} KiB of blobs")
    for name, (median, p99) in judged(push, asked.repeat).items():
        print(f"  {name:<38} {median:7.3f} / {p99:7.3f}")
    with tempfile.TemporaryDirectory(prefix="habanero-bench-") as folder:
        server = Server(Path(folder))
        try:
            await _up(server)
            print(f"answered: CPU ms of the server process for one request, mean of {asked.repeat // 2}")
            for name, each in (await answered(server, push, asked.repeat // 2)).items():
                print(f"  {name:<46} {each:7.3f}")
            print(f"crowded: latency of the app in ms, p50 / p95 / p99, {asked.rate:g} bad requests/s over "
                  f"{asked.connections} connections")  # fmt: skip
            bad = request("/_habanero/v1/push", push.body(MALLORY, ANA.public.keyid), close=True)
            nothing = request("/_nothing/v1/push", push.body(MALLORY, ANA.public.keyid), close=True)
            attacks = {"nobody else": None, "to a path that the app lacks": nothing, "bad pushes": bad}
            found: dict[str, list[float]] = {name: [] for name in attacks}
            for _ in range(ROUNDS):  # in turns, so that what else the machine does meets all three
                for name, data in attacks.items():
                    seconds = asked.seconds / ROUNDS
                    found[name] += await crowded(server, data, asked.connections, asked.rate, seconds)
            for name, latencies in found.items():
                p95, p99 = (statistics.quantiles(latencies, n=100)[each] for each in (94, 98))
                print(f"  {name:<30} {statistics.median(latencies):7.2f} / {p95:7.2f} / {p99:7.2f}")
        finally:
            server.process.terminate()
            server.process.wait(10)


async def _up(server: Server) -> None:
    for _ in range(400):
        with suppress(OSError, ValueError, EOFError):
            json.loads(await Http(server.port).get("/value"))
            return
        await asyncio.sleep(0.05)
    raise SystemExit("the server did not start")


def main() -> int:
    """Measure and print; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("--repeat", type=int, default=2_000)
    parser.add_argument("--connections", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    asyncio.run(measure(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
