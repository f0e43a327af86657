"""A proxy before an object store that breaks what it is told to break, over real HTTP."""

from __future__ import annotations

import http.client
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

FORWARDED = ("lost", "late 500", "late 503", "cut")
"""Faults in which the store has done what was asked."""
REFUSED = ("500", "503", "409", "429", "dropped")
"""Faults in which it has not."""
STALLED = ("stalled before", "stalled after")
FAULTS = FORWARDED + REFUSED + STALLED

_CONDITIONS = {"if-none-match", "x-goog-if-generation-match"}
_HOP = {"connection", "transfer-encoding", "keep-alive", "content-length", "date", "server"}


@dataclass(frozen=True)
class Asked:
    """A request that came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Plan = Callable[[Asked], str]
"""The fault for a request, or an empty string."""


@dataclass
class Proxy:
    """What runs: its address, what it saw, what it broke. `plan` may be set anew at any time."""

    endpoint: str
    plan: Plan
    asked: list[Asked] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)
    closing: threading.Event = field(default_factory=threading.Event)


def at_random(seed: int, rate: float, faults: tuple[str, ...] = FAULTS) -> Plan:
    """Break that part of all requests, each in some way."""
    rng, lock = random.Random(seed), threading.Lock()

    def plan(_: Asked) -> str:
        with lock:
            return rng.choice(faults) if rng.random() < rate else ""

    return plan


def in_turn(*faults: str) -> Plan:
    """Break the first requests so, one after the other, and none after them."""
    left, lock = list(faults), threading.Lock()

    def plan(_: Asked) -> str:
        with lock:
            return left.pop(0) if left else ""

    return plan


def always(fault: str, when: Callable[[Asked], bool] = lambda _: True) -> Plan:
    """Break every request for which `when` says so."""
    return lambda asked: fault if when(asked) else ""


@contextmanager
def faulty(upstream: str, plan: Plan, stall_s: float = 30.0) -> Iterator[Proxy]:
    """A proxy before `upstream`; a plan may also give answers of its own, see `_serve`."""
    where = urlsplit(upstream)
    proxy = Proxy("", plan)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked = Asked(self.command, self.path, dict(self.headers), body)
            proxy.asked.append(asked)
            fault = proxy.plan(asked)
            if fault:
                proxy.broken[fault.partition(":")[0]] += 1
            _serve(self, asked, fault, where.netloc, proxy, stall_s)

        do_GET = do_PUT = do_DELETE = do_HEAD = do_POST = do  # noqa: N815  # the library's names

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_: object) -> None:
            """Clients that give up are part of the plan."""

    server = Server(("127.0.0.1", 0), Handler)
    proxy.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.closing.set()
        server.shutdown()
        server.server_close()


def _serve(handler: BaseHTTPRequestHandler, asked: Asked, fault: str, upstream: str, proxy: Proxy, stall_s: float):
    """Answer a request. There are more faults than those of FAULTS.

    answer:STATUS:BODY   this, without asking the store
    redirect:ENDPOINT    the same path at another place
    endless              gigabytes, as far as anybody reads them
    unconditional        what the store says to the same request without its condition
    """
    handler.close_connection = bool(fault)
    if fault == "dropped":
        return
    if fault.startswith("answer:"):
        _, status, text = fault.split(":", 2)
        _reply(handler, int(status), {"Content-Type": "application/xml"}, text.encode())
        return
    if fault.startswith("redirect:"):
        _reply(handler, 302, {"Location": fault.partition(":")[2] + asked.path}, b"")
        return
    if fault == "endless":
        _endless(handler, proxy)
        return
    if fault == "stalled before":
        proxy.closing.wait(stall_s)
        return
    if fault in REFUSED:
        _reply(handler, int(fault), {}, b"<Error><Code>Broken</Code></Error>")
        return
    if fault == "unconditional":
        without = {name: value for name, value in asked.headers.items() if name.lower() not in _CONDITIONS}
        asked = replace(asked, headers=without)
    status, headers, body = _forward(asked, upstream)
    if fault == "stalled after":
        proxy.closing.wait(stall_s)
    elif fault.startswith("late"):
        _reply(handler, int(fault.split()[1]), {}, b"<Error><Code>InternalError</Code></Error>")
    elif fault == "cut":
        _reply(handler, status, headers, body, keep=len(body) // 2)
    elif fault != "lost":
        _reply(handler, status, headers, body)


def _forward(asked: Asked, upstream: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(upstream, timeout=30)
    try:
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in _HOP}
        connection.request(asked.method, asked.path, asked.body, {**headers, "Content-Length": str(len(asked.body))})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def _reply(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes, keep: int | None = None):
    handler.send_response(status)
    for name, value in headers.items():
        if name.lower() not in _HOP:
            handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body[:keep])


def _endless(handler: BaseHTTPRequestHandler, proxy: Proxy) -> None:
    """Ten gigabytes, as far as anybody reads them."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10 * 2**30))
    handler.send_header("Last-Modified", "Mon, 02 Mar 2026 10:00:00 GMT")
    handler.send_header("ETag", '"x"')
    handler.end_headers()
    while not proxy.closing.is_set():
        handler.wfile.write(b"x" * 65_536)
        proxy.broken["bytes sent"] += 65_536
