"""What one process knows of itself: who it is, the newest release of the journal, and the one that it runs.

What it does: holds that state, reads new journal entries (each judged before it counts), writes and reads
heartbeats. What it does not: it never changes code; `apply` does, and `apply` alone assigns `running`.

The rule it upholds: three things are told apart. `tip` is where the journal's chain of hashes ends, `seen` the release
that this process is to run, `running` what the live modules hold. The first two differ after a key was revoked, until
the head is signed again, and when a verdict stands beside the tip, which `withdrawn` then is; the last two while a swap
is under way and when this process could not take what it is to run, and then `failure` says why. `None` for `running`
means that the modules may be of several releases, as between boot and the first catch-up: the entry module was imported
before the overlay was there.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from habanero_receiver import processes, trust
from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.fleet import heartbeat, pace
from habanero_receiver.fleet.safepoint import HereSafepoint
from habanero_receiver.fleet.sightings import Sightings
from habanero_receiver.journal.bucket import TooLargeError
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from habanero_receiver.fleet.safepoint import Safepoint
    from habanero_receiver.journal.base import Base
    from habanero_receiver.journal.journal import Journal
    from habanero_receiver.journal.local import LocalState
    from habanero_receiver.journal.verdict import Verdict
    from habanero_receiver.keyring import Keyring
    from habanero_receiver.overlay import Overlay
    from habanero_receiver.release.manifest import Manifest
    from habanero_receiver.starting import StartLedger
    from habanero_receiver.swap import ModuleImage, Swapper

_log = logging.getLogger("habanero")

MAX_RAN = 8
"""How many releases that ran here are told apart when code is asked whose it is."""
_SIGN_AGAIN = (
    ", and a start begins on the newest release that is signed by who may today\n"
    "  help: habanero-py show tells what it is; who may signs it again (habanero-py sign --head) or rolls back"
)


@dataclass(frozen=True, slots=True)
class Release:
    """A judged release: its place in the chain, and its statement (None for the base, which needs none)."""

    head: trust.Head
    statement: Statement | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A release with its code: what the manifest says and the images made from its blobs."""

    release: Release
    manifest: Manifest | None
    images: Mapping[str, ModuleImage | None]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who this process is in the fleet. `pids` names the world of process numbers that `pid` belongs to."""

    machine: str
    pid: int
    pids: str
    started: float
    region: str = ""

    @classmethod
    def of_this_process(cls, machine: str, region: str = "") -> Identity:
        """Name this process, on the machine of that name."""
        return cls(machine, os.getpid(), processes.world(), time.time(), region)


@dataclass(slots=True, eq=False)
class Node:
    """The state of one process. What may change is written only by the holder of `swap_lock`.

    `ledger` is what this machine knows of releases on `local`, its own disk; `withdrawn` is the verdict for which a
    tip is passed over, `accusation` one of this process's own; `verdict_at` is when to look for one again
    (monotonic); `known` are the last images that were verified here, which need not be read again; `given_up` is
    the digest of a release that this process cannot take; `base_source` gives a module's source as it was deployed,
    None where that is not held; `booted` is the release that this process started on, `starts` how many joined on
    this machine; `answered` is the last question of `inspection` that it answered; `tell` wakes the heart when
    there is something to tell; `after_swap` is called when `swap_lock` is free again, whatever came of the swap:
    the code may have changed; `keyring` tells when `policy` has to change; `doubt` is why the tip is not signed by
    enough keys that are trusted today, None when it is; `stuck_tasks` names the supervised loops that do not end.
    """

    identity: Identity
    policy: trust.TrustPolicy
    base: Base
    journal: Journal
    overlay: Overlay
    swapper: Swapper
    tip: trust.Head
    seen: Release
    known: Loaded | None
    running: Loaded | None
    ledger: StartLedger
    local: LocalState | None = None
    safepoint: Safepoint = field(default_factory=HereSafepoint)
    pace: pace.Pace = pace.LOCAL
    swap_lock: threading.Lock = field(default_factory=threading.Lock)
    since: float = 0.0
    failure: heartbeat.Failure | None = None
    withdrawn: Verdict | None = None
    accusation: Verdict | None = None
    verdict_at: float = 0.0
    given_up: str = ""
    base_source: Callable[[str], bytes | None] = lambda _: None
    answered: str = ""
    keyring: Keyring | None = None
    doubt: HabaneroError | None = None
    dirty: bool = False
    verify_source: bool = False
    """Whether every build is compared with what its source compiles to here."""
    booted: int = 0
    starts: int = 0
    tell: threading.Event = field(default_factory=threading.Event)
    after_swap: Callable[[], None] = lambda: None
    stuck_tasks: Callable[[], tuple[str, ...]] = tuple
    alarm: heartbeat.Failure | None = None
    """What the bucket no longer holds of what this process ran, while that is so."""
    sightings: Sightings = field(default_factory=Sightings)
    """The exceptions that ended requests, loops and threads here, until they were looked at."""
    ran: deque[Loaded] = field(default_factory=lambda: deque(maxlen=MAX_RAN))
    """The last releases that went live here and that probation has not taken note of, oldest first."""
    passed: list[Release] = field(default_factory=list)
    """The journal's releases since the one that runs, oldest first; those before it may be among them."""
    _refused_entry: tuple[int, str] | None = None

    def __post_init__(self) -> None:
        if self.running is not None:
            self.ran.append(self.running)

    @property
    def running_seq(self) -> int | None:
        """The number of the release that the modules hold; None while that is not known."""
        return None if self.running is None else self.running.release.head.seq

    @property
    def up_to_date(self) -> bool:
        """Whether the modules hold the newest release that this process has judged."""
        return self.running is not None and self.running.release.head.digest == self.seen.head.digest

    @property
    def passed_over(self) -> Verdict | None:
        """The verdict beside the tip for which this process is to run an older release."""
        found = self.withdrawn
        return found if found is not None and found.digest == self.tip.digest else None

    def news(self) -> bool:
        """Whether the journal holds an entry after the tip. Reads one key; changes nothing."""
        return self._entry_after_tip() is not None

    def obstacle(self) -> StoreError | None:
        """Why nothing can be recorded after the tip: the entry there, if there is one that cannot follow it."""
        data = self._entry_after_tip()
        if data is None:
            return None
        try:
            self._judged(data, self.tip, require_trusted_key=False)
        except HabaneroError as error:
            seq, key = self.tip.seq + 1, self.journal.entry_key(self.tip.seq + 1)
            return StoreError(
                "journal-entry",
                f"entry {seq} of the journal cannot follow release {self.tip.seq} ({error.code}: {error.message}), and "
                "entries are never overwritten: until it is moved away nothing can be pushed; nothing changed",
                subject=key,
                help=f"on the bucket, find out who wrote {key}, and move it away; the servers then go on by themselves",
            )
        return None

    @property
    def stopped(self) -> bool:
        """Whether the entry after the tip was refused when it was last read."""
        return self._refused_entry is not None and self._refused_entry[0] == self.tip.seq + 1

    def _entry_after_tip(self) -> bytes | None:
        """The entry; empty bytes, which nothing accepts, for one that is too large to be one."""
        try:
            return self.journal.entry(self.tip.seq + 1)
        except TooLargeError:
            return b""

    def tail(self) -> None:
        """Judge the journal's new entries; move `tip` along the chain and `seen` to its end. Caller holds swap_lock.

        An entry that does not continue the chain stops the walk before it. The last entry has to be signed by
        keys trusted today (those before it are covered by its hash), or else `seen` stays where it was. Either
        is logged once, and this process goes on with what it runs.
        """
        last = None
        while (data := self._entry_after_tip()) is not None:
            try:
                reached = self._judged(data, self.tip, require_trusted_key=False)
            except HabaneroError as error:
                self._alarm(self.tip.seq + 1, error)
                break
            last = (self.tip, data)
            self.tip = reached.head
            self.passed.append(reached)
        if last is not None:
            self._accept(*last)

    def look_at_keys(self) -> None:
        """Take over what the lists of trusted keys say now. Some calls of stat while they do not change."""
        if self.keyring is not None:
            found = self.keyring.look(self.policy)
            if found is not self.policy:
                self.policy = found

    def check_keys(self) -> None:
        """TrustError "keys-unreadable" while those lists cannot be read: then nothing is taken from anybody."""
        if self.keyring is not None:
            self.keyring.check()

    def reconsider(self) -> None:
        """Judge the tip again, after the keys changed. Caller holds swap_lock.

        Signed by enough keys of today, it becomes (or stays) `seen`, unless it was withdrawn. Otherwise this process
        goes on with what it runs, `doubt` says why, and a start would begin on what came before; signing the head
        again settles it.
        """
        seq, data = self.tip.seq, self.journal.entry(self.tip.seq)
        if data is None or Envelope.decode(data, self.policy.limits).digest != self.tip.digest:
            return  # nothing was pushed yet, or the bucket was turned back: neither is about keys
        previous = trust.Head.start(self.base.digest)
        if seq > 1:
            before = Envelope.decode(self.journal.entry(seq - 1) or b"", self.policy.limits)
            previous = trust.head_of(before, Statement.decode(before.payload, self.policy.limits))
        seen = self.seen
        self._accept(previous, data)
        if self.passed_over is not None:
            self.seen = seen

    def _accept(self, previous: trust.Head, data: bytes) -> None:
        try:
            self.seen = self._judged(data, previous, require_trusted_key=True)
        except HabaneroError as error:
            self.doubt = error
            self._alarm(previous.seq + 1, error, _SIGN_AGAIN)
        else:
            self.doubt = None

    def _judged(self, data: bytes, previous: trust.Head, *, require_trusted_key: bool) -> Release:
        statement = trust.judge_entry(
            data,
            self.policy,
            self.base.digest,
            previous,
            seq=previous.seq + 1,
            require_trusted_key=require_trusted_key,
            earlier=self.journal.entry,
        )
        return Release(trust.head_of(Envelope.decode(data, self.policy.limits), statement), statement)

    def _alarm(self, seq: int, error: HabaneroError, hint: str = "") -> None:
        if (seq, error.code) != self._refused_entry:
            self._refused_entry = (seq, error.code)
            _log.error("journal entry %d refused (%s): %s; this process goes on with release %s%s",
                       seq, error.code, error.message, self.running_seq, hint)  # fmt: skip

    def beat_now(self) -> heartbeat.Beat:
        """Make this worker's heartbeat as of now."""
        head = None if self.running is None else self.running.release.head
        me = self.identity
        return heartbeat.Beat(
            machine=me.machine,
            pid=me.pid,
            pids=me.pids,
            running=0 if head is None else head.seq,
            digest="" if head is None else head.digest,
            since=self.since,
            started=me.started,
            updated=time.time(),
            failed=self.failure or self._condemned() or self._stuck() or self.alarm,
            region=me.region,
            booted=self.booted,
            starts=self.starts,
        )

    def _condemned(self) -> heartbeat.Failure | None:
        found = self.passed_over
        if found is None:
            return None
        return heartbeat.Failure(self.tip.seq, "condemned", heartbeat.clip(f"withdrawn: {found.reason}"))

    def _stuck(self) -> heartbeat.Failure | None:
        """Supervised loops that do not end are a part of this process that does not run its release."""
        names = ", ".join(self.stuck_tasks())
        message = f"asked to end and going on with their old code: {names}"
        return heartbeat.Failure(self.running_seq or 0, "task-stuck", heartbeat.clip(message)) if names else None

    def beat(self) -> None:
        """Write this worker's heartbeat. A bucket that cannot take it is logged and not raised."""
        beat = self.beat_now()
        try:
            self.journal.put_host(beat.name, beat.encode())
        except HabaneroError as error:
            _log.warning("could not write the heartbeat: %s", error.message)

    def leave(self) -> None:
        """Take this worker's heartbeat away, and those that dead neighbours left."""
        gone = [self.beat_now().name]
        try:
            gone += [beat.name for beat in self._all_beats() if self._is_dead(beat)]
            for name in gone:
                self.journal.drop_host(name)
                self.journal.drop_answer(name)
                self.journal.drop_errors(name)
        except HabaneroError as error:
            _log.warning("could not remove the heartbeat: %s", error.message)

    def beats(self) -> list[heartbeat.Beat]:
        """Read the heartbeats of the workers that are alive. Our own is the current one, whatever the bucket has."""
        mine = self.beat_now()
        others = (beat for beat in self._all_beats() if beat.name != mine.name)
        silent_after_s = self.pace.silent_after_s
        alive = heartbeat.alive(others, now=mine.updated, silent_after_s=silent_after_s, dead=self._is_dead)
        return [mine, *alive]

    def _all_beats(self) -> list[heartbeat.Beat]:
        read = (heartbeat.decode(data) for data in self.journal.hosts().values())
        return [beat for beat in read if beat is not None]

    def _is_dead(self, beat: heartbeat.Beat) -> bool:
        return beat.pids == self.identity.pids and not processes.exists(beat.pid)


def now() -> datetime:
    """Give the time that releases are judged against."""
    return datetime.now(UTC)
