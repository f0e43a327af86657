"""Tells which files changed, through watchfiles, as an asyncio queue.

A thin shell: it decides neither what matters nor when a change is finished. The rule it upholds: no change between
two moves of the watch is lost, since the new watch stands before the old one goes, and whoever moves it compares the
tree afterwards.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from watchfiles._rust_notify import RustNotify

from .errors import ToolError

_GROUP_MS = 20
"""The longest time for which watchfiles itself may hold events back; the settler does the waiting."""
_STEP_MS = 1
"""How often watchfiles looks at what the kernel told it: a change is seen after one step and given out after two.

Measured on a 2-core machine, save to event, p50 / p90, and the idle cost as a share of one core:

    step   1 ms      2 ms      3 ms      5 ms      10 ms      50 ms (its default)
    p50    1.6       3.0       4.4       8.1       16         65 ms
    p90    2.4       4.3       6.3       10        19         96 ms
    idle   3.0 %     1.9 %     1.6 %     1.2 %     0.9 %      0.2 %

So the default alone would cost four times the whole of save to live. `debounce` has no part in it as long as it is
longer than a step; its `awatch` adds 0.3 ms for a task group and a worker thread at each event.
"""
_IDLE_STEP_MS = 5
_IDLE_AFTER_S = 300.0
"""Someone who has not saved for minutes gets the first save a few milliseconds later, and a cooler laptop meanwhile."""
_TIMEOUT_MS = 1_000
_POLL_MS = 300


class Changes(Protocol):
    """A source of changed paths."""

    def watch(self, folders: Iterable[Path], *, anew: bool = False) -> None:
        """Watches these folders, not what is below them; `anew` also when they are the same. Raises ToolError."""

    async def get(self, timeout_s: float | None) -> frozenset[str]:
        """The absolute paths that changed; empty when nothing did in the time."""

    def close(self) -> None:
        """Ends the watch."""


class FileWatch:
    """`Changes` of the real file system. Made and used in a running event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[frozenset[str] | BaseException] = asyncio.Queue()
        self._folders: frozenset[str] = frozenset()
        self._watcher: _Watcher | None = None

    def watch(self, folders: Iterable[Path], *, anew: bool = False) -> None:
        """See `Changes`. One folder at a time instead of whole trees: no virtual environment, no __pycache__."""
        wanted = frozenset(str(folder) for folder in folders)
        if wanted == self._folders and self._watcher is not None and not anew:
            return
        new = _Watcher(wanted, self._put)
        old, self._watcher, self._folders = self._watcher, new, wanted
        if old is not None:
            old.close()

    async def get(self, timeout_s: float | None) -> frozenset[str]:
        """See `Changes`. Raises ToolError when the watch itself broke."""
        try:
            async with asyncio.timeout(timeout_s):
                got = [await self._queue.get()]
        except TimeoutError:
            return frozenset()
        while not self._queue.empty():
            got.append(self._queue.get_nowait())
        for item in got:
            if isinstance(item, BaseException):
                raise _broken(item) from item
        return frozenset().union(*(item for item in got if isinstance(item, frozenset)))

    def close(self) -> None:
        """Ends the watch and its thread."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()

    def _put(self, item: frozenset[str] | BaseException) -> None:
        with contextlib.suppress(RuntimeError):  # the loop closed while the thread was ending
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)


class _Put(Protocol):
    def __call__(self, item: frozenset[str] | BaseException) -> None: ...


class _Watcher:
    """One watch and the thread that asks it. It stands, for the kernel, when the constructor returns."""

    def __init__(self, folders: frozenset[str], put: _Put) -> None:
        self._put, self._stop = put, threading.Event()
        polling = os.environ.get("WATCHFILES_FORCE_POLLING", "").lower() not in ("", "0", "false", "disable")
        there = [folder for folder in sorted(folders) if Path(folder).is_dir()]
        try:
            self._notify = RustNotify(there, False, polling, _POLL_MS, False, True)
        except (OSError, RuntimeError) as error:
            raise _broken(error) from error
        self._thread = threading.Thread(target=self._run, name="file-watch", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        last = time.monotonic()
        try:
            while True:
                now = time.monotonic()
                step_ms = _STEP_MS if now - last < _IDLE_AFTER_S else _IDLE_STEP_MS
                found = self._notify.watch(_GROUP_MS, step_ms, _TIMEOUT_MS, self._stop)
                if found == "stop":
                    return
                if not isinstance(found, str):
                    last = now
                    self._put(frozenset(path for _, path in found))
        except (OSError, RuntimeError) as error:
            self._put(error)
        finally:
            self._notify.close()

    def close(self) -> None:
        self._stop.set()
        self._thread.join()


def _broken(error: BaseException) -> ToolError:
    return ToolError(
        "watch-failed",
        f"the project's files cannot be watched: {error}",
        subject="watch",
        help="when the system's limit is reached: sysctl fs.inotify.max_user_watches; "
        "or look at intervals: WATCHFILES_FORCE_POLLING=1",
    )
