"""What a process starts on: the journal's newest release, else this machine's copy of it, else the deployed code.

    search     the bucket, for a bounded time: its head, and whether it still holds what this machine ran before
    judge      the head; the machine's own copy when the bucket is out of reach or was turned back
    pass over  a release that was found bad (on this machine, or by a verdict beside the head)
    load       from the local copy when it is of this very release, else from the bucket, which makes the copy

What it does not: it installs nothing, and decides nothing that `trust` decides.

The rules it upholds: what is chosen was verified in full, now, wherever it came from. Whatever stands in the way of the
newest release is given back as `trouble`, never passed over in silence. And a verdict from the bucket, which needs no
key, moves a machine from the head to what came before it and no further.
"""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import ConfigError, HabaneroError, StoreError
from habanero_receiver.journal import images, pack
from habanero_receiver.journal.candidate import Candidate, before, digest_of, judged
from habanero_receiver.journal.head import Found, find_head
from habanero_receiver.journal.patience import within
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from habanero_receiver.journal import verdict
    from habanero_receiver.journal.bucket import Bucket
    from habanero_receiver.journal.journal import Journal
    from habanero_receiver.journal.local import Floor, LocalState
    from habanero_receiver.release.manifest import BlobRef, Manifest
    from habanero_receiver.release.statement import Statement
    from habanero_receiver.swap.image import ModuleImage

WAIT_S = 5.0
LOAD_WAITS = 6
"""A release's blobs may take this many times longer than finding out which release it is."""
_log = logging.getLogger("habanero")


class Chosen(NamedTuple):
    """What to run, and what the newest release is when it is not that.

    `trouble` is why it is not the journal's last entry; `withdrawn` why the newest is passed over, if it is; `counts`
    is whether a start that fails may be held against what runs.
    """

    run: Candidate
    newest: Candidate
    manifest: Manifest | None = None
    images: Mapping[str, ModuleImage | None] = MappingProxyType({})
    trouble: HabaneroError | None = None
    withdrawn: verdict.Verdict | None = None
    counts: bool = True


class _Searched(NamedTuple):
    """What the bucket says; `said` are the verdicts beside the head, anyone's bytes."""

    found: Found
    at_floor: bytes | None
    said: Mapping[str, bytes]


class Place(NamedTuple):
    """What is chosen for: the base's digest and folder, whom to trust, the machine's own disk.

    `later` is the journal as the process uses it afterwards: for sources that the local copy turns out not to give.
    """

    base: str
    root: Path
    policy: trust.TrustPolicy
    local: LocalState
    later: Journal


