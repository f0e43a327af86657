"""A file watch that follows a script, for tests of what is made of events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path


class ScriptOverError(Exception):
    """The script has no more events and somebody waits for one."""


class ScriptedChanges:
    """`watching.Changes` from a script: each step comes at its second, does something on disk, and names paths.

    The clock moves only when somebody waits, so that a test of seconds takes none.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.watched: list[frozenset[Path]] = []
        self.anew = 0
        self.closed = False
        self._steps: deque[tuple[float, Callable[[], object], tuple[Path, ...]]] = deque()

    def at(self, second: float, *paths: Path, do: Callable[[], object] = lambda: None) -> None:
        """After `second` seconds: call `do`, then tell of `paths`."""
        self._steps.append((1000.0 + second, do, paths))

    def clock(self) -> float:
        return self.now

    def watch(self, folders: Iterable[Path], *, anew: bool = False) -> None:
        self.watched.append(frozenset(folders))
        self.anew += anew

    async def get(self, timeout_s: float | None) -> frozenset[str]:
        until = None if timeout_s is None else self.now + timeout_s
        if not self._steps or (until is not None and self._steps[0][0] > until):
            if until is None:
                raise ScriptOverError
            self.now = until
            return frozenset()
        second, do, paths = self._steps.popleft()
        self.now = max(self.now, second)
        do()
        return frozenset(map(str, paths))

    def close(self) -> None:
        self.closed = True
