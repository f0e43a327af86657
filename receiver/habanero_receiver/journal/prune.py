"""Removes what nobody needs from a bucket: the code of old releases, and whole journals of code deployed long ago.

    this base      entries stay, all of them: the head is found by stepping from 1. Blobs that only releases below some
                   number name may go; `below` is never above the release before the one that runs.
    other bases    of the same target, without a young entry or heartbeat: the whole journal may go.
    blobs          that no entry which stays names, in any journal of the bucket, of any app.

What it does not: it decides nothing about who may ask (`trust` does), and never touches a journal of another target.

The rules it upholds: killed at any moment, what is left is valid. A journal goes from its newest entry to its oldest,
so that the rest is always a chain from 1. Manifests go before the blobs they name, so that a release is whole or gone.
No single list decides that: folders are listed twice, and a manifest that a list does not show is asked for.
A push under way may count on a blob that is about to go: new entries are looked for before and after each small batch,
and what they name is put back from memory; a push looks once more after it was recorded (`keep_again`).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.journal.bucket import MAX_LISTED_KEYS, TooLargeError
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.limits import DEFAULT_LIMITS
from habanero_receiver.release.manifest import Manifest
from habanero_receiver.release.statement import Statement

if TYPE_CHECKING:
    from habanero_receiver.journal.bucket import Bucket
    from habanero_receiver.journal.journal import Journal

BATCH = 16
_BLOBS = "v1/blobs/sha256"
_MAX_ENTRIES = 100_000
"""A journal with more entries than this stays: a listing might not show the newest ones."""
_HEX = re.compile(r"[0-9a-f]{64}")
_ENTRY = re.compile(r"([0-9]{8})\.json")


@dataclass(frozen=True, slots=True)
class Rules:
    """What has to stay: releases younger than `days`, the newest `keep` of them, and those from `running` - 1 on."""

    days: int
    keep: int
    running: int


@dataclass(frozen=True, slots=True)
class OtherBase:
    """A journal that can go whole. `newest` is when its last release was issued, None where it has none."""

    prefix: str
    entries: int
    newest: datetime | None


@dataclass(slots=True)
class Plan:
    """What a prune would remove. `releases` are the numbers whose code goes; `blobs` all digests, manifests first."""

    below: int
    releases: tuple[int, ...]
    bases: tuple[OtherBase, ...]
    blobs: tuple[str, ...]
    last: dict[str, int] = field(default_factory=dict)
    """The last entry of each journal that stays, by prefix: what comes after it came meanwhile."""


def find(journal: Journal, target: str, rules: Rules, now: datetime, *, below: int | None = None) -> Plan:
    """Look at the whole bucket. `below` asks for less than the rules allow.

    StoreError `store-corrupt` when an entry or a manifest that stays cannot be read: what it needs is not known then.
    """
    bucket, own = journal.bucket, journal.prefix
    statements = dict(_statements(bucket, own))
    allowed = _below(statements, rules, now)
    floor = allowed if below is None else min(below, allowed)
    bases, needed, last = [], set[str](), {own: max(statements, default=0)}
    stays = {own: {seq: statement for seq, statement in statements.items() if seq >= floor}}
    for prefix in _journals(bucket):
        if prefix == own:
            continue
        found = dict(_statements(bucket, prefix))
        if next(_keys(bucket, prefix), None) is None:
            continue  # a folder without a key
        if _can_go(bucket, prefix, found, target, own, now - timedelta(days=rules.days)):
            newest = max((statement.issued for statement in found.values()), default=None)
            bases.append(OtherBase(prefix, len(found), newest))
        else:
            stays[prefix], last[prefix] = found, max(found, default=0)
    stored = list(_stored(bucket))
    for statement in itertools.chain.from_iterable(kept.values() for kept in stays.values()):
        named = _named(journal, statement)
        if len(named) == 1 and not named.isdisjoint(stored) and not journal.has_blob(*named):
            raise _unreadable(f"blob {min(named)}")  # listed, and not given: what it names is not known
        needed |= named if len(named) > 1 else _named(journal, statement)
    going = {statement.manifest_digest.removeprefix("sha256:") for statement in statements.values()} - needed
    candidates = [sha256 for sha256 in stored if sha256 not in needed]
    listed = set(candidates)
    hidden = (sha256 for sha256 in sorted(going - listed) if listed - going and journal.has_blob(sha256))
    manifests = [*(sha256 for sha256 in candidates if sha256 in going), *hidden]
    gone = tuple(
        seq for seq, statement in sorted(statements.items())
        if seq < floor and statement.manifest_digest.removeprefix("sha256:") in set(manifests)
    )  # fmt: skip
    rest = [sha256 for sha256 in candidates if sha256 not in going]
    return Plan(floor, gone, tuple(bases), (*manifests, *rest), last)


def _below(statements: Mapping[int, Statement], rules: Rules, now: datetime) -> int:
    """The number from which on releases stay."""
    oldest = now - timedelta(days=rules.days)
    young = min((seq for seq, statement in statements.items() if statement.issued > oldest), default=rules.running)
    newest = max(statements, default=0) - rules.keep + 1
    return max(1, min(young, newest, rules.running - 1))


def _can_go(
    bucket: Bucket, prefix: str, found: Mapping[int, Statement], target: str, own: str, oldest: datetime
) -> bool:
    """Whether another base's journal is of our target, and neither was pushed to nor ran since `oldest`."""
    if prefix.rpartition("/")[0] != own.rpartition("/")[0] or len(found) >= _MAX_ENTRIES:
        return False
    if any(statement.target != target or statement.issued > oldest for statement in found.values()):
        return False
    return not any(beat > oldest.timestamp() for beat in _heartbeats(bucket, prefix))


