"""The arithmetic of a release: what differs, what must be built, what the statement says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from habanero_py.compose import Facts, View, changed, compose, desired, to_build
from habanero_py.remote import BaseModule, Head
from habanero_py.signing import generate, load_signer
from habanero_py.snapshot import Module
from habanero_receiver.release.manifest import BlobRef, ModuleEntry
from habanero_receiver.release.statement import PythonTag

BASE = "sha256:" + "b" * 64
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def module(name: str, text: str) -> Module:
    path = name.replace(".", "/") + ".py"
    return Module(name, False, path, Path(path), sha(text), len(text), text.encode(), path)


def entry(text: str) -> ModuleEntry:
    return ModuleEntry(False, BlobRef(sha(text), len(text)), BlobRef(sha("c"), 1), BlobRef(sha("u"), 1))


def view(overlay: dict[str, ModuleEntry | None] | None = None, **more: object) -> View:
    base = {name: BaseModule(False, name.replace(".", "/") + ".py", sha("1")) for name in ("shop.a", "shop.b")}
    tag = PythonTag.current()
    return replace(View("t/p#1", BASE, base, Head(0, BASE), overlay or {}, tag, tag), **more)  # type: ignore[arg-type]


def test_only_what_is_not_the_base_is_wanted() -> None:
    """Equal sources are left out; missing ones of a watched package are deleted, those that are kept are not."""
    local = {"shop.a": module("shop.a", "1"), "shop.c": module("shop.c", "3")}
    wanted = desired(local, {"shop"}, view())
    assert wanted == {"shop.b": None, "shop.c": local["shop.c"]}
    assert desired(local, {"shop"}, view(), kept={"shop.b"}) == {"shop.c": local["shop.c"]}


def test_what_changes_is_told_against_the_head() -> None:
    """New, other, deleted, and back to the base."""
    head = {"shop.a": entry("2"), "shop.c": entry("3"), "shop.d": None}
    wanted = {"shop.a": module("shop.a", "2"), "shop.b": None, "shop.c": module("shop.c", "4")}
    assert changed(wanted, head) == ("shop.b", "shop.c", "shop.d")


def test_code_is_reused_for_the_python_that_it_was_built_for() -> None:
    """The same source is built again when the server's Python is another one by now."""
    seen = view({"shop.a": entry("2")})
    wanted = {"shop.a": module("shop.a", "2"), "shop.b": module("shop.b", "3")}
    assert [item.name for item in to_build(wanted, seen)] == ["shop.b"]
    moved = replace(seen, python=seen.python._replace(optimize=2))
    assert [item.name for item in to_build(wanted, moved)] == ["shop.a", "shop.b"]


def test_a_clock_that_lags_a_little_does_not_run_backwards(tmp_path: Path) -> None:
    """Issued at the head's own time then; a clock that is far off is told as it is, and the server refuses it."""
    generate(tmp_path / "k", "ana")
    signer = load_signer(tmp_path / "k")
    for lag, issued in ((5, NOON), (-5, NOON + timedelta(seconds=5)), (600, NOON - timedelta(seconds=600))):
        head = Head(3, BASE, NOON.isoformat(), "bob")
        facts = Facts("ana", NOON - timedelta(seconds=lag), "00" * 16)
        release = compose({"shop.a": None}, {}, view(head=head), facts, signer)
        assert (release.statement.seq, release.statement.prev, release.statement.issued) == (4, BASE, issued)
