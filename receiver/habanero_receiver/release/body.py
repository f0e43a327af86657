"""One push as a stream of bytes, taken apart without I/O and without trusting a length before it is signed.

    8   magic "HABPUSH1"
    4   length of the envelope, big endian
    .   envelope
    .   manifest, as long as the signed statement says
    4   number of blobs, big endian
    .   blobs: 32 bytes of sha256, then as many bytes as the manifest says

    state       next part            then
    ----------  -------------------  -------------------------------------------------
    HEAD        magic and length     ENVELOPE
    ENVELOPE    EnvelopePart         JUDGE_ENVELOPE
    JUDGE_ENVELOPE  (the caller judges it, then calls expect_manifest)  MANIFEST
    MANIFEST    ManifestPart         JUDGE_MANIFEST
    JUDGE_MANIFEST  (the caller judges it, then calls expect_blobs)     COUNT
    COUNT       number of blobs      DIGEST, or DONE after the last
    DIGEST      digest of a blob     BLOB
    BLOB        BlobPart             DIGEST, or DONE after the last
    DONE        nothing              any further byte is an error

It judges no signature and keeps no part that it gave out. The rule it upholds: it takes no more bytes for a part than
was bounded or signed before that part began, and gives out no blob whose digest it did not compute.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from habanero_receiver.errors import RequestError

from .limits import DEFAULT_LIMITS, Limits

MEDIA_TYPE = "application/vnd.habanero.push"
MAGIC = b"HABPUSH1"
_HEAD = struct.Struct(">8sI")
_COUNT = struct.Struct(">I")
_DIGEST_BYTES = 32


def encode(envelope: bytes, manifest: bytes, blobs: Mapping[str, bytes]) -> bytes:
    """A whole body; `blobs` are those that the server lacks, by the hex of their sha256."""
    parts = [_HEAD.pack(MAGIC, len(envelope)), envelope, manifest, _COUNT.pack(len(blobs))]
    for sha256 in sorted(blobs):
        parts += (bytes.fromhex(sha256), blobs[sha256])
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class EnvelopePart:
    """The envelope's bytes. Judge them, then call `expect_manifest` with the signed size."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ManifestPart:
    """The manifest's bytes, unverified. Judge them, then call `expect_blobs`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class BlobPart:
    """A blob that the manifest names, with its digest verified."""

    sha256: str
    data: bytes


Part: TypeAlias = EnvelopePart | ManifestPart | BlobPart


class State(Enum):
    """Where in the body a parser is; the table is in the module's docstring."""

    HEAD = auto()
    ENVELOPE = auto()
    JUDGE_ENVELOPE = auto()
    MANIFEST = auto()
    JUDGE_MANIFEST = auto()
    COUNT = auto()
    DIGEST = auto()
    BLOB = auto()
    DONE = auto()