def _heartbeats(bucket: Bucket, prefix: str) -> Iterator[float]:
    """When the workers of a base last said that they run; one that cannot be read counts as now."""
    for key in bucket.list(f"{prefix}/hosts"):
        try:
            yield float(json.loads(bucket.get(key, max_bytes=65_536) or b"{}")["updated"])
        except (TooLargeError, ValueError, KeyError, TypeError, RecursionError):
            yield float("inf")


def _journals(bucket: Bucket) -> Iterator[str]:
    """The prefix of every journal in the bucket. StoreError when there are more than a listing can show."""
    for app in _all_folders(bucket, "v1"):
        if app == "v1/blobs":
            continue
        for environment in _all_folders(bucket, app):
            yield from (base for base in _all_folders(bucket, environment) if _HEX.fullmatch(base.rpartition("/")[2]))


def _all_folders(bucket: Bucket, folder: str) -> list[str]:
    found = sorted({*bucket.folders(folder), *bucket.folders(folder)})  # one that misses a journal would cost its code
    if len(found) >= MAX_LISTED_KEYS:
        raise StoreError(
            "store", f"{folder} holds more folders than a listing shows; nothing was removed", subject=folder,
            help="give each app a bucket of its own",
        )  # fmt: skip
    return found


def _statements(bucket: Bucket, prefix: str) -> Iterator[tuple[int, Statement]]:
    """Every entry that a journal has, also behind a gap. StoreError for one that cannot be read."""
    keys = bucket.list(f"{prefix}/journal", max_keys=_MAX_ENTRIES)
    listed = {_ENTRY.fullmatch(key.rpartition("/")[2]) for key in keys}
    numbers = {int(match[1]) for match in listed if match is not None}
    for seq in itertools.chain(sorted(numbers), itertools.count(max(numbers, default=0) + 1)):
        data = _entry(bucket, prefix, seq)
        if data is not None:
            yield seq, _statement(data, f"{prefix}/journal/{seq:08d}.json")
        elif seq not in numbers:
            return


