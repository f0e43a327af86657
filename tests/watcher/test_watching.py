"""Real files, real events, as editors and git make them.

The waits are long here, so that a busy machine cannot make two changes of one; how long they really are is a matter
for `test_pace` and the benchmarks. A save of another file afterwards shows that nothing more came of the first.
"""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from habanero_py.errors import ToolError
from habanero_py.pace import Pace, Waits
from habanero_py.settle import Settled, Settler
from habanero_py.snapshot import Sources
from habanero_py.watching import FileWatch

PATIENT = Waits(one_file_s=0.1, several_s=0.3, many_s=0.5, unfinished_s=0.8)
DEADLINE_S = 20


def run(sources: Sources, saves: list[Callable[[], object]]) -> list[Settled]:
    """What each save settles to, one after the other; then the mark of the end is the only change left."""

    async def main() -> list[Settled]:
        settler = Settler(sources, FileWatch(), Pace(PATIENT))
        settler.start()
        mark = sources.project.source_root / "shop/mark.py"
        found = []
        try:
            async with asyncio.timeout(DEADLINE_S):
                for save in saves:
                    waiting = asyncio.ensure_future(anext(settler))
                    await asyncio.to_thread(save)
                    found.append(await waiting)
                waiting = asyncio.ensure_future(anext(settler))
                mark.write_text("end = True\n")
                assert (await waiting).paths == ("src/shop/mark.py",)
        finally:
            settler.close()
        return found

    return asyncio.run(main())


def test_rename_over(sources: Sources, root: Path) -> None:
    """The save of most editors and formatters."""
    cart, other = root / "src/shop/cart.py", root / "src/shop/cart.py.tmp"

    def save() -> None:
        other.write_text("x = 1\n")
        other.replace(cart)

    (settled,) = run(sources, [save])
    assert settled.paths == ("src/shop/cart.py",)
    assert settled.snapshot.modules["shop.cart"].source == b"x = 1\n"


def test_truncate_and_write_in_two_writes(sources: Sources, root: Path) -> None:
    """The file is empty, then half, then whole, with pauses between."""

    def save() -> None:
        with (root / "src/shop/cart.py").open("w") as file:
            for part in ("", "def total(", "):\n    return 7\n"):
                file.write(part)
                file.flush()
                time.sleep(0.03)  # the pause is what is tested

    (settled,) = run(sources, [save])
    assert settled.snapshot.modules["shop.cart"].source == b"def total():\n    return 7\n"


def test_vim(sources: Sources, root: Path) -> None:
    """A probe file, the original moved to a backup, a new file, its mode, the backup removed."""
    cart, backup, probe = (root / "src/shop" / name for name in ("cart.py", "cart.py~", "4913"))

    def save() -> None:
        probe.touch()
        probe.unlink()
        cart.rename(backup)
        cart.write_text("x = 1\n")
        cart.chmod(0o644)
        backup.unlink()

    (settled,) = run(sources, [save])
    assert settled.paths == ("src/shop/cart.py",)
    assert "shop.cart" in settled.snapshot.modules


def test_a_checkout_of_200_files_is_one_change(sources: Sources, root: Path) -> None:
    """Another branch with 200 other files, a new folder and without an old one; and back again."""

    def git(*words: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)

    shop = root / "src/shop"
    git("init", "-q", "-b", "main")
    for i in range(200):
        (shop / f"m{i}.py").write_text("x = 1\n")
    git("add", "-A")
    git("commit", "-qm", "first")
    git("checkout", "-qb", "feature")
    for i in range(200):
        (shop / f"m{i}.py").write_text("x = 2\n")
    (shop / "billing").mkdir()
    (shop / "billing/__init__.py").write_text("x = 1\n")
    git("rm", "-rq", "src/shop/api")
    git("add", "-A")
    git("commit", "-qm", "second")
    git("checkout", "-q", "main")

    there, back = run(sources, [lambda: git("checkout", "-q", "feature"), lambda: git("checkout", "-q", "main")])
    assert len(there.paths) == len(back.paths) == 203
    assert "shop.billing" in there.snapshot.modules
    assert "shop.billing" not in back.snapshot.modules
    assert "shop.api.routes" in back.snapshot.modules


def test_a_module_in_a_new_folder_is_seen(sources: Sources, root: Path) -> None:
    """The folder is watched from its first change on."""
    new = root / "src/shop/billing"

    def edit() -> None:
        (new / "tax.py").write_text("x = 2\n")

    made, edited = run(sources, [lambda: (new.mkdir(), (new / "tax.py").write_text("x = 1\n")), edit])
    assert made.paths == edited.paths == ("src/shop/billing/tax.py",)


def test_a_package_that_was_replaced_is_still_watched(sources: Sources, root: Path) -> None:
    """Moved away and made again under its name: edits in the new one are seen."""
    shop = root / "src/shop"

    def replace() -> None:
        shop.rename(root / "old")
        shop.mkdir()
        (shop / "__init__.py").write_text("x = 1\n")

    def edit() -> None:
        (shop / "__init__.py").write_text("x = 2\n")

    replaced, edited = run(sources, [replace, edit])
    assert set(replaced.snapshot.modules) == {"shop"}
    assert edited.paths == ("src/shop/__init__.py",)


def test_no_event_reaches_a_closed_watch(tmp_path: Path) -> None:
    """Closing joins the thread; closing twice is no error; waiting has its time limit."""

    async def main() -> None:
        watch = FileWatch()
        watch.watch([tmp_path])
        watch.close()
        watch.close()
        (tmp_path / "x.py").touch()
        assert await watch.get(0.01) == frozenset()

    asyncio.run(main())


def test_a_watch_that_breaks_is_an_error_with_help(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel's limit on watches names the setting to raise."""

    def refuse(*args: object) -> None:
        raise OSError("OS file watch limit reached")

    monkeypatch.setattr("habanero_py.watching.RustNotify", refuse)

    async def main() -> None:
        with pytest.raises(ToolError, match="cannot be watched: OS file watch limit") as caught:
            FileWatch().watch([tmp_path])
        assert caught.value.code == "watch-failed"
        assert "max_user_watches" in caught.value.help

    asyncio.run(main())


def test_a_folder_that_does_not_exist_yet_is_passed_over(tmp_path: Path) -> None:
    """A folder may go between the listing and the watch; the others are watched all the same."""

    async def main() -> frozenset[str]:
        watch = FileWatch()
        watch.watch([tmp_path, tmp_path / "gone"])
        (tmp_path / "x.py").touch()
        try:
            return await watch.get(DEADLINE_S)
        finally:
            watch.close()

    assert asyncio.run(main()) == {str(tmp_path / "x.py")}
