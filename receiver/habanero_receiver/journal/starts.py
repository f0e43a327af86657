"""Which releases are not to be run on this machine: a ledger of attempts to start them, kept on its own disk.

An attempt begins when a process is about to import the first module of the app over a release that has not been seen
to work here yet. It ends well when the process was ready, or ended in order; it failed when the process is gone
without either, or said so itself. Attempts are counted in rounds:

    an attempt belongs to the round that the ledger is in when it begins
    when one of round N has failed, the ledger is in round N + 1
    in round `limit` the release is condemned, once no younger attempt of a lower round can still prove it
    when any attempt is ready, the release is proven on this machine and is never counted again

So the workers of one start, however many die, are one failure; and a worker that is killed while others serve is none.

A release that was withdrawn while it ran is condemned without any count (`condemn`).

What it does not: it starts nothing, reads no bucket and knows no release but by its digest; time and processes come in
as arguments. The rule it upholds: an attempt is on the disk, durably, before any code of the release runs.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAX_RELEASES = 20
MAX_OPEN = 1_000


class Process(NamedTuple):
    """One process of one machine, told apart from a later one of the same number by when it was born."""

    pid: int
    born: str


class Attempt(NamedTuple):
    """One process on its way: the round it belongs to, and when it began (seconds since the epoch)."""

    process: Process
    round: int
    began: float


class Record(NamedTuple):
    """What is known of one release."""

    seq: int
    round: int = 0
    proven: bool = False
    condemned: str = ""
    """Why, in a few words; empty while it is not."""
    told: bool = False
    """Whether the verdict is in the bucket."""
    open: tuple[Attempt, ...] = ()


class Ledger(NamedTuple):
    """All records, by the release's payload digest. Every method gives a new ledger; nothing is changed in place."""

    records: Mapping[str, Record] = MappingProxyType({})

    def condemned(self) -> dict[str, Record]:
        """The releases that are not to be tried again."""
        return {digest: record for digest, record in self.records.items() if record.condemned}

    def reaped(
        self, digest: str, alive: Callable[[Process], bool], *, now: float, limit: int, patience_s: float
    ) -> Ledger:
        """Close what has ended without a word, as failed; condemn the release when that was once too often.

        An attempt that still runs proves nothing after `patience_s`: it may hang.
        """
        record = self.records.get(digest)
        if record is None or record.proven or record.condemned:
            return self
        gone = [attempt for attempt in record.open if not alive(attempt.process)]
        left = tuple(attempt for attempt in record.open if attempt not in gone)
        number = max([record.round, *(attempt.round + 1 for attempt in gone)])
        record = record._replace(round=number, open=left)
        hopeful = any(a.round < number and 0 <= now - a.began < patience_s for a in left)
        if number >= limit and not hopeful:
            record = record._replace(open=(), condemned=f"{limit} starts in a row ended before they were ready")
        return self._with(digest, record)

    def begun(self, digest: str, seq: int, process: Process, now: float) -> Ledger:
        """Note an attempt, once for each process. A release that is proven or condemned is left as it is."""
        record = self.records.get(digest, Record(seq))
        noted = any(attempt.process == process for attempt in record.open)
        if noted or record.proven or record.condemned or len(record.open) >= MAX_OPEN:
            return self
        return self._with(digest, record._replace(open=(*record.open, Attempt(process, record.round, now))))

    def ready(self, digest: str) -> Ledger:
        """The release works here: it is not counted any more."""
        record = self.records.get(digest)
        if record is None or record.condemned:
            return self
        return self._with(digest, record._replace(proven=True, open=(), round=0))

    def ended(self, digest: str, process: Process, *, failed: bool) -> Ledger:
        """One process ended in order, or says itself that it failed to start."""
        record = self.records.get(digest)
        mine = [] if record is None else [attempt for attempt in record.open if attempt.process == process]
        if record is None or not mine:
            return self
        left = tuple(attempt for attempt in record.open if attempt not in mine)
        number = max(record.round, mine[0].round + 1) if failed else record.round
        return self._with(digest, record._replace(round=number, open=left))

    def condemn(self, digest: str, seq: int, reason: str, *, told: bool) -> Ledger:
        """The release is not to be run here again, for another reason than its starts; no change if that was known."""
        record = self.records.get(digest, Record(seq))
        if record.condemned:
            return self
        return self._with(digest, record._replace(open=(), condemned=reason, told=told))

    def told(self, digest: str) -> Ledger:
        """The verdict on a release is in the bucket."""
        return self._with(digest, self.records[digest]._replace(told=True))

    def _with(self, digest: str, record: Record) -> Ledger:
        records = {**self.records, digest: record}
        newest = sorted(records, key=lambda key: records[key].seq, reverse=True)[:MAX_RELEASES]
        return Ledger({key: records[key] for key in newest})

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            digest: {
                "seq": record.seq, "round": record.round, "proven": record.proven, "condemned": record.condemned,
                "told": record.told,
                "open": [[a.process.pid, a.process.born, a.round, a.began] for a in record.open],
            }
            for digest, record in self.records.items()
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: object) -> Ledger:
        """From what was kept; ValueError for anything else."""
        try:
            if isinstance(value, dict):
                return cls({str(digest): _record(fields) for digest, fields in value.items()})
        except (KeyError, TypeError) as error:
            raise ValueError("not a ledger of starts") from error
        raise ValueError("not a ledger of starts")


def _record(fields: Mapping[str, Any]) -> Record:
    attempts = tuple(
        Attempt(Process(int(pid), str(born)), int(number), float(began)) for pid, born, number, began in fields["open"]
    )
    return Record(
        int(fields["seq"]), int(fields["round"]), bool(fields["proven"]), str(fields["condemned"]),
        bool(fields["told"]), attempts,
    )  # fmt: skip