def _entry(bucket: Bucket, prefix: str, seq: int) -> bytes | None:
    key = f"{prefix}/journal/{seq:08d}.json"
    try:
        return bucket.get(key, max_bytes=DEFAULT_LIMITS.max_envelope_bytes)
    except TooLargeError as error:
        raise _unreadable(key) from error


def _statement(data: bytes, key: str) -> Statement:
    try:
        return Statement.decode(Envelope.decode(data).payload)
    except HabaneroError as error:
        raise _unreadable(key) from error


def _named(
    journal: Journal, statement: Statement, held: Mapping[str, bytes | None] = MappingProxyType({})
) -> set[str]:
    """The manifest of a release and all that it names; the manifest alone where it is not there."""
    sha256 = statement.manifest_digest.removeprefix("sha256:")
    data = held.get(sha256) or journal.get_blob(sha256, statement.manifest_size)
    if data is None:
        return {sha256}
    try:
        return {sha256, *Manifest.decode(data).blobs()}
    except HabaneroError as error:
        raise _unreadable(f"blob {sha256}") from error


def _unreadable(key: str) -> StoreError:
    return StoreError(
        "store-corrupt",
        f"{key} cannot be read, so what it needs is not known; nothing was removed",
        subject=key,
        help="habanero-py verify tells more; restore it, or remove it by hand",
    )


def _stored(bucket: Bucket) -> Iterator[str]:
    for folder in bucket.folders(_BLOBS):
        for key in bucket.list(folder):
            if _HEX.fullmatch(name := key.rpartition("/")[2]):
                yield name


def carry_out(journal: Journal, plan: Plan) -> int:
    """Remove what the plan says; how many blobs went. Can be done again after it was cut short."""
    bucket = journal.bucket
    for base in plan.bases:
        for key in _keys(bucket, base.prefix):
            bucket.remove(key)
    removed, needed = 0, set[str]()
    for at in range(0, len(plan.blobs), BATCH):
        needed |= _news(journal, plan, {})
        batch = [sha256 for sha256 in plan.blobs[at : at + BATCH] if sha256 not in needed]
        held = {sha256: bucket.get(_key(sha256), max_bytes=DEFAULT_LIMITS.max_blob_bytes) for sha256 in batch}
        for sha256 in batch:
            bucket.remove(_key(sha256))
        needed |= _news(journal, plan, held)
        journal.put_blobs(data for sha256, data in held.items() if data is not None and sha256 in needed)
        removed += sum(sha256 not in needed for sha256 in batch)
    return removed


def _news(journal: Journal, plan: Plan, held: Mapping[str, bytes | None]) -> set[str]:
    """What releases name that were recorded since, in any journal that stays. `held` are blobs that just went."""
    named = set[str]()
    for prefix, last in plan.last.items():
        seq = last + 1
        while (data := _entry(journal.bucket, prefix, seq)) is not None:
            named |= _named(journal, _statement(data, f"{prefix} #{seq}"), held)
            seq += 1
    return named


def _keys(bucket: Bucket, prefix: str) -> Iterator[str]:
    """All keys of a journal as they are to go: entries from the newest to the oldest, then everything else."""
    journal = f"{prefix}/journal"
    yield from reversed(bucket.list(journal, max_keys=_MAX_ENTRIES))
    waiting = [prefix]
    while waiting:
        folder = waiting.pop()
        yield from bucket.list(folder)
        waiting += [inner for inner in bucket.folders(folder) if inner != journal]


def keep_again(journal: Journal, blobs: Mapping[str, Callable[[], bytes]]) -> None:
    """Put back what a prune removed while the release that names it was being recorded. How to get each, by digest."""
    journal.put_blobs([read() for sha256, read in blobs.items() if not journal.has_blob(sha256)])


def _key(sha256: str) -> str:
    return f"{_BLOBS}/{sha256[:2]}/{sha256}"