class Chooser:
    """Chooses for one process. `bucket` and the `journal` in it are used here only, each time for a bounded time."""

    def __init__(self, bucket: Bucket, journal: Journal, place: Place, wait_s: float = WAIT_S) -> None:
        self._bucket, self._journal, self._place, self._wait_s = bucket, journal, place, wait_s
        self._local, self._policy = place.local, place.policy
        self._reachable = True
        self._packs: dict[str, pack.Pack | None] = {}

    def choose(self, condemned: Mapping[str, verdict.Verdict] = MappingProxyType({})) -> Chosen:
        """What to run. `condemned` are the releases that this machine found bad, by payload digest.

        ConfigError for a bucket that must not be used; anything else that goes wrong is in `trouble`.
        """
        newest, trouble, accused = self._newest()
        run, withdrawn = newest, condemned.get(newest.head.digest) or accused
        if withdrawn is not None:
            run = before(newest.statement, condemned, self._envelope, self._policy, self._place.base)
            trouble = trouble or _passed_over(newest, run, withdrawn)
        try:
            manifest, images = self._load(run)
        except ConfigError:
            raise
        except HabaneroError as error:
            return self._instead(newest, run, error, condemned)
        counts = withdrawn is None or self._accused(run)
        return Chosen(run, newest, manifest, images, trouble, withdrawn, counts)

    def _newest(self) -> tuple[Candidate, HabaneroError | None, verdict.Verdict | None]:
        """The newest release that can be had, why it is not the journal's last one, and the verdict beside it."""
        floor = self._local.floor()
        try:
            searched = within(self._wait_s, "the newest release", lambda: self._search(floor))
        except StoreError as error:
            self._reachable = error.code == "store-missing"
            return self._own_copy(floor) or self._deployed(), error, None
        found = searched.found
        newest = Candidate(found.head, found.statement, found.envelope)
        if floor is not None and digest_of(searched.at_floor) != floor.digest:
            return self._own_copy(floor) or newest, _turned_back(floor, found, self._local.folder), None
        if floor is not None and found.head.seq < floor.seq:  # what the bucket shows of it was refused; the copy may do
            own = self._own_copy(floor)
            if own is not None:
                return own, found.refused, None
        return newest, found.refused, _verdict(newest, searched.said)

    def _search(self, floor: Floor | None) -> _Searched:
        if not self._bucket.check():
            raise _no_bucket(floor)
        self._journal.check_format()
        found = find_head(
            self._journal, self._policy, self._place.base, budget_s=self._wait_s, hint=0 if floor is None else floor.seq
        )
        at_floor = found.envelope
        if floor is not None and floor.seq != found.head.seq:
            at_floor = self._journal.entry(floor.seq) or b""
        said = self._journal.verdicts(found.head.seq) if found.statement is not None else {}
        return _Searched(found, at_floor, said)

    def _own_copy(self, floor: Floor | None) -> Candidate | None:
        """The release that this machine ran last, from its own disk, judged as if it came from the bucket."""
        if floor is None:
            return None
        packed = self._packed(floor.digest)
        try:
            if packed is not None:
                return judged(packed.envelope, floor.seq, floor.digest, self._policy, self._place.base)
        except HabaneroError as error:
            _log.error("error[%s]: %s", error.code, error.message)
        return None

    def _accused(self, candidate: Candidate) -> bool:
        """Whether what is gone back to once failed somewhere as well: else its failing now says nothing about it."""
        if candidate.statement is None or not self._reachable:
            return False
        try:
            said = within(self._wait_s, "verdicts", lambda: self._journal.verdicts(candidate.head.seq))
        except StoreError:
            return False
        return _verdict(candidate, said) is not None

    def _envelope(self, seq: int, digest: str) -> bytes:
        packed = self._packed(digest)
        if packed is not None:
            return packed.envelope
        if not self._reachable:
            return b""
        try:
            return within(self._wait_s, f"entry {seq}", lambda: self._journal.entry(seq)) or b""
        except StoreError:
            return b""

    def _load(self, candidate: Candidate) -> tuple[Manifest | None, Mapping[str, ModuleImage | None]]:
        """All of the release's code, verified; from the local copy if it is there and whole."""
        statement = candidate.statement
        if statement is None:
            return None, {}
        packed = self._packed(candidate.head.digest)
        if packed is not None:
            try:
                return self._from_pack(candidate, statement, packed)
            except HabaneroError as error:
                self._drop(candidate.head.digest, error)
        if not self._reachable:
            raise StoreError("copy-missing", f"there is no local copy of release {statement.seq}")
        patience_s = self._wait_s * LOAD_WAITS
        data, manifest, code = within(
            patience_s, f"the code of release {statement.seq}", lambda: self._from_bucket(statement)
        )
        keep(self._local, candidate, data, manifest, {ref.sha256: blob for ref, blob in code.items()}, whole=False)
        return manifest, self._images(candidate, len(data), manifest, code)

    def _from_bucket(self, statement: Statement) -> tuple[bytes, Manifest, Mapping[BlobRef, bytes]]:
        data = images.stored_manifest(self._journal, statement)
        manifest = trust.judge_manifest(data, statement, self._policy)
        return data, manifest, images.stored_code(self._journal, manifest)

    def _images(
        self, candidate: Candidate, manifest_bytes: int, manifest: Manifest, code: Mapping[BlobRef, bytes | memoryview]
    ) -> Mapping[str, ModuleImage | None]:
        """All modules; units and sources are read when asked for, from the copy that is there then, or the journal."""
        path = self._local.pack_path(candidate.head.seq, candidate.head.digest)
        rest = pack.Rest(path, len(candidate.envelope), manifest_bytes, manifest)
        return images.images_to_start(manifest, self._place.root, code, images.reader(self._place.later, rest))

    def _packed(self, digest: str) -> pack.Pack | None:
        """The local copy of a release, read once; a damaged one is dropped and as if it were not there."""
        if digest not in self._packs:
            try:
                self._packs[digest] = self._local.pack(digest)
            except StoreError as error:
                self._drop(digest, error)
        return self._packs[digest]

    def _drop(self, digest: str, error: HabaneroError) -> None:
        _log.error("error[copy-corrupt]: a local copy was dropped: %s", error.message)
        self._packs[digest] = None
        self._local.drop_pack(digest)

    def _from_pack(
        self, candidate: Candidate, statement: Statement, packed: pack.Pack
    ) -> tuple[Manifest, Mapping[str, ModuleImage | None]]:
        manifest = trust.judge_manifest(packed.manifest, statement, self._policy)
        return manifest, self._images(candidate, len(packed.manifest), manifest, packed.open(manifest))

    def _instead(
        self, newest: Candidate, failed: Candidate, error: HabaneroError, condemned: Mapping[str, verdict.Verdict]
    ) -> Chosen:
        """When a release cannot be loaded: the machine's own copy of the one before, else the deployed code."""
        floor = self._local.floor()
        own = self._own_copy(floor) if floor is None or floor.digest not in condemned else None
        if own is not None and own.head.digest != failed.head.digest:
            packed = self._packed(own.head.digest)
            try:
                if packed is not None and own.statement is not None:
                    return Chosen(own, newest, *self._from_pack(own, own.statement, packed), trouble=error)
            except HabaneroError as second:
                _log.error("error[%s]: %s", second.code, second.message)
        return Chosen(self._deployed(), newest, trouble=error)

    def _deployed(self) -> Candidate:
        return Candidate(trust.Head.start(self._place.base))


