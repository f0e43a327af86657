"""Judging reaches no code: what comes in is compared, never unmarshalled, imported, compiled, run or written."""

from __future__ import annotations

import marshal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from forging import UNITS, Deployment, Forged, entry, manifest_json, sha
from hostile_pushes import CASES

from habanero_receiver.errors import HabaneroError

FORBIDDEN = (
    "marshal.", "exec", "import", "compile", "open", "os.", "socket.", "subprocess.", "pickle.", "code.", "ctypes.",
)  # fmt: skip
_watching: list[list[str]] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if _watching and event.startswith(FORBIDDEN):
        _watching[-1].append(event)


@pytest.fixture(scope="module", autouse=True)
def _hooked() -> None:
    sys.addaudithook(_hook)  # stays for the life of the process, and hears nothing outside `watched`


@contextmanager
def watched() -> Iterator[list[str]]:
    """The forbidden events of this process, as the interpreter itself reports them."""
    events: list[str] = []
    _watching.append(events)
    try:
        yield events
    finally:
        _watching.pop()


def test_the_watch_sees_what_it_is_for() -> None:
    """Unmarshalling, compiling and running are each noticed."""
    data = marshal.dumps(compile("1", "x", "eval"))
    with watched() as events:
        exec(marshal.loads(data))
        compile("2", "x", "eval")
    assert {"marshal.loads", "exec", "compile"} <= set(events)


def test_a_right_push_is_judged_without_touching_its_code() -> None:
    """Real bytecode that would run comes out as the bytes that it came in as, and no file or socket is used."""
    code = marshal.dumps(compile("raise SystemExit", "shop/cart.py", "exec"))
    modules = {**manifest_json()["modules"], "shop.cart": entry("shop.cart", source=b"raise SystemExit", code=code)}
    blobs = [(sha(data), data) for data in (b"", b"code of shop", b"raise SystemExit", code, UNITS)]
    body = Forged(modules=modules, blobs=blobs).body()
    deployment = Deployment()
    with watched() as events:
        received = deployment.receive(body)
    assert received.blobs[sha(code)] == code
    assert events == []


def test_no_hostile_push_reaches_code() -> None:
    """Whatever is wrong with a push, finding it out runs nothing, imports nothing and writes nothing."""
    bodies = [(case.what, case.body(), Deployment().but(**case.but)) for case in CASES]
    for what, body, deployment in bodies:
        with watched() as events:
            try:
                deployment.receive(body)
            except HabaneroError:
                refused = True
            else:
                refused = False
        assert (refused, events) == (True, []), what
