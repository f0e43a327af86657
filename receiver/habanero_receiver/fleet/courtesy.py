"""Long work in a thread beside the app's own, with the app's going first.

A thread that computes gives the interpreter away only when another has asked for it for a while, 5 ms by default. An
event loop asks each time that it comes back from waiting, so a request that waits three times takes 15 ms longer. While
such work runs, the interval is short; afterwards it is what the app had set.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

INTERVAL_S = 0.0005

_lock = threading.Lock()
_before: list[float] = []
"""The intervals to go back to, one for each piece of work under way."""


@contextmanager
def courteous() -> Iterator[None]:
    """Has other threads wait for the interpreter no longer than `INTERVAL_S` at a time."""
    with _lock:
        _before.append(sys.getswitchinterval())
        sys.setswitchinterval(min(INTERVAL_S, _before[0]))
    try:
        yield
    finally:
        with _lock:
            if len(_before) == 1:
                sys.setswitchinterval(_before[0])
            _before.pop()