def _verdict(candidate: Candidate, said: Mapping[str, bytes]) -> verdict.Verdict | None:
    """The verdict that counts for a release, if one of those beside it does."""
    if not said:
        return None
    from habanero_receiver.journal import verdict  # few releases have one

    return verdict.beside(candidate.statement, candidate.head.digest, said.values())


def keep(
    local: LocalState, candidate: Candidate, manifest_bytes: bytes, manifest: Manifest,
    blobs: Mapping[str, bytes | memoryview], *, whole: bool,
) -> None:  # fmt: skip
    """Have the local copy of a release that runs. A disk that does not take it is logged and no more."""
    head = candidate.head
    try:
        local.keep(head.seq, head.digest, candidate.envelope, manifest_bytes, manifest, blobs, whole=whole)
    except (OSError, HabaneroError) as error:
        _log.warning("release %d is not kept on this machine's disk: %s", head.seq, error)


def _no_bucket(floor: Floor | None) -> StoreError:
    if floor is not None:
        return StoreError("store", f"the bucket that held release {floor.seq}, which ran here, is not there")
    return StoreError(
        "store-missing",
        "there is no bucket yet",
        help="as it should be before the first push, which makes it; later it means that a volume is not mounted",
    )


def _turned_back(floor: Floor, found: Found, folder: Path) -> StoreError:
    return StoreError(
        "journal-turned-back",
        f"the bucket no longer holds release {floor.seq} as this machine ran it; its journal ends with {found.last}",
        subject=str(floor.seq),
        help=f"restore the bucket; only if the journal was begun anew on purpose: rm {folder / 'floor.json'}",
    )


def _passed_over(newest: Candidate, run: Candidate, withdrawn: verdict.Verdict) -> StoreError:
    instead = f"release {run.head.seq}" if run.head.seq else "the code as it was deployed"
    return StoreError(
        "condemned",
        f"release {newest.head.seq} was withdrawn ({withdrawn.reason}); {instead} runs in its place",
        subject=str(newest.head.seq),
        help="push a later release; or, if it was not the release's fault, habanero-py clear",
    )
