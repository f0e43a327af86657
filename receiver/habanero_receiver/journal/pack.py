"""A release in one file: what a machine keeps of it on its own disk, to start from.

    HABPACK1 | four sizes | envelope | manifest | code of every module | source of every module

What it does: writes the file whole or not at all; reads all but the sources in one go, and those one by one, when
somebody asks. There is no index: what lies where follows from the sizes in the signed manifest. What it does not: it
judges nothing; whoever reads hands envelope and manifest to `trust`, as if they had come from the bucket.

The rule it upholds: no byte comes out of a pack as code or source whose digest is not the signed manifest's. A pack is
a copy and trusted for nothing: any fault in it is as if it were not there.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.release.limits import DEFAULT_LIMITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from habanero_receiver.release.limits import Limits
    from habanero_receiver.release.manifest import BlobRef, Manifest
    from habanero_receiver.swap.image import ModuleImage

_MAGIC = b"HABPACK1"
_HEAD = struct.Struct(">8sIIQQ")


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it was read: envelope and manifest are anyone's bytes until they are judged."""

    path: Path
    envelope: bytes
    manifest: bytes
    code: memoryview
    source_at: int
    """Where in the file the sources begin."""

    def open(self, manifest: Manifest) -> PackedBlobs:
        """What lies where, by the manifest that was judged."""
        codes, sources = _layout(manifest)
        return PackedBlobs(self, codes, sources)


@dataclass(frozen=True, slots=True)
class PackedBlobs:
    """The blobs of a pack by the references of its manifest. Each is checked whenever it is given out."""

    pack: Pack
    _codes: Mapping[str, int]
    _sources: Mapping[str, int]

    def code(self, ref: BlobRef) -> memoryview:
        """The build of a module; StoreError `copy-corrupt` when it is not what the manifest names."""
        start = self._codes[ref.sha256]
        return self._checked(self.pack.code[start : start + ref.size], ref)

    def source(self, ref: BlobRef) -> bytes:
        """The source of a module, read from the file now; StoreError `copy-corrupt` when it cannot be had."""
        try:
            with self.pack.path.open("rb") as file:
                file.seek(self.pack.source_at + self._sources[ref.sha256])
                data = file.read(ref.size)
        except OSError as error:
            raise _corrupt(self.pack.path, error.strerror or str(error)) from error
        return bytes(self._checked(data, ref))

    def _checked(self, data: bytes | memoryview, ref: BlobRef) -> memoryview:
        try:
            trust.judge_blob(data, ref)
        except HabaneroError as error:
            raise _corrupt(self.pack.path, error.message) from error
        return memoryview(data)


def read(path: Path, limits: Limits = DEFAULT_LIMITS) -> Pack:
    """Read a pack, all but its sources. StoreError `copy-corrupt` when it is not there, cut short or too large."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            if len(head) != _HEAD.size or not head.startswith(_MAGIC):
                raise _corrupt(path, "it is not a pack")
            _, envelope, manifest, code, source = _HEAD.unpack(head)
            if envelope > limits.max_envelope_bytes or manifest > limits.max_manifest_bytes:
                raise _corrupt(path, "a part of it is larger than may be")
            if max(code, source) > limits.max_total_bytes:
                raise _corrupt(path, "a part of it is larger than may be")
            body = memoryview(file.read(envelope + manifest + code))
    except OSError as error:
        raise _corrupt(path, error.strerror or str(error)) from error
    if len(body) != envelope + manifest + code:
        raise _corrupt(path, "it is cut short")
    after = envelope + manifest
    return Pack(path, bytes(body[:envelope]), bytes(body[envelope:after]), body[after:], _HEAD.size + len(body))


def write(
    path: Path, envelope: bytes, manifest_bytes: bytes, manifest: Manifest, images: Mapping[str, ModuleImage | None]
) -> None:
    """Write a pack beside its final name, then move it there. OSError as the disk gives it; whatever reads sources.

    Not made durable: a pack that a power cut tore is found out when it is read.
    """
    codes = list(_distinct(manifest, images, lambda entry: entry.code, lambda image: image.code))
    sources = list(_distinct(manifest, images, lambda entry: entry.source, lambda image: image.source))
    sizes = (len(envelope), len(manifest_bytes), sum(map(len, codes)), sum(map(len, sources)))
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.writelines([_HEAD.pack(_MAGIC, *sizes), envelope, manifest_bytes, *codes, *sources])
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _distinct(
    manifest: Manifest,
    images: Mapping[str, ModuleImage | None],
    ref_of: Callable[..., BlobRef],
    data_of: Callable[..., bytes | memoryview],
) -> Iterable[bytes | memoryview]:
    """The blobs of one kind in the manifest's order, each once."""
    seen = set()
    for name, entry in manifest.modules.items():
        if entry is not None and ref_of(entry).sha256 not in seen:
            seen.add(ref_of(entry).sha256)
            yield data_of(images[name])


def _layout(manifest: Manifest) -> tuple[dict[str, int], dict[str, int]]:
    """Where each blob begins, of the code and of the sources."""
    codes: dict[str, int] = {}
    sources: dict[str, int] = {}
    code_at = source_at = 0
    for entry in manifest.modules.values():
        if entry is None:
            continue
        if entry.code.sha256 not in codes:
            codes[entry.code.sha256] = code_at
            code_at += entry.code.size
        if entry.source.sha256 not in sources:
            sources[entry.source.sha256] = source_at
            source_at += entry.source.size
    return codes, sources


def _corrupt(path: Path, why: str) -> StoreError:
    return StoreError(
        "copy-corrupt",
        f"the local copy {path.name} cannot be used: {why}",
        subject=str(path),
        help="nothing has to be done: it is made anew from the bucket",
    )
