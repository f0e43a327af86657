"""One change for each save: scripted events, a clock that only waiting moves, real files."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from scripted_changes import ScriptedChanges, ScriptOverError

from habanero_py.errors import ToolError
from habanero_py.project import Project
from habanero_py.settle import Settled, Settler
from habanero_py.snapshot import Sources
from habanero_receiver.release.limits import Limits

CART = "def total():\n    return 2\n"


def write(file: Path, text: str) -> Callable[[], object]:
    return lambda: file.write_text(text)


def settle(sources: Sources, changes: ScriptedChanges) -> list[Settled]:
    """Everything that the script settles to, in order."""

    async def run() -> list[Settled]:
        settler = Settler(sources, changes, clock=changes.clock)
        settler.start()
        found = []
        try:
            async for settled in settler:
                found.append(settled)
        except ScriptOverError:
            return found
        raise AssertionError("an endless iterator ended")

    return asyncio.run(run())


def paths(found: list[Settled]) -> list[tuple[str, ...]]:
    return [settled.paths for settled in found]


def test_a_save_by_rename_is_one_change_within_milliseconds(
    sources: Sources, changes: ScriptedChanges, root: Path
) -> None:
    """The editor's temporary file is nobody's business; the change is out a few milliseconds later."""
    cart, other = root / "src/shop/cart.py", root / "src/shop/.cart.py.tmp"

    def save() -> None:
        other.write_text(CART)
        other.replace(cart)

    changes.at(1.0, other, cart, do=save)
    (settled,) = settle(sources, changes)
    assert settled.paths == ("src/shop/cart.py",)
    assert settled.snapshot.modules["shop.cart"].source == CART.encode()
    assert settled.saved_at == 1001.0
    assert changes.now - settled.saved_at < 0.005


def test_truncate_and_write_is_one_change(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """An empty file that had text is waited for; nothing half-written is ever delivered."""
    cart = root / "src/shop/cart.py"
    changes.at(1.0, cart, do=write(cart, ""))
    changes.at(1.08, cart, do=write(cart, CART))
    (settled,) = settle(sources, changes)
    assert settled.snapshot.modules["shop.cart"].source == CART.encode()


@pytest.mark.parametrize(
    "first_part",
    ["def total(", "def total():\n", "def tot", "def total():\n    return 1\n\nX = ("],
    ids=["open bracket", "no body", "half a word", "no end"],
)
def test_a_first_part_is_not_taken_for_the_whole(
    sources: Sources, changes: ScriptedChanges, root: Path, first_part: str
) -> None:
    """A text that stops parsing, or stops short, gets the time for its second write."""
    cart = root / "src/shop/cart.py"
    changes.at(1.0, cart, do=write(cart, first_part))
    changes.at(1.1, cart, do=write(cart, CART))
    assert paths(settle(sources, changes)) == [("src/shop/cart.py",)]


def test_a_text_that_stays_broken_is_delivered_all_the_same(
    sources: Sources, changes: ScriptedChanges, root: Path
) -> None:
    """A syntax error is news too, a moment later; the next save is as quick as ever."""
    cart = root / "src/shop/cart.py"
    changes.at(1.0, cart, do=write(cart, "def total(:\n"))
    changes.at(2.0, cart, do=write(cart, "def total(::\n"))
    broken, still = settle(sources, changes)
    assert broken.snapshot.modules["shop.cart"].source == b"def total(:\n"
    assert still.saved_at == 1002.0
    assert changes.now - still.saved_at < 0.005  # it did not parse before: no sign of a second write


def test_vims_backup_dance_is_one_change(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """The file is moved away, written anew, and the backup is removed: never a deleted module."""
    cart, backup, probe = root / "src/shop/cart.py", root / "src/shop/cart.py~", root / "src/shop/4913"
    changes.at(1.0, probe, do=probe.touch)
    changes.at(1.01, probe, do=probe.unlink)
    changes.at(1.02, cart, backup, do=lambda: cart.rename(backup))
    changes.at(1.05, cart, do=write(cart, CART))
    changes.at(1.06, backup, do=backup.unlink)
    (settled,) = settle(sources, changes)
    assert settled.paths == ("src/shop/cart.py",)
    assert "shop.cart" in settled.snapshot.modules


def test_a_branch_switch_is_one_change(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """200 files over half a second, in batches, new and removed ones among them."""
    shop = root / "src/shop"
    for nth in range(20):
        batch = [shop / f"m{nth * 10 + i}.py" for i in range(10)]
        changes.at(1.0 + nth * 0.025, *batch, do=lambda batch=batch: [file.write_text("x = 1\n") for file in batch])
    changes.at(1.5, shop / "cart.py", do=(shop / "cart.py").unlink)
    (settled,) = settle(sources, changes)
    assert len(settled.paths) == 201
    assert len(settled.snapshot.modules) == 204


def test_git_is_waited_for_while_it_holds_its_lock(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """A checkout that pauses between two files is one change; the files come after its pause."""
    subprocess.run(["git", "init", "-q", str(root)], check=True, capture_output=True)
    lock, cart, pricing = root / ".git/index.lock", root / "src/shop/cart.py", root / "src/shop/pricing.py"
    changes.at(1.0, cart, do=lambda: (lock.touch(), cart.write_text(CART)))
    changes.at(2.0, pricing, do=lambda: (pricing.write_text("RATE = 9\n"), lock.unlink()))
    assert paths(settle(sources, changes)) == [("src/shop/cart.py", "src/shop/pricing.py")]


def test_a_lock_that_git_left_behind_stops_nobody(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """An old lock is a dead git's."""
    subprocess.run(["git", "init", "-q", str(root)], check=True, capture_output=True)
    lock, cart = root / ".git/index.lock", root / "src/shop/cart.py"
    lock.touch()
    os.utime(lock, (1_000_000_000, 1_000_000_000))
    changes.at(1.0, cart, do=write(cart, CART))
    (settled,) = settle(sources, changes)
    assert changes.now - settled.saved_at < 0.005


