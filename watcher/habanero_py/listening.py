"""Hears what comes out of released code in production while a watch is open: errors, and a release that is withdrawn.

A thread with a connection of its own asks the server again and again, as often as that says is of use. What is news is
told by `News`, which is pure. The rule it upholds: it disturbs nothing: whatever it cannot reach or understand is tried
again later, less and less often, and told to nobody, since the watch itself says when the server is away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from habanero_py import events as e
from habanero_py.outcome import withdrawn
from habanero_py.remote_fleet import Heard
from habanero_py.server import Server
from habanero_receiver.errors import HabaneroError

FIRST_WAIT_S = 1.0
LAST_WAIT_S = 60.0
SETTLE_LOOKS = 20
SETTLE_WAIT_S = 0.25

Told = Callable[[Sequence[e.Event]], None]


class News:
    """What is new in each answer. What was there at the first one is old, but for a head that stands withdrawn."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, int, float, int]] | None = None
        self._withdrawn: tuple[int, str] | None = None

    def of(self, heard: Heard) -> tuple[list[e.ProductionError], e.Withdrawal | None]:
        """The errors that were not told yet, the oldest first, and the verdict if it was not."""
        old = heard.errors.keys() if self._seen is None else self._seen
        errors = sorted((heard.errors[key] for key in heard.errors.keys() - old), key=lambda error: error.last)
        self._seen = set(heard.errors.keys())
        found = heard.withdrawn
        key = None if found is None else (found.push, found.at)
        known, self._withdrawn = self._withdrawn, key
        return errors, found if key != known else None


class Listener:
    """Owns the thread. `told` is called in it, with what is new, never with nothing."""

    def __init__(self, server: Server, told: Told) -> None:
        self._server = server
        self._told = told
        self._news = News()
        self._wait_s = FIRST_WAIT_S
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listening", daemon=True)

    def start(self) -> None:
        """See what is old already, in this very thread, and begin to listen: what comes from now on is told."""
        self._listen()
        self._thread.start()

    def close(self) -> None:
        """End the thread, and its connection with it."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        with self._server:
            while not self._over.wait(self._wait_s):
                self._listen()

    def _listen(self) -> None:
        try:
            heard = self._server.errors()
            self._wait_s = heard.again_s
            self._tell(*self._news.of(heard))
        except HabaneroError:
            self._wait_s = min(self._wait_s * 2, LAST_WAIT_S)

    def _tell(self, errors: Sequence[e.ProductionError], verdict: e.Withdrawal | None) -> None:
        found: list[e.Event] = list(errors)
        if verdict is not None:
            found.append(self._settled(verdict))
        if found:
            self._told(found)

    def _settled(self, verdict: e.Withdrawal) -> e.Withdrawn:
        """The verdict with the fleet as it is once every worker has gone back, or after a moment."""
        for _ in range(SETTLE_LOOKS):
            told = withdrawn(verdict, self._server.state().machines)
            if told.in_step or self._over.wait(SETTLE_WAIT_S):
                break
        return told
