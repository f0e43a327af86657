"""Counts the failed pushes of each peer, and says when there were too many in a minute.

What it does not: it never turns a signed push away. Behind a reverse proxy all peers share an address, so a stranger
who could use up the author's budget could keep the author out; here only what a stranger sends is ever throttled.

The rule it upholds: bounded memory, whatever addresses appear.
"""

from __future__ import annotations

from collections import OrderedDict, deque

MAX_FAILURES = 30
WINDOW_S = 60.0
MAX_PEERS = 1024


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
