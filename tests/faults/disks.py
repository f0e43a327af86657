"""Scenarios of real disks: one that is full to the last page, one that is read-only. Small file systems in memory."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from serving import Server, Shop, wait_until

from faults import forked, pushing, truth
from faults.scenario import Ground, Outcome, Scenario, UnavailableError

PAGE = 4096
MOST_PAGES = 200


@contextmanager
def disk(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own at `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"mode=0700,{options}", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        raise UnavailableError(f"without the right to mount: {done.stderr.strip()}; run it as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, free_pages: int) -> Path:
    """Take all but so many pages of a disk."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(PAGE))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        file.truncate(max(0, file.tell() - free_pages * PAGE))
    return ballast


def full(ground: Ground) -> Outcome:
    """Bucket and state on full disks with 0, 1, 2… pages left: a push is refused whole, or is live."""
    outcome, rate, stride = Outcome(), 10, max(1, round(1 / ground.scale))
    shop = Shop(ground.folder / "srv")
    with ExitStack() as stack:
        disks = [stack.enter_context(disk(shop.root / name, "size=2m")) for name in ("bucket", "state")]
        with forked.serve(shop) as server:
            pushing.attempt(server, server.next(forked.release(rate)), outcome)
            for pages in range(ground.seed % stride, MOST_PAGES, stride):
                before, rate, when = rate, rate + 1, f"{pages} pages free"
                ballasts = [fill(folder, pages) for folder in disks]
                push = server.next(forked.release(rate))
                code = pushing.attempt(server, push, outcome)
                ran = pushing.running(server, outcome, when)
                outcome.expect(ran == (rate if code == 200 else before), f"{when}: {code}, and {ran} runs")
                if pages == 0:
                    _start(shop, ran, outcome, when)
                for ballast in ballasts:
                    ballast.unlink()
                pushing.again(server, push, rate, outcome, when)
                if code == 200:
                    break
                outcome.faults["disk full"] += 1
        truth.check(shop, outcome, "at the end")
        outcome.expect(code == 200, "no disk was large enough")
        _start(shop, rate, outcome, "at the end")
    return outcome


def read_only(ground: Ground) -> Outcome:
    """Bucket and state become read-only under a running server, and writable again."""
    outcome, rate = Outcome(), 10
    shop = Shop(ground.folder / "srv")
    with ExitStack() as stack:
        disks = [stack.enter_context(disk(shop.root / name, "size=8m")) for name in ("bucket", "state")]
        with forked.serve(shop) as server:
            for _ in range(ground.times(10)):
                rate += 1
                pushing.attempt(server, server.next(forked.release(rate)), outcome)
                _remount(disks, "ro")
                outcome.faults["disk read-only"] += 1
                push = server.next(forked.release(rate + 1))
                code = pushing.attempt(server, push, outcome)
                outcome.expect(code == 503, f"on a read-only disk: {code}")
                _holds(server, rate, outcome)
                _start(shop, rate, outcome, "on a read-only disk")
                with forked.serve(shop) as other:
                    _holds(other, rate, outcome)
                _remount(disks, "rw")
                pushing.again(server, push, rate + 1, outcome, "writable again")
                rate += 1
        truth.check(shop, outcome, "at the end")
    return outcome


def _holds(server: Server, rate: int, outcome: Outcome) -> None:
    ran = pushing.running(server, outcome, "on a read-only disk")
    outcome.expect(ran == rate, f"on a read-only disk: {ran} runs, not {rate}")


def _start(shop: Shop, rate: int, outcome: Outcome, when: str) -> None:
    outcome.count("starts")
    code, told = forked.start(shop)
    outcome.expect(code == 0 and bool(told) and forked.whole(**told) == rate, f"{when}: a start: {code}, {told}")


def _remount(disks: list[Path], how: str) -> None:
    """A disk with a file open to be written cannot be made read-only: a heartbeat may be under way."""
    for folder in disks:
        command = ["mount", "-o", f"remount,{how}", str(folder)]
        wait_until(lambda command=command: subprocess.run(command, capture_output=True).returncode == 0)


SCENARIOS = (
    Scenario("disk/full", "a disk with 0, 1, 2… pages left: a push is refused whole or live; starts go on", full, 1.0),
    Scenario("disk/read-only", "a read-only disk: pushes are refused, the app and its starts go on", read_only, 0.2),
)
