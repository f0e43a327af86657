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
from habanero_receiver.release import strictjson
from habanero_receiver.release.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from habanero_receiver.journal.bucket import Bucket
    from habanero_receiver.release.limits import Limits

FORMAT_VERSION = 1
MAX_NOTE_BYTES = 16_384
"""The size of a heartbeat, a verdict or the format."""
MAX_ERRORS_BYTES = 65_536
"""The size of what a worker says of its errors."""
MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""The size of what a worker says that it runs, module by module."""
_FORMAT = json.dumps({"create_only": "verified", "version": FORMAT_VERSION}).encode()
_PROBE = b'{"create_only": "ignored"}'
_HEX = re.compile(r"[0-9a-f]{64}")
_ENTRY = re.compile(r"[0-9]{8}\.json")
_MAX_SEQ = 99_999_999
_MAX_LISTED = 100_000


class Journal:
    """The keys of one app, environment and base in a bucket. Every method raises StoreError when the bucket fails."""

    def __init__(
        self, bucket: Bucket, app: str, environment: str, base_digest: str, *, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        """`base_digest` is a fingerprint, "sha256:" and hex. Touches nothing yet."""
        self._bucket = bucket
        self._limits = limits
        self._prefix = f"v1/{app}/{environment}/{_hex(base_digest.removeprefix('sha256:'))}"
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
        return sorted(int(name[:8]) for name in names if _ENTRY.fullmatch(name))

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

    def put_host(self, name: str, data: bytes) -> None:
        """Set a worker's heartbeat."""
        self._bucket.replace(f"{self._prefix}/hosts/{name}.json", data)

    def drop_host(self, name: str) -> None:
        """Remove the heartbeat of a worker that is gone."""
        self._bucket.remove(f"{self._prefix}/hosts/{name}.json")

    def hosts(self) -> dict[str, bytes]:
        """All heartbeats by name. One that is too large, or gone since the listing, is left out."""
        return self._notes(f"{self._prefix}/hosts")

    def put_verdict(self, seq: int, name: str, data: bytes) -> bool:
        """Create a verdict on release `seq`, and have it found; False when that name has said another thing already.

        The key that is looked at comes first, and is replaced: whoever was killed in between does both again, and
        nothing that was left there can keep a verdict from being found.
        """
        self._bucket.replace(f"{self._verdicts_key(seq)}.json", data)
        return self._bucket.create(f"{self._verdicts_key(seq)}/{name}.json", data)

    def newest_verdict(self, seq: int) -> bytes | None:
        """The verdict on release `seq` that was said last, or None: one read, for those who look again and again."""
        return self._note(f"{self._verdicts_key(seq)}.json", MAX_NOTE_BYTES)

    def verdicts(self, seq: int) -> dict[str, bytes]:
        """All verdicts on release `seq` by name."""
        return self._notes(self._verdicts_key(seq))

    def put_confirmed(self, seq: int, data: bytes) -> None:
        """Note who ran release `seq` when its push was answered."""
        self._bucket.replace(f"{self._prefix}/confirmed/{seq:08d}.json", data)

    def notes(self, numbers: Iterable[int]) -> dict[int, tuple[bytes | None, bytes | None]]:
        """For each of many releases that note and the newest verdict, read side by side; None where there is none."""
        keys = {seq: (f"{self._prefix}/confirmed/{seq:08d}.json", f"{self._verdicts_key(seq)}.json") for seq in numbers}
        found = self._bucket.get_all({key: MAX_NOTE_BYTES for pair in keys.values() for key in pair})
        return {seq: (found.get(confirmed), found.get(said)) for seq, (confirmed, said) in keys.items()}

    def confirmed(self, seq: int) -> bytes | None:
        """That note, or None."""
        return self._note(f"{self._prefix}/confirmed/{seq:08d}.json", MAX_NOTE_BYTES)

    def put_deployed(self, data: bytes) -> None:
        """Say what is deployed here, for who pushes through the bucket (`deployed` beside this file)."""
        self._bucket.replace(f"{self._prefix}/deployed.json", data)

    def deployed(self, max_bytes: int) -> bytes | None:
        """What was said of it, or None."""
        return self._note(f"{self._prefix}/deployed.json", max_bytes)

    def ask(self, question: bytes) -> None:
        """Set the question that every worker answers."""
        self._bucket.replace(f"{self._prefix}/question.json", question)

    def question(self) -> bytes | None:
        """The newest question, or None."""
        return self._note(f"{self._prefix}/question.json", MAX_NOTE_BYTES)

    def put_answer(self, name: str, data: bytes) -> None:
        """Set a worker's answer."""
        self._bucket.replace(f"{self._prefix}/answers/{name}.json", data)

    def drop_answer(self, name: str) -> None:
        """Remove the answer of a worker that is gone."""
        self._bucket.remove(f"{self._prefix}/answers/{name}.json")

    def answer(self, name: str) -> bytes | None:
        """A worker's newest answer, or None."""
        return self._note(f"{self._prefix}/answers/{name}.json", MAX_ANSWER_BYTES)

    def put_errors(self, name: str, data: bytes) -> None:
        """Set what a worker says of the errors that it saw."""
        self._bucket.replace(f"{self._prefix}/errors/{name}.json", data)

    def drop_errors(self, name: str) -> None:
        """Remove the errors of a worker that is gone."""
        self._bucket.remove(f"{self._prefix}/errors/{name}.json")

    def errors(self) -> dict[str, bytes]:
        """What all workers say of their errors, by name. What is too large, or gone since the listing, is left out."""
        return self._notes(f"{self._prefix}/errors", MAX_ERRORS_BYTES)

    def put_pruning(self, data: bytes) -> None:
        """Keep the signed request to prune, durably."""
        self._bucket.create(f"{self._prefix}/prunings/{hashlib.sha256(data).hexdigest()}.json", data)

    def prunings(self) -> dict[str, bytes]:
        """The signed requests to prune by digest. Anyone's bytes until their signatures were verified."""
        return self._notes(f"{self._prefix}/prunings")

    def _note(self, key: str, max_bytes: int) -> bytes | None:
        """One informative object; None for one that is too large to be ours."""
        try:
            return self._bucket.get(key, max_bytes=max_bytes)
        except TooLargeError:
            return None

    def _notes(self, folder: str, max_bytes: int = MAX_NOTE_BYTES) -> dict[str, bytes]:
        keys = [key for key in self._bucket.list(folder) if key.endswith(".json")]
        found = self._bucket.get_all(dict.fromkeys(keys, max_bytes))
        return {key.rpartition("/")[2].removesuffix(".json"): data for key, data in found.items()}

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

    def _verdicts_key(self, seq: int) -> str:
        return f"{self._prefix}/verdicts/{seq:08d}"


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
