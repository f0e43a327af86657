"""The journal: an app's releases over one base, entry by entry, and the blobs that they name.

    v1/blobs/sha256/ab/<hex>                                    code, source, manifests
    v1/<app>/<environment>/<base>/format.json                   the version, and that creates were seen to be exclusive
    v1/<app>/<environment>/<base>/journal/00000017.json         the envelope of release 17, byte for byte
    v1/<app>/<environment>/<base>/verdicts/00000017/<name>.json     release 17 was found bad: words, and no key behind
    v1/<app>/<environment>/<base>/verdicts/00000017.json        the newest of those, for whom a listing costs too much
    v1/<app>/<environment>/<base>/hosts/<name>.json             heartbeats: trusted for nothing
    v1/<app>/<environment>/<base>/confirmed/00000017.json       who ran release 17 when its push was answered: likewise
    v1/<app>/<environment>/<base>/deployed.json                 what one without endpoints says of itself: likewise
    v1/<app>/<environment>/<base>/question.json                 asks every worker what it runs, see `fleet.inspection`
    v1/<app>/<environment>/<base>/answers/<name>.json           what each said: likewise
    v1/<app>/<environment>/<base>/errors/<name>.json            exceptions out of released code: likewise
    v1/<app>/<environment>/<base>/prunings/<sha256>.json        signed: who had blobs of old releases removed

What it does: turns numbers and digests into keys, creates entries and blobs, reads them by number and by digest (the
head is found by stepping from one number to the next, never by a listing). What it does not: it decides nothing about
signatures; `trust` does, and `head` beside this file brings the two together.

The rule it upholds: an entry is created once, in order, and never changed; and a blob is what its name says, or it is
not given out.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from habanero_receiver.errors import RequestError, StoreError
from habanero_receiver.journal.bucket import TooLargeError
from habanero_receiver.journal.notes import MAX_NOTE_BYTES, Notes
from habanero_receiver.release import strictjson
from habanero_receiver.release.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from habanero_receiver.journal.bucket import Bucket
    from habanero_receiver.release.limits import Limits

FORMAT_VERSION = 1
_FORMAT = json.dumps({"create_only": "verified", "version": FORMAT_VERSION}).encode()
_PROBE = b'{"create_only": "ignored"}'
_HEX = re.compile(r"[0-9a-f]{64}")
_ENTRY = r"[0-9]{8}\.json"
_MAX_SEQ = 99_999_999
_MAX_LISTED = 100_000


class Journal(Notes):
    """The keys of one app, environment and base in a bucket. Every method raises StoreError when the bucket fails."""

    def __init__(
        self, bucket: Bucket, app: str, environment: str, base_digest: str, *, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        """`base_digest` is a fingerprint, "sha256:" and hex. Touches nothing yet."""
        super().__init__(bucket, f"v1/{app}/{environment}/{_hex(base_digest.removeprefix('sha256:'))}")
        self._limits = limits
        self._formatted = False

    @property
    def remote(self) -> bool:
        """Whether each read and each write is a request over a network."""
        return self._bucket.remote

    @property
    def bucket(self) -> Bucket:
        """The store itself, for who looks at more than one journal of it."""
        return self._bucket

    @property
    def prefix(self) -> str:
        """What the keys of this journal begin with."""
        return self._prefix

    def entry(self, seq: int) -> bytes | None:
        """The envelope of release `seq`, or None. Its bytes are anyone's until `trust` has judged them."""
        if not 1 <= seq <= _MAX_SEQ:
            return None
        return self._bucket.get(self.entry_key(seq), max_bytes=self._limits.max_envelope_bytes)

    def entries(self, first: int, last: int) -> dict[int, bytes]:
        """Those of the entries `first` to `last` that there are, by number; read side by side."""
        keys = {self.entry_key(seq): seq for seq in range(max(1, first), min(last, _MAX_SEQ) + 1)}
        found = self._bucket.get_all(dict.fromkeys(keys, self._limits.max_envelope_bytes))
        return {keys[key]: data for key, data in found.items()}

    def append(self, seq: int, envelope: bytes) -> bool:
        """Make `envelope` release `seq`: the point of no return.

        True: it is, durably (also when it was already). False: another release has this number. StoreError
        `journal-gap` when the one before does not exist, `store-not-exclusive` for a store that lets two writers win.
        """
        self._format()
        if seq > 1 and self.entry(seq - 1) is None:
            raise StoreError(
                "journal-gap",
                f"release {seq} cannot be recorded: the journal has no release {seq - 1}",
                subject=str(seq),
                help="the bucket lost entries; restore it, or restart the servers to begin from what it holds",
            )
        if not 1 <= seq <= _MAX_SEQ:
            raise StoreError("journal-gap", f"{seq} is not the number of a release", subject=str(seq))
        return self._bucket.create(self.entry_key(seq), envelope)

    def numbers(self) -> list[int]:
        """The numbers of the entries that a listing shows, in order: for telling gaps, never for finding the head."""
        names = (key.rpartition("/")[2] for key in self._bucket.list(f"{self._prefix}/journal", max_keys=_MAX_LISTED))
        return sorted(int(name[:8]) for name in names if re.fullmatch(_ENTRY, name))

    def check_format(self) -> None:
        """Look whether this journal is one that can be used here.

        StoreError `store-format` when it was written by a version that means something else by it,
        `store-not-exclusive` when its store was seen to let a second writer win.
        """
        data = self._bucket.get(f"{self._prefix}/format.json", max_bytes=MAX_NOTE_BYTES)
        if data is None:
            return
        if data == _PROBE:
            raise self._not_exclusive()
        try:
            said = strictjson.loads(data, max_depth=self._limits.max_json_depth)
        except RequestError:
            said = None
        version = said.get("version") if isinstance(said, dict) else None
        if version != FORMAT_VERSION or isinstance(version, bool):
            raise StoreError(
                "store-format",
                f"the journal's format.json names version {version!r}; this receiver knows {FORMAT_VERSION}",
                subject=f"{self._prefix}/format.json",
                help="install the version of habanero-py that wrote it",
            )

    def has_blob(self, sha256: str) -> bool:
        """Whether the bucket has a blob of that name. Its bytes are checked when it is read."""
        try:
            return self._bucket.get(_blob_key(sha256), max_bytes=0) is not None
        except TooLargeError:
            return True

    def get_blob(self, sha256: str, max_bytes: int) -> bytes | None:
        """The blob, or None without one. StoreError `store-corrupt` when it is not what its name says, or larger."""
        try:
            data = self._bucket.get(_blob_key(sha256), max_bytes=max_bytes)
        except TooLargeError as error:
            raise _corrupt(sha256) from error
        if data is not None and hashlib.sha256(data).hexdigest() != sha256:
            raise _corrupt(sha256)
        return data

    def get_blobs(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        """Those of many blobs that there are, and that are no larger than `sizes` says; read side by side.

        StoreError `store-corrupt` when one is not what its name says.
        """
        found = self._bucket.get_all({_blob_key(sha256): size for sha256, size in sizes.items()})
        blobs = {key.rpartition("/")[2]: data for key, data in found.items()}
        for sha256, data in blobs.items():
            if hashlib.sha256(data).hexdigest() != sha256:
                raise _corrupt(sha256)
        return blobs

    def put_blob(self, data: bytes) -> str:
        """Keep bytes durably under their digest, and give that. Errors as `put_blobs`."""
        return self.put_blobs([data])[0]

    def put_blobs(self, blobs: Iterable[bytes]) -> list[str]:
        """Keep many durably, each under its digest; gives those. StoreError `store-corrupt` where others are there."""
        named = [(hashlib.sha256(data).hexdigest(), data) for data in blobs]
        taken = self._bucket.create_all({_blob_key(sha256): data for sha256, data in named})
        if taken:
            raise _corrupt(taken[0].rpartition("/")[2])
        return [sha256 for sha256, _ in named]

    def _format(self) -> None:
        """Write format.json once, and see on it that the second of two creates loses."""
        if self._formatted:
            return
        self.check_format()
        key = f"{self._prefix}/format.json"
        if not self._bucket.create(key, _FORMAT):
            self.check_format()  # another version wrote it in between, or the very same one with other words
        if self._bucket.create(key, _PROBE):
            raise self._not_exclusive()
        self._formatted = True

    def _not_exclusive(self) -> StoreError:
        return StoreError(
            "store-not-exclusive",
            "the bucket let a second writer replace what the first had created; nothing was recorded",
            subject=f"{self._prefix}/format.json",
            help="use a store that enforces create-only writes; docs/buckets.md names some",
        )

    def entry_key(self, seq: int) -> str:
        """Where the envelope of release `seq` is kept, as an operator finds it in the bucket."""
        return f"{self._prefix}/journal/{seq:08d}.json"


def _blob_key(sha256: str) -> str:
    return f"v1/blobs/sha256/{_hex(sha256)[:2]}/{sha256}"


def _hex(sha256: str) -> str:
    if not _HEX.fullmatch(sha256):
        raise StoreError("store-key", f"{sha256!r} is not a sha256 in hex", subject=sha256)
    return sha256


def _corrupt(sha256: str) -> StoreError:
    return StoreError(
        "store-corrupt",
        f"blob {sha256[:12]}… in the bucket is not what its name says; it was not used",
        subject=sha256,
        help=f"delete {_blob_key(sha256)} from the bucket and push again",
    )
