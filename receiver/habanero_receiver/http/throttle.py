"""What strangers can use up: how many bodies of theirs are read at once, and how often an address may fail in a minute.

What it does not: it never turns a signed push away. Behind a reverse proxy all peers share an address, so a stranger
who could use up the author's budget could keep the author out; here only what a stranger sends is ever throttled.

The rule it upholds: bounded memory, whatever addresses appear, and however many connections are opened at once.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

from habanero_receiver.errors import ConflictError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_FAILURES = 30
WINDOW_S = 60.0
MAX_PEERS = 1024
MAX_UNJUDGED = 64
"""How many bodies may be read at once of senders that nothing is known of: each holds an envelope at most."""


class Throttle:
    """Failures by peer in a sliding window. `now` is seconds on any clock that does not go back."""

    def __init__(
        self, *, max_failures: int = MAX_FAILURES, window_s: float = WINDOW_S, max_peers: int = MAX_PEERS
    ) -> None:
        self._max_failures = max_failures
        self._window_s = window_s
        self._max_peers = max_peers
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def failed(self, peer: str, now: float) -> float | None:
        """Count a failure. Gives the seconds to wait when this one is over the limit, else None."""
        times = self._failures.setdefault(peer, deque(maxlen=self._max_failures))
        self._failures.move_to_end(peer)
        while len(self._failures) > self._max_peers:
            self._failures.popitem(last=False)
        if len(times) == self._max_failures and now - times[0] < self._window_s:
            return self._window_s - (now - times[0])
        times.append(now)
        return None


class Crowd:
    """The bodies that are read before their envelopes are judged. Used on the event loop alone."""

    def __init__(self, most: int = MAX_UNJUDGED) -> None:
        self._most = most
        self.inside = 0

    @contextmanager
    def enter(self, known: Callable[[], object]) -> Iterator[None]:
        """Read one. When there are too many, only of a sender whose headers are signed: `known` raises for others.

        ConflictError "busy", which tells a stranger nothing and has an author's older command try again.
        """
        if self.inside >= self._most:
            try:
                known()
            except Exception:
                message = "too many pushes are sent to this process at once; nothing was read"
                raise ConflictError("busy", message, help="push again") from None
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1
