"""A release in one file: what a machine keeps of it on its own disk, to start from.

    HABPACK2 | four sizes | envelope | manifest | code of every module | units and source of every module

What it does: writes the file whole or not at all; reads all that a start needs in one go, and units and sources one by
one, when somebody asks. There is no index: what lies where follows from the sizes in the signed manifest. A pack may
end after the code: what a start found in the bucket is kept at once, the rest when there is time. What it does not: it
judges nothing; whoever reads hands envelope and manifest to `trust`, as if they had come from the bucket.

The rule it upholds: no byte comes out of a pack as code, units or source whose digest is not the signed manifest's. A
pack is a copy and trusted for nothing: any fault in it is as if it were not there.
"""

from __future__ import annotations

import contextlib
import os
import struct
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.release.limits import DEFAULT_LIMITS
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from io import BufferedReader
    from pathlib import Path

    from habanero_receiver.release.limits import Limits
    from habanero_receiver.release.manifest import BlobRef, Manifest

_MAGIC = b"HABPACK2"
_HEAD = struct.Struct(">8sIIQQ")
_LARGE_BYTES = 4 * 1024 * 1024


class Pack(NamedTuple):
    """A pack as it was read: envelope and manifest are anyone's bytes until they are judged."""

    path: Path
    envelope: bytes
    manifest: bytes
    codes: memoryview

    def open(self, manifest: Manifest) -> Mapping[BlobRef, memoryview]:
        """The code of every module, by the manifest that was judged.

        StoreError `copy-corrupt` when one is not what the manifest names.
        """
        found: dict[BlobRef, memoryview] = {}
        for ref, start in _layout(_codes(manifest)).items():
            found[ref] = self.codes[start : start + ref.size]
            _check(self.path, found[ref], ref)
        return found


class Rest:
    """The units and sources in the pack of a release, read one by one from wherever it lies when somebody asks."""

    def __init__(self, path: Path, envelope_bytes: int, manifest_bytes: int, manifest: Manifest) -> None:
        self._path, self._manifest = path, manifest
        self._before = _HEAD.size + envelope_bytes + manifest_bytes
        self._places: Mapping[BlobRef, int] | None = None

    def read(self, ref: BlobRef) -> bytes:
        """Give one of them; StoreError `copy-corrupt` when it cannot be had, or is not what the manifest names."""
        places = self._places
        if places is None:
            at = self._before + sum(ref.size for ref in _layout(_codes(self._manifest)))
            places = self._places = _layout(_rest(self._manifest), at)
        try:
            with self._path.open("rb") as file:
                file.seek(places[ref])
                data = file.read(ref.size)
        except OSError as error:
            raise _corrupt(self._path, error.strerror or str(error)) from error
        _check(self._path, data, ref)
        return data


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> Pack:
    """Read what a start needs of a pack. StoreError `copy-corrupt` when it is not there, cut short or too large."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            if len(head) != _HEAD.size or not head.startswith(_MAGIC):
                raise _corrupt(path, "it is not a pack")
            _, envelope, manifest, code, rest = _HEAD.unpack(head)
            if envelope > limits.max_envelope_bytes or manifest > limits.max_manifest_bytes:
                raise _corrupt(path, "a part of it is larger than may be")
            if code + rest > limits.max_total_bytes:
                raise _corrupt(path, "a part of it is larger than may be")
            body = _read(file, envelope + manifest + code)
    except OSError as error:
        raise _corrupt(path, error.strerror or str(error)) from error
    if len(body) != envelope + manifest + code:
        raise _corrupt(path, "it is cut short")
    after = envelope + manifest
    return Pack(path, bytes(body[:envelope]), bytes(body[envelope:after]), body[after:])


def _read(file: BufferedReader, size: int) -> memoryview:
    """So many bytes of a file, or what there is. Much of it goes into large pages, where the system has such.

    To get and fill thousands of small ones takes longer than to copy what is in them.
    """
    if size < _LARGE_BYTES:
        return memoryview(file.read(size))
    import mmap

    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # a kernel without them
            memory.madvise(mmap.MADV_HUGEPAGE)
    view = memoryview(memory)
    return view[: file.readinto(view)]


def is_whole(path: Path) -> bool:
    """Whether there is a pack there that holds units and sources as well, by what it says itself."""
    try:
        with path.open("rb") as file:
            magic, _, _, code, rest = _HEAD.unpack(file.read(_HEAD.size))
    except (OSError, struct.error):
        return False
    return bool(magic == _MAGIC and (rest > 0 or code == 0))


def write(
    path: Path, envelope: bytes, manifest_bytes: bytes, manifest: Manifest,
    blobs: Mapping[str, bytes | memoryview], *, whole: bool,
) -> None:  # fmt: skip
    """Write a pack beside its final name, then move it there. `blobs` by digest; only the code unless `whole`.

    OSError as the disk gives it. Not made durable: a pack that a power cut tore is found out when it is read.
    """
    codes = [blobs[ref.sha256] for ref in _layout(_codes(manifest))]
    rest = [blobs[ref.sha256] for ref in _layout(_rest(manifest))] if whole else []
    sizes = (len(envelope), len(manifest_bytes), sum(map(len, codes)), sum(map(len, rest)))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.writelines([_HEAD.pack(_MAGIC, *sizes), envelope, manifest_bytes, *codes, *rest])
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _codes(manifest: Manifest) -> Iterator[BlobRef]:
    return (entry.code for entry in manifest.modules.values() if entry is not None)


def _rest(manifest: Manifest) -> Iterator[BlobRef]:
    return (ref for entry in manifest.modules.values() if entry is not None for ref in (entry.units, entry.source))


def _layout(refs: Iterable[BlobRef], at: int = 0) -> dict[BlobRef, int]:
    """Where each blob begins: one after the other from `at` on, in the manifest's order, each once."""
    places: dict[BlobRef, int] = {}
    for ref in refs:
        if ref not in places:
            places[ref] = at
            at += ref.size
    return places


def _check(path: Path, data: bytes | memoryview, ref: BlobRef) -> None:
    try:
        trust.judge_blob(data, ref)
    except HabaneroError as error:
        raise _corrupt(path, error.message) from error


def _corrupt(path: Path, why: str) -> StoreError:
    return StoreError(
        "copy-corrupt",
        f"the local copy {path.name} cannot be used: {why}",
        subject=str(path),
        help="nothing has to be done: it is made anew from the bucket",
    )