class PushParser:
    """Bytes in by `feed`, parts out by `next_part`, `close` at the end of the body.

    An error leaves the parser useless; nothing after it means anything.
    """

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._state = State.HEAD
        self._wanted = _HEAD.size
        self._buffer = bytearray()
        self._sizes: Mapping[str, int] = {}
        self._missing: set[str] = set()
        self._received: set[str] = set()
        self._left = 0
        self._sha256 = ""

    @property
    def state(self) -> State:
        """Where in the body the parser is."""
        return self._state

    @property
    def need(self) -> int:
        """How many more bytes the next step takes; 0 while the caller judges, and when the body is complete."""
        return max(0, self._wanted - len(self._buffer))

    def feed(self, data: bytes) -> None:
        """Takes the next bytes of the body. RequestError "truncated" for bytes after its end."""
        self._buffer += data
        self._check_end()

    def next_part(self) -> Part | None:
        """The next part, or None: more bytes are needed, the caller is to judge, or the body is complete.

        RequestError: magic, envelope-size, unexpected-blob, blob-digest, blob-missing, truncated.
        """
        while self._state in _STEPS and not self.need:
            data = bytes(self._buffer[: self._wanted])
            del self._buffer[: self._wanted]
            part = _STEPS[self._state](self, data)
            self._check_end()
            if part is not None:
                return part
        return None

    def expect_manifest(self, size: int) -> None:
        """The envelope was judged; its statement says that the manifest has `size` bytes."""
        self._move(State.JUDGE_ENVELOPE, State.MANIFEST, size)

    def expect_blobs(self, sizes: Mapping[str, int], held: Collection[str] = ()) -> None:
        """The manifest was judged; it names these blobs (hex sha256 -> size), of which `held` need not be sent."""
        self._move(State.JUDGE_MANIFEST, State.COUNT, _COUNT.size)
        self._sizes = sizes
        self._missing = set(sizes).difference(held)

    def close(self) -> None:
        """The body is at its end; RequestError "truncated" if it should not be."""
        if self._state is not State.DONE:
            raise RequestError("truncated", f"the body ends too early, in its part {self._state.name.lower()}")

    def _move(self, before: State, after: State, wanted: int) -> None:
        if self._state is not before:
            raise RuntimeError(f"the parser is in {self._state.name}, not in {before.name}")
        self._state, self._wanted = after, wanted

    def _check_end(self) -> None:
        if self._state is State.DONE and self._buffer:
            raise RequestError("truncated", "bytes follow the end of the body")

    def _head(self, data: bytes) -> None:
        magic, size = _HEAD.unpack(data)
        if magic != MAGIC:
            raise RequestError("magic", "the body does not begin as a push does", help=f"it begins with {MAGIC!r}")
        if not 0 < size <= self._limits.max_envelope_bytes:
            raise RequestError(
                "envelope-size",
                f"an envelope of {size} bytes; 1 to {self._limits.max_envelope_bytes} are accepted",
            )
        self._move(State.HEAD, State.ENVELOPE, size)

    def _envelope(self, data: bytes) -> Part:
        self._move(State.ENVELOPE, State.JUDGE_ENVELOPE, 0)
        return EnvelopePart(data)

    def _manifest(self, data: bytes) -> Part:
        self._move(State.MANIFEST, State.JUDGE_MANIFEST, 0)
        return ManifestPart(data)

    def _count(self, data: bytes) -> None:
        (self._left,) = _COUNT.unpack(data)
        if self._left > len(self._sizes):
            raise RequestError(
                "unexpected-blob", f"the body holds {self._left} blobs; the manifest names {len(self._sizes)}"
            )
        self._next_blob(State.COUNT)

    def _digest(self, data: bytes) -> None:
        self._sha256 = data.hex()
        if self._sha256 not in self._sizes:
            raise RequestError(
                "unexpected-blob", f"the manifest does not name blob {self._sha256}", subject=self._sha256
            )
        if self._sha256 in self._received:
            raise RequestError("unexpected-blob", f"blob {self._sha256} is sent twice", subject=self._sha256)
        self._received.add(self._sha256)
        self._move(State.DIGEST, State.BLOB, self._sizes[self._sha256])

    def _blob(self, data: bytes) -> Part:
        if hashlib.sha256(data).hexdigest() != self._sha256:
            raise RequestError("blob-digest", f"blob {self._sha256} has other bytes", subject=self._sha256)
        self._left -= 1
        self._missing.discard(self._sha256)
        self._next_blob(State.BLOB)
        return BlobPart(self._sha256, data)

    def _next_blob(self, before: State) -> None:
        if self._left:
            self._move(before, State.DIGEST, _DIGEST_BYTES)
            return
        if self._missing:
            raise RequestError(
                "blob-missing",
                f"{len(self._missing)} blobs were neither sent nor are held here; first {min(self._missing)}",
                subject=min(self._missing),
                help="send every blob that the server does not have",
                details={"missing": sorted(self._missing)},
            )
        self._move(before, State.DONE, 0)


_STEPS: dict[State, Callable[[PushParser, bytes], Part | None]] = {
    State.HEAD: PushParser._head,
    State.ENVELOPE: PushParser._envelope,
    State.MANIFEST: PushParser._manifest,
    State.COUNT: PushParser._count,
    State.DIGEST: PushParser._digest,
    State.BLOB: PushParser._blob,
}
