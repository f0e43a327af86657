"""How long to wait after a change until a save counts as finished.

Pure: times come in, waits come out. The trade is between two mistakes. Waiting after a save that was finished is felt
at every save; not waiting after one that was not pushes half a file. So the wait is a few milliseconds for one whole
file, longer where there is a sign that more will come, and at most `longest_s` in all. The signs:

* several files, or events that keep coming: a branch is switched, a tool rewrites the project;
* the text looks cut off, or its file has gone: an editor has truncated it and not yet written it, or moved it away;
* git holds its index lock: it is in the middle of a checkout;
* after recent saves the same file was written again a moment later: a formatter runs on save. This one is learned,
  since nothing in the first write tells of the second, and unlearned when it stops.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Waits:
    """Quiet times, in seconds."""

    one_file_s: float = 0.003
    several_s: float = 0.012
    many_s: float = 0.05
    unfinished_s: float = 0.12
    longest_s: float = 5.0
    """However much goes on, what is there is delivered after this."""
    many_files: int = 8
    follow_up_s: float = 0.3
    """A second write of a file this soon after the first may be a tool's."""
    follow_up_margin: float = 1.5


@dataclass(slots=True)
class Pace:
    """The waits of one watcher, with what it learned of the tools around it."""

    waits: Waits = field(default_factory=Waits)
    _gaps_s: deque[float] = field(default_factory=lambda: deque([0.0, 0.0, 0.0, 0.0], maxlen=4))
    """Of the last saves, the longest pause before one of their files was written again."""

    def quiet_s(self, *, files: int, batches: int, unfinished: bool) -> float:
        """How long nothing may have happened for the change to count as finished.

        `files` were touched in `batches` groups of events; `unfinished` is said of the text as it is now.
        """
        waits = self.waits
        if unfinished:
            wait = waits.unfinished_s
        elif files >= waits.many_files:
            wait = waits.many_s
        elif files > 1:
            wait = waits.several_s
        else:
            wait = min(waits.one_file_s * batches, waits.many_s)
        return max(wait, self.learned_s())

    def learned_s(self) -> float:
        """What recent saves say about second writes: nothing until two of the last four had one."""
        gap_s = sorted(self._gaps_s)[-2]
        return gap_s * self.waits.follow_up_margin

    def began(self) -> None:
        """A save begins that is none of the one before it."""
        self._gaps_s.append(0.0)

    def written_again(self, gap_s: float) -> None:
        """A file of the last save was written again after `gap_s`."""
        if gap_s <= self.waits.follow_up_s:
            self._gaps_s[-1] = max(self._gaps_s[-1], gap_s)


def looks_cut_off(new: bytes, old: bytes) -> bool:
    """Whether `new` may be the first part of a text that is being written over `old`.

    A guess from the bytes alone; that it does not parse is asked elsewhere. Empty where there was text; a beginning
    of the old text; no end of line at the end where there was one.
    """
    if not old:
        return False
    if not new:
        return True
    if len(new) < len(old) and old.startswith(new):
        return True
    return old.endswith((b"\n", b"\r")) and not new.endswith((b"\n", b"\r"))
