"""From a release to code that may run: its manifest's modules, made from blobs whose digests are checked.

What it does: takes a blob from where it is at hand (a push, what was loaded before), else from the journal. For a start
it takes the code alone; units and sources are read when somebody asks, from this machine's own copy or the journal.
What it does not: it decides nothing that `trust` decides, unmarshals nothing and imports nothing.

The rule it upholds: no byte gets into an image that the signed manifest does not name by digest and size; and a release
whose code is not all there and right is not loaded in part. Boot, a live push, a worker that follows and a rollback all
load here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import StoreError
from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
from habanero_receiver.release.names import expected_path
from habanero_receiver.swap.image import ModuleImage, UnreadImage
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from habanero_receiver.journal.journal import Journal
    from habanero_receiver.journal.pack import Rest
    from habanero_receiver.release.statement import Statement

Images = dict[str, ModuleImage | None]


class AtHand(NamedTuple):
    """What need not be read from the journal: all of it judged when it came.

    `manifest` and `blobs` came with a push; `before` and `images` are those of the release that was loaded last;
    `stored` are blobs that were read together.
    """

    manifest: Manifest | None = None
    blobs: Mapping[str, bytes] = MappingProxyType({})
    before: Manifest | None = None
    images: Mapping[str, ModuleImage | None] = MappingProxyType({})
    stored: Mapping[str, bytes] = MappingProxyType({})


NOTHING = AtHand()


def load_images(
    journal: Journal, statement: Statement, policy: trust.TrustPolicy, root: Path, at_hand: AtHand = NOTHING
) -> tuple[Manifest, Images]:
    """Give a release's manifest and all its modules, whole; each image's file is below `root`, None is a deleted one.

    StoreError for a blob that is not there or not right; the errors of `trust.judge_manifest` and `trust.judge_blob`.
    """
    manifest = at_hand.manifest
    if manifest is None:
        manifest = trust.judge_manifest(stored_manifest(journal, statement), statement, policy)
    if lacking := _lacking(manifest, at_hand):  # else no client of a store is made, in a process that may fork
        at_hand = at_hand._replace(stored=journal.get_blobs(lacking))
    return manifest, {name: _image(journal, name, entry, root, at_hand) for name, entry in manifest.modules.items()}


def stored_manifest(journal: Journal, statement: Statement) -> bytes:
    """The manifest's bytes, to be judged. StoreError as `load_images`."""
    return _stored(journal, BlobRef(statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size))


def stored_code(journal: Journal, manifest: Manifest) -> dict[BlobRef, bytes]:
    """The code of every module. StoreError as `load_images`."""
    refs = {entry.code for entry in manifest.modules.values() if entry is not None}
    at_hand = AtHand(stored=journal.get_blobs(dict(refs)))
    return {ref: _blob(journal, ref, at_hand) for ref in refs}


def images_to_start(
    manifest: Manifest, root: Path, code: Mapping[BlobRef, bytes | memoryview], later: Callable[[BlobRef], bytes]
) -> Images:
    """All modules by their verified code. `later` reads a unit's or a source's blob, and verifies it."""
    unread, folder = _Unread(manifest.modules, later), str(root)
    images: Images = {}
    for name, entry in manifest.modules.items():
        images[name] = None if entry is None else UnreadImage(
            name, entry.package, _filename(folder, name, entry), code[entry.code], unread
        )  # fmt: skip
    return images


def reader(journal: Journal, rest: Rest) -> Callable[[BlobRef], bytes]:
    """Reads from the local copy, or, when that is not there, not whole or damaged, from the journal."""

    def read(ref: BlobRef) -> bytes:
        try:
            return rest.read(ref)
        except StoreError:
            return _blob(journal, ref, NOTHING)

    return read


class _Unread:
    """What of a release a start leaves where it is: see `swap.image.Unread`."""

    def __init__(self, modules: Mapping[str, ModuleEntry | None], read: Callable[[BlobRef], bytes]) -> None:
        self._modules, self._read = modules, read

    def source_size(self, name: str) -> int:
        return self._entry(name).source.size

    def source(self, name: str) -> bytes:
        return self._read(self._entry(name).source)

    def units(self, name: str) -> bytes:
        return self._read(self._entry(name).units)

    def _entry(self, name: str) -> ModuleEntry:
        entry = self._modules[name]
        if entry is None:
            raise KeyError(name)
        return entry


def _lacking(manifest: Manifest, at_hand: AtHand) -> dict[str, int]:
    """The blobs that only the journal has, with their sizes: on a network, one by one would take minutes."""
    before = {} if at_hand.before is None else at_hand.before.modules
    changed = (entry for name, entry in manifest.modules.items() if entry is not None and before.get(name) != entry)
    return {ref.sha256: ref.size for entry in changed for ref in entry.refs if ref.sha256 not in at_hand.blobs}


def _image(journal: Journal, name: str, entry: ModuleEntry | None, root: Path, at_hand: AtHand) -> ModuleImage | None:
    if entry is None:
        return None
    if at_hand.before is not None and at_hand.before.modules.get(name) == entry:
        return at_hand.images[name]  # an unchanged module is neither read nor hashed again
    source, code, units = (_blob(journal, ref, at_hand) for ref in entry.refs)
    return ModuleImage(name, entry.package, _filename(root, name, entry), source, code, units)


def _filename(root: Path | str, name: str, entry: ModuleEntry) -> str:
    return f"{root}/{expected_path(name, package=entry.package)}"  # as text: a start would make a thousand Paths


def _blob(journal: Journal, ref: BlobRef, at_hand: AtHand) -> bytes:
    data = at_hand.blobs.get(ref.sha256)
    if data is not None:
        trust.judge_blob(data, ref)
        return data
    data = at_hand.stored.get(ref.sha256) or _stored(journal, ref)
    if len(data) != ref.size:
        raise StoreError(
            "store-corrupt",
            f"blob {ref.sha256[:12]}… is shorter than the manifest says",
            subject=ref.sha256,
            help="push again: the release names a size that its blob does not have",
        )
    return data


def _stored(journal: Journal, ref: BlobRef) -> bytes:
    data = journal.get_blob(ref.sha256, ref.size)
    if data is None:
        raise StoreError(
            "blob-missing",
            f"blob {ref.sha256[:12]}…, which the release needs, was not sent and is not in the bucket",
            subject=ref.sha256,
            help="push again: what the server lacks is sent with it",
        )
    return data
