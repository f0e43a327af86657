"""What is kept of an exception that nobody caught: seen on the way out of a request, a supervised loop or a thread.

What it does: takes an exception apart while its traceback is there, and holds what was seen until the follower's thread
has time for it. What it does not: it judges nothing (`attribution` and `probation` do), reads no file, and keeps no
exception, traceback or frame alive, and so none of the app's objects.

The rule it upholds: it costs the request that failed some microseconds, raises nothing, and holds a bounded number.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, TracebackType

MAX_WAITING = 1_000
MAX_FRAMES = 100
MAX_PARTS = 10
MAX_WORDS = 500
_DISCONNECTS = frozenset({"WebSocketDisconnect", "ClientDisconnect", "ClientDisconnected"})
"""Classes, of whatever server or framework, that say that the other side went away: nobody's error."""


@dataclass(frozen=True, slots=True)
class Place:
    """One frame: its code object, and the line that it was at."""

    code: CodeType
    line: int


@dataclass(frozen=True, slots=True)
class Part:
    """One exception: its class, its words, and its frames, outermost first."""

    kind: str
    words: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Sighting:
    """One uncaught exception. `parts` are it, what it was raised from and what it groups, the cause first.

    `where` is the request, loop or thread that it ended; `at` is on the monotonic clock, `time` since the epoch.
    """

    parts: tuple[Part, ...]
    where: str
    at: float
    time: float


def sight(error: BaseException, where: str) -> Sighting | None:
    """Take an exception apart; None for what is no error: an end that was asked for, a client that went away."""
    if not isinstance(error, Exception) or any(base.__name__ in _DISCONNECTS for base in type(error).__mro__):
        return None
    parts = tuple(_part(each) for each in _together(error))
    return Sighting(parts, where[:MAX_WORDS], time.monotonic(), time.time())


def _together(error: BaseException) -> list[BaseException]:
    """The exception, what it was explicitly raised from, and what it groups; each once, the cause before the effect."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting and len(found) < MAX_PARTS:
        each = waiting.pop(0)
        if each in found:
            continue
        found.append(each)
        waiting += [each.__cause__] if each.__cause__ is not None else []
        waiting += each.exceptions if isinstance(each, BaseExceptionGroup) else []
    return found[::-1]


def _part(error: BaseException) -> Part:
    try:
        words = str(error)
    except Exception:  # the class is the app's, and so is its __str__
        words = "(its words cannot be had)"
    return Part(type(error).__qualname__, words[:MAX_WORDS], tuple(_places(error.__traceback__)))


def _places(trace: TracebackType | None) -> Iterator[Place]:
    """The last frames of a traceback: an endless recursion has its cause at the end."""
    found: deque[Place] = deque(maxlen=MAX_FRAMES)
    while trace is not None:
        found.append(Place(trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    yield from found


class Sightings:
    """Those that wait to be looked at. Any thread; the oldest goes when there are too many."""

    def __init__(self) -> None:
        self._waiting: deque[Sighting] = deque(maxlen=MAX_WAITING)

    def saw(self, error: BaseException, where: str) -> None:
        """Keep what is to be known of an exception that goes on its way."""
        sighting = sight(error, where)
        if sighting is not None:
            self._waiting.append(sighting)

    def take(self) -> list[Sighting]:
        """All that wait, oldest first."""
        taken = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        return taken


class ThreadErrors:
    """Sees the exceptions that end threads, before whoever saw them so far does."""

    def __init__(self, sightings: Sightings) -> None:
        self._sightings: Sightings | None = sightings
        self._before: Any = None

    def begin(self) -> None:
        """Put this before the hook that is there."""
        self._before, threading.excepthook = threading.excepthook, self._hook

    def end(self) -> None:
        """Take it away; where another was put before it meanwhile, it stays and sees nothing any more."""
        self._sightings = None
        if threading.excepthook == self._hook:
            threading.excepthook = self._before

    def _hook(self, args: threading.ExceptHookArgs) -> None:
        if self._sightings is not None and args.exc_value is not None:
            self._sightings.saw(args.exc_value, f"thread {args.thread.name if args.thread else 'unknown'}")
        self._before(args)
