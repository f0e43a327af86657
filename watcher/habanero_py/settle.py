"""Turns file events into settled changes: one for each save, however many events and writes that save was.

It reads through `Sources` and waits as `Pace` says; it does not decide what becomes of a change. The rules it upholds:
an editor's save by rename, a truncation followed by its text and a branch switch that touches hundreds of files are
each one change; what is delivered was read after the last event that concerned it; and saves that change no byte are
no change.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

from habanero_receiver.errors import HabaneroError, StoreError

from .pace import Pace, looks_cut_off
from .scope import Scope
from .snapshot import Module, Snapshot, Sources
from .syntax import parses
from .watching import Changes

_POLL_S = 0.02
_MOVES = 10
"""Folders may come faster than the watch moves; this often it follows at once, the next event sees to the rest."""
_STALE_LOCK_S = 10.0
"""A lock that is older than this was left behind by a git that was killed."""
_PARSE_BYTES = 32_768
"""Longer texts are not parsed here: it would take longer than the quiet time (100 kB: 15 ms). All that is lost is
patience: a half-written text that does not parse is then told as a syntax error at once. It is never pushed."""


@dataclass(frozen=True, slots=True)
class Settled:
    """A change that is over."""

    snapshot: Snapshot
    paths: tuple[str, ...]
    """The modules that differ from the snapshot before, as a person writes their paths; empty when only tests do."""
    others: tuple[str, ...]
    """Other files that can turn a gate from red to green: the tests' and pyproject.toml."""
    saved_at: float
    """`time.monotonic` of the first event."""


@dataclass(slots=True)
class _Save:
    """What is known of the save that is going on."""

    began: float
    last: float
    seen: Snapshot
    """What was there when it was last looked at."""
    unfinished: bool = False
    paths: set[str] = field(default_factory=set)
    batches: int = 0
    follows_s: float | None = None
    """The pause since the save before, when that wrote one of these files a moment ago."""

    def add(self, paths: set[str], now: float) -> None:
        self.paths |= paths
        self.last = now
        self.batches += 1


