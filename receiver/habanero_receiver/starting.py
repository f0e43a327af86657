"""How this process's start goes: whether it is an attempt of a release that is not proven yet, and how that ends.

    first import of the app   the attempt is on the disk before any code of the release runs
    ready                     the app serves, `receiver.ready()`, or some seconds alive with all imports done: proven
    failed                    the app's start-up said so; an exception or a failed import of the app ended the process
    in order                  ended otherwise: it says nothing about the release (a script, a check, a migration)
    no word                   killed, crashed, os._exit, hung until somebody ended it: the next start finds it gone

What it does not: it chooses no release (`journal.newest`) and keeps no counts (`journal.starts`). Nothing happens for a
release that is proven here. A process that was forked after the import shares its parent's attempt.

The rule it upholds: a disk that does not take the ledger stops no start.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from habanero_receiver.journal.starts import Ledger, Process, Record
from habanero_receiver.processes import is_alive, this_process

if TYPE_CHECKING:
    from collections.abc import Callable

    from habanero_receiver.journal.local import LocalState

_NOTE = "starts.json"
_LOOK_AGAIN_S = 1.0
_log = logging.getLogger("habanero")


class StartLedger:
    """The ledger of this machine on its disk; each method is one locked turn of reading and writing."""

    def __init__(self, local: LocalState, limit: int, patience_s: float) -> None:
        self._local, self._limit, self._patience_s = local, limit, patience_s

    def condemned(self) -> dict[str, Record]:
        """The releases that are not to be tried again here."""
        return self._turn(self._reap).condemned()

    def begin(self, digest: str, seq: int, process: Process) -> Ledger:
        """Note an attempt, unless the release is proven or condemned by now; gives what is known then."""
        return self._turn(lambda ledger: self._reap(ledger).begun(digest, seq, process, time.time()))

    def close(self, change: Callable[[Ledger], Ledger]) -> None:
        """Write down how an attempt went."""
        self._turn(change)

    def condemn(self, digest: str, seq: int, reason: str, *, told: bool) -> None:
        """Remember that a release is not to be run here again. `told`: whether the bucket has a verdict on it."""
        self._turn(lambda ledger: ledger.condemn(digest, seq, reason, told=told))

    def _reap(self, ledger: Ledger) -> Ledger:
        if not self._limit:  # nothing is counted
            return ledger
        for digest in ledger.records:
            ledger = ledger.reaped(
                digest, is_alive, now=time.time(), limit=self._limit, patience_s=self._patience_s
            )
        return ledger

    def _turn(self, change: Callable[[Ledger], Ledger]) -> Ledger:
        before = Ledger()
        try:
            if not self._local.folder.exists() and change(before) == before:
                return before
            with self._local.locked():
                before = self._read()
                after = change(before)
                if after != before:
                    self._local.write_note(_NOTE, after.to_json())
        except OSError as error:
            _log.warning("starts are not counted: %s cannot be used: %s", self._local.folder, error)
            return before
        return after

    def _read(self) -> Ledger:
        try:
            return Ledger.from_json(self._local.read_note(_NOTE) or {})
        except ValueError:
            _log.error("error[copy-corrupt]: %s is damaged: it counts as empty", self._local.folder / _NOTE)
            return Ledger()


class _Imports:
    """Whether the last import of the app that came from outside of the app went well."""

    def __init__(self, known: Callable[[str], bool]) -> None:
        self.known = known
        self.root = ""
        self._under_way: list[str] = []

    def asked(self, name: str) -> None:
        while self._under_way and not _initializing(self._under_way[-1]):
            self._under_way.pop()
        if not self._under_way and self.known(name):
            self.root = name
        self._under_way.append(name)

    def broke(self) -> bool:
        return bool(self.root) and self.root not in sys.modules

    def busy(self) -> bool:
        return any(_initializing(name) for name in self._under_way)


class Start:
    """The attempt of this process; made at boot, begins with the first import of the app."""

    def __init__(
        self, ledger: StartLedger, ready_after_s: float, known: Callable[[str], bool],
        before_first: Callable[[], tuple[str, int] | None],
    ) -> None:  # fmt: skip
        """`before_first` gives the release that is about to be imported, or None: the last moment to choose another."""
        self._ledger, self._ready_after_s, self._before_first = ledger, ready_after_s, before_first
        self._imports = _Imports(known)
        self._digest = ""
        self._process: Process | None = None
        self._asked = False
        self._serving_later = False
        self._over = threading.Event()
        self._timer: threading.Thread | None = None

    def asked(self, name: str) -> None:
        """A module of the app is about to be imported."""
        if not self._asked:
            self._begin()
            self._asked = True  # not before: another thread that imports meanwhile has to find the attempt noted
        if self._digest:
            self._imports.asked(name)

    def serving_later(self) -> None:
        """It is going to say itself when it serves: time alone does not make it ready."""
        self._serving_later = True

    def ready(self) -> None:
        """The release works in this process."""
        digest, self._digest = self._digest, ""
        if digest:
            self._over.set()
            self._ledger.close(lambda ledger: ledger.ready(digest))

    def failed(self) -> None:
        """The app did not come up."""
        self._close(failed=True)

    def _begin(self) -> None:
        release = self._before_first()
        if release is None:
            return
        process = this_process()
        record = self._ledger.begin(*release, process).records.get(release[0])
        if record is None or record.proven or record.condemned:
            return
        if self._digest:
            return
        self._digest, self._process = release[0], process
        atexit.register(self._at_exit)
        forked = sys.modules.get("multiprocessing.util")
        if forked is not None:  # its forked children end without atexit
            forked.Finalize(None, self._at_exit, exitpriority=0)
        os.register_at_fork(before=self._stop_timer, after_in_child=self._start_timer)
        self._start_timer()

    def _at_exit(self) -> None:
        self._close(failed=self._serving_later or self._imports.broke() or getattr(sys, "last_value", None) is not None)

    def _close(self, *, failed: bool) -> None:
        process, digest = self._process, self._digest
        if digest and process is not None and process.pid == os.getpid():
            self._digest = ""
            self._over.set()
            self._ledger.close(lambda ledger: ledger.ended(digest, process, failed=failed))

    def _start_timer(self) -> None:
        """Not again in a parent that forks: whoever forks must have one thread alone, and its children tell."""
        if self._digest and self._ready_after_s > 0:
            self._over = threading.Event()
            self._timer = threading.Thread(target=self._wait, name="habanero-start", daemon=True)
            self._timer.start()

    def _stop_timer(self) -> None:
        self._over.set()
        if self._timer is not None and self._timer is not threading.current_thread():
            self._timer.join()
        self._timer = None

    def _wait(self) -> None:
        over, wait_s = self._over, self._ready_after_s
        while not over.wait(wait_s):
            wait_s = _LOOK_AGAIN_S
            if not self._serving_later and not self._imports.busy() and not self._imports.broke():
                self.ready()


def _initializing(name: str) -> bool:
    spec = getattr(sys.modules.get(name), "__spec__", None)
    return bool(getattr(spec, "_initializing", False))