def test_a_formatter_is_waited_for_once_it_is_known(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """Its first second writes are changes of their own; from then on save and format are one."""
    cart = root / "src/shop/cart.py"
    for second in range(1, 6):
        changes.at(second, cart, do=write(cart, f"x={second}\n"))
        changes.at(second + 0.08, cart, do=write(cart, f"x = {second}\n"))
    texts = [s.snapshot.modules["shop.cart"].source for s in settle(sources, changes)]
    assert texts == [b"x=1\n", b"x = 1\n", b"x=2\n", b"x = 2\n", b"x = 3\n", b"x = 4\n", b"x = 5\n"]


def test_saving_twice_without_a_change_teaches_nothing(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """A nervous finger on Ctrl-S makes no later save slower."""
    cart = root / "src/shop/cart.py"
    for second in range(1, 6):
        changes.at(second, cart, do=write(cart, f"x = {second}\n"))
        changes.at(second + 0.1, cart, do=write(cart, f"x = {second}\n"))
    changes.at(9, cart, do=write(cart, "x = 9\n"))
    found = settle(sources, changes)
    assert len(found) == 6
    assert changes.now - found[-1].saved_at < 0.005


def test_what_changes_no_byte_is_no_change(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """Touched files, folders and a save that is taken back within the quiet time."""
    cart = root / "src/shop/cart.py"
    text = cart.read_text()
    changes.at(1.0, cart, do=cart.touch)
    changes.at(2.0, root / "src/shop/api")
    changes.at(3.0, cart, do=write(cart, ""))
    changes.at(3.01, cart, do=write(cart, text))
    assert settle(sources, changes) == []


def test_events_without_end_are_delivered_in_time(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """A file that something writes for ever holds nobody's change back for more than the longest wait."""
    cart = root / "src/shop/cart.py"
    for nth in range(4000):
        changes.at(1.0 + nth * 0.002, cart, do=write(cart, f"x = {nth}\n") if nth % 200 == 0 else lambda: None)
    found = settle(sources, changes)
    assert len(found) == 2
    assert found[1].saved_at - found[0].saved_at < 5.1


def test_tests_and_settings_are_told_without_a_module(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """A repaired test can turn the gate: it is delivered, with no path of the app."""
    test = root / "tests/test_cart.py"
    changes.at(1.0, test, do=write(test, "def test(): ...\n"))
    changes.at(2.0, root / "README.md")
    (settled,) = settle(sources, changes)
    assert (settled.paths, settled.others) == ((), ("tests/test_cart.py",))


def test_a_new_folder_is_watched_before_it_is_read(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """The watch moves to the new folder first, so no module of it can fall between."""
    new = root / "src/shop/billing"

    def make() -> None:
        new.mkdir()
        (new / "__init__.py").write_text("x = 1\n")

    changes.at(1.0, new, do=make)
    assert paths(settle(sources, changes)) == [("src/shop/billing/__init__.py",)]
    assert new in changes.watched[-1]


def test_a_folder_made_while_the_watch_moves_is_watched(
    sources: Sources, changes: ScriptedChanges, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the old watch heard of it, and its last words are lost: the folders are listed again after each move."""
    new, late = root / "src/shop/billing", root / "src/shop/late"
    watch = changes.watch

    def slow(folders: Iterable[Path], *, anew: bool = False) -> None:
        watch(folders, anew=anew)
        if new.exists() and not late.exists():
            late.mkdir()

    monkeypatch.setattr(changes, "watch", slow)
    changes.at(1.0, new, do=new.mkdir)
    assert settle(sources, changes) == []
    assert {new, late} <= changes.watched[-1]


def test_a_folder_that_came_back_is_watched_anew(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """The same path can be another inode, which the old watch knows nothing of."""
    api = root / "src/shop/api"

    def replace() -> None:
        api.rename(root / "away")
        api.mkdir()
        (api / "__init__.py").write_text("x = 1\n")

    changes.at(1.0, api, do=replace)
    assert paths(settle(sources, changes)) == [("src/shop/api/__init__.py", "src/shop/api/routes.py")]
    assert changes.anew == 1


def test_an_error_loses_no_change_and_does_not_end_the_iterator(changes: ScriptedChanges, root: Path) -> None:
    """After an error the next event brings what was missed, the refused file and those beside it."""
    sources = Sources(Project.find(root, ["src/shop"]), Limits(max_blob_bytes=40))
    cart, pricing = root / "src/shop/cart.py", root / "src/shop/pricing.py"
    changes.at(1.0, cart, pricing, do=lambda: (cart.write_text("x = 1\n" * 20), pricing.write_text("RATE = 5\n")))
    changes.at(2.0, cart, do=write(cart, "x = 1\n"))

    async def run() -> Settled:
        settler = Settler(sources, changes, clock=changes.clock)
        settler.start()
        with pytest.raises(ToolError, match=r"cart\.py has more"):
            await anext(settler)
        return await anext(settler)

    assert asyncio.run(run()).paths == ("src/shop/cart.py", "src/shop/pricing.py")


def test_cancelling_loses_no_change(sources: Sources, changes: ScriptedChanges, root: Path) -> None:
    """Whoever stops waiting in the middle of a save gets that save when they ask again."""
    cart = root / "src/shop/cart.py"

    def cancel() -> None:
        cart.write_text(CART)
        raise asyncio.CancelledError

    changes.at(1.0, cart, do=write(cart, ""))
    changes.at(1.01, root / "README.md", do=cancel)

    async def run() -> Settled:
        settler = Settler(sources, changes, clock=changes.clock)
        settler.start()
        with pytest.raises(asyncio.CancelledError):
            await anext(settler)
        return await anext(settler)

    settled = asyncio.run(run())
    assert settled.paths == ("src/shop/cart.py",)


def test_closing_ends_the_watch(sources: Sources, changes: ScriptedChanges) -> None:
    """No thread and no kernel watch is left."""
    Settler(sources, changes).close()
    assert changes.closed