class Settler:
    """An endless iterator of settled changes, for one task.

    Cancelling `__anext__` loses nothing, and neither does an error (ToolError): ask again, and what was not delivered
    is part of what comes next.
    """

    def __init__(
        self,
        sources: Sources,
        changes: Changes,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sources, self._changes, self._pace = sources, changes, pace or Pace()
        self._clock = clock
        self._scope = Scope(sources.project)
        self._git_lock = _git_lock(sources.project.root)
        self._snapshot = Snapshot({})  # as it was delivered last
        self._save: _Save | None = None
        self._before: _Save | None = None  # the save before, for what can be learned of it
        self._unread: set[str] = set()

    def start(self) -> Snapshot:
        """Begins to watch, then reads everything: the snapshot that the first change is compared with."""
        self._move_watch(frozenset())
        self._snapshot = self._sources.scan()
        return self._snapshot

    def close(self) -> None:
        """Ends the watch."""
        self._changes.close()

    def __aiter__(self) -> AsyncIterator[Settled]:
        return self

    async def __anext__(self) -> Settled:
        """Waits for the next change. It never ends by itself: cancel it."""
        while True:
            save = self._save or await self._first_event()
            try:
                snapshot = await self._quiet(save)
            except HabaneroError:
                self._save = None  # what is unread stays so; the next event looks at it again
                raise
            self._save, self._before = None, save
            paths, others = snapshot.since(self._snapshot), self._scope.others(save.paths)
            self._snapshot = snapshot
            if paths and save.follows_s is not None:
                self._pace.written_again(save.follows_s)  # of the save before: a tool's second write
            if paths or others:
                return Settled(snapshot, paths, others, save.began)

    async def _first_event(self) -> _Save:
        found: set[str] = set()
        while not found:
            found = self._concerning(await self._changes.get(None))
        now, before = self._clock(), self._before
        save = _Save(now, now, self._snapshot)
        if before is not None and found & before.paths and now - before.last <= self._pace.waits.follow_up_s:
            save.follows_s = now - before.last
        else:
            self._pace.began()
        self._save = save
        self._take(save, found, now)
        return save

    async def _quiet(self, save: _Save) -> Snapshot:
        """Waits until the save is over, and returns what it left."""
        deadline = save.began + self._pace.waits.longest_s
        while True:
            # One file is read at once: what reading and parsing take is then part of the quiet time. Many are read
            # when they are quiet, once.
            looked = bool(self._unread) and (len(save.paths) == 1 or self._clock() >= self._until(save, deadline))
            if looked:
                self._look(save, self._clock() >= deadline)
            until = self._until(save, deadline)
            if looked and self._unread:
                until = max(until, self._clock() + _POLL_S)
            elif not self._unread and self._clock() >= until:
                if self._clock() >= deadline or not self._git_is_busy():
                    return save.seen
                until = self._clock() + _POLL_S
            await self._more(save, until)

    def _until(self, save: _Save, deadline: float) -> float:
        quiet_s = self._pace.quiet_s(files=len(save.paths), batches=save.batches, unfinished=save.unfinished)
        return min(save.last + quiet_s, deadline)

    async def _more(self, save: _Save, until: float) -> None:
        """Takes what comes until then, and returns at the first that concerns us."""
        while (left := until - self._clock()) > 0:
            found = self._concerning(await self._changes.get(left))
            if found:
                now = self._clock()
                if found & save.paths:
                    self._pace.written_again(now - save.last)
                self._take(save, found, now)
                return

    def _take(self, save: _Save, found: set[str], now: float) -> None:
        save.add(found, now)
        self._unread |= found

    def _concerning(self, paths: frozenset[str]) -> set[str]:
        return {path for path in paths if self._sources.has_file(path) or self._scope.concerns(path)}

    def _look(self, save: _Save, last_look: bool) -> None:
        """Reads the sources as they are now, and judges whether more is to come."""
        unread = frozenset(self._unread)
        if not all(self._sources.has_file(path) for path in unread):
            self._move_watch(unread)
        try:
            save.seen = self._sources.update(unread)
        except StoreError:
            if last_look:
                raise
            save.unfinished = True  # a folder went away under the scan; what is unread stays so
            return
        self._unread.clear()
        save.unfinished = _unfinished(save.seen, self._snapshot, self._pace.waits.many_files)

    def _move_watch(self, unread: frozenset[str]) -> None:
        """Watches all folders that there are now. The tree is to be compared after this, so nothing falls between."""
        folders = self._scope.folders()
        # A folder that went and came again has the same path and another inode, which nobody watches yet.
        anew = self._scope.has_folder(unread)
        for _ in range(_MOVES):
            self._changes.watch(folders, anew=anew)
            # One that was made while the watch moved was told to the old watch, whose last words nobody hears.
            listed, folders = folders, self._scope.folders()
            if folders == listed:
                return
            anew = False

    def _git_is_busy(self) -> bool:
        """Whether git is in the middle of something that may write more files."""
        if self._git_lock is None:
            return False
        try:
            return time.time() - self._git_lock.stat().st_mtime < _STALE_LOCK_S
        except OSError:
            return False


def _unfinished(new: Snapshot, old: Snapshot, many: int) -> bool:
    changes = list(new.changes(old))
    for now, before in changes:
        if now is None or (before is None and not now.source):
            return True  # gone, or new and empty: moved away by an editor that will be back, or just created
        if before is not None and looks_cut_off(now.source, before.source):
            return True
    if len(changes) >= many:
        return False  # a tool that rewrites many files is waited for anyway
    return any(_stopped_parsing(now, before) for now, before in changes if now is not None)


def _stopped_parsing(now: Module, before: Module | None) -> bool:
    """Whether the text does not parse and did before: a text that this Python never could parse is no sign."""
    if now.size > _PARSE_BYTES or parses(now.source):
        return False
    return before is None or parses(before.source)


def _git_lock(root: Path) -> Path | None:
    """The file that git creates while it changes the working tree; None outside of a repository."""
    for folder in (root, *root.parents):
        git = folder / ".git"
        if git.is_dir():
            return git / "index.lock"
        if git.is_file():  # a worktree or submodule: "gitdir: <path>"
            words = git.read_text(encoding="utf-8", errors="replace").partition("gitdir:")[2].strip()
            return (folder / words / "index.lock") if words else None
    return None
