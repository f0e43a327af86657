"""How often a process looks at the bucket: often where that is a file, rarely where it is a request that costs money.

What it does: holds the intervals, the same for all workers of a bucket. What it does not: no clock and no thread.

The rule it upholds: a bucket on a network gets a bounded number of requests per second from each worker, and a worker
counts as silent only after it has missed three heartbeats of its own pace.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MIN_REMOTE_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between two looks of one worker.

    poll_s      for the journal's next entry: one small read
    verdict_s   for a verdict beside the last one: one small read
    listen_s    for a question that is put to all workers: one small read
    beat_s      between its own heartbeats: one write; also at once when what it runs changes
    guard_s     at what it ran already, whether it is still there: two small reads
    report_s    between two reports of the errors that it saw: one write; none without errors
    look_s      at all heartbeats, while a push or a question waits for them: a list and a read of each
    """

    poll_s: float
    verdict_s: float
    listen_s: float
    beat_s: float
    report_s: float
    look_s: float
    guard_s: float

    @property
    def silent_after_s(self) -> float:
        """After how long without a heartbeat a worker is not counted any more."""
        return 3 * self.beat_s + 1


LOCAL = Pace(poll_s=0.05, verdict_s=0.25, listen_s=1.0, beat_s=5.0, report_s=0.5, look_s=0.01, guard_s=5.0)
REMOTE = Pace(poll_s=1.0, verdict_s=3.0, listen_s=3.0, beat_s=30.0, report_s=5.0, look_s=0.25, guard_s=60.0)


def pace_for(*, remote: bool, poll_s: float | None) -> Pace:
    """The pace for a kind of bucket; `poll_s` is the operator's own, kept to what the kind can bear."""
    usual = REMOTE if remote else LOCAL
    if poll_s is None:
        return usual
    return replace(usual, poll_s=max(poll_s, MIN_REMOTE_POLL_S) if remote else poll_s)
