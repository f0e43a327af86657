"""From a release to code that may run: its manifest's modules, each made from two blobs whose digests are checked.

What it does: takes a blob from where it is at hand (a push, what was loaded before, this machine's own copy), else from
the journal. Sources that lie in that copy are left there until somebody asks. What it does not: it decides nothing that
`trust` decides, unmarshals nothing and imports nothing.

The rule it upholds: no byte gets into an image that the signed manifest does not name by digest and size; and a release
whose blobs are not all there and right is not loaded in part. Boot, a live push, a worker that follows and a rollback
all load here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import StoreError
from habanero_receiver.swap.image import ModuleImage, UnreadImage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from habanero_receiver.journal.journal import Journal
    from habanero_receiver.journal.pack import PackedBlobs
    from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
    from habanero_receiver.release.statement import Statement

Images = dict[str, ModuleImage | None]


@dataclass(frozen=True, slots=True)
class AtHand:
    """What need not be read from the journal: all of it judged when it came.

    `manifest` and `blobs` came with a push; `before` and `images` are those of the release that was loaded last;
    `packed` is the local copy of the very release that is to be loaded; `stored` are blobs that were read together.
    """

    manifest: Manifest | None = None
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    before: Manifest | None = None
    images: Mapping[str, ModuleImage | None] = field(default_factory=dict)
    packed: PackedBlobs | None = None
    stored: Mapping[str, bytes] = field(default_factory=dict)


NOTHING = AtHand()


def load_images(
    journal: Journal, statement: Statement, policy: trust.TrustPolicy, root: Path, at_hand: AtHand = NOTHING
) -> tuple[Manifest, Images]:
    """Give a release's manifest and all its modules; each image's file is below `root`, None is a deleted module.

    StoreError for a blob that is not there or not right; the errors of `trust.judge_manifest` and `trust.judge_blob`.
    """
    manifest = at_hand.manifest
    if manifest is None:
        data = _stored(journal, statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size)
        manifest = trust.judge_manifest(data, statement, policy)
    if lacking := _lacking(manifest, at_hand):  # else no client of a store is made, in a process that may fork
        at_hand = replace(at_hand, stored=journal.get_blobs(lacking))
    return manifest, {name: _image(journal, name, entry, root, at_hand) for name, entry in manifest.modules.items()}


def _lacking(manifest: Manifest, at_hand: AtHand) -> dict[str, int]:
    """The blobs that only the journal has, with their sizes: on a network, one by one would take minutes."""
    if at_hand.packed is not None:
        return {}
    before = {} if at_hand.before is None else at_hand.before.modules
    changed = (entry for name, entry in manifest.modules.items() if entry is not None and before.get(name) != entry)
    refs = (ref for entry in changed for ref in (entry.source, entry.code))
    return {ref.sha256: ref.size for ref in refs if ref.sha256 not in at_hand.blobs}


def _image(journal: Journal, name: str, entry: ModuleEntry | None, root: Path, at_hand: AtHand) -> ModuleImage | None:
    if entry is None:
        return None
    if at_hand.before is not None and at_hand.before.modules.get(name) == entry:
        return at_hand.images[name]  # an unchanged module is neither read nor hashed again
    filename = f"{root}/{entry.path}"  # as text: making a Path of each costs more than checking its code
    if (packed := at_hand.packed) is not None:
        source = entry.source
        return UnreadImage(
            name, entry.package, filename, packed.code(entry.code), source.size,
            lambda: _late_source(journal, packed, source),
        )  # fmt: skip
    return ModuleImage(
        name=name,
        package=entry.package,
        filename=filename,
        source=_blob(journal, entry.source, at_hand),
        code=_blob(journal, entry.code, at_hand),
    )


def _late_source(journal: Journal, packed: PackedBlobs, ref: BlobRef) -> bytes:
    """From the local copy, or, when that was replaced or lost since, from the journal."""
    try:
        return packed.source(ref)
    except StoreError:
        return _blob(journal, ref, NOTHING)


def _blob(journal: Journal, ref: BlobRef, at_hand: AtHand) -> bytes:
    data = at_hand.blobs.get(ref.sha256)
    if data is not None:
        trust.judge_blob(data, ref)
        return data
    data = at_hand.stored.get(ref.sha256) or _stored(journal, ref.sha256, ref.size)
    if len(data) != ref.size:
        raise StoreError(
            "store-corrupt",
            f"blob {ref.sha256[:12]}… is shorter than the manifest says",
            subject=ref.sha256,
            help="push again: the release names a size that its blob does not have",
        )
    return data


def _stored(journal: Journal, sha256: str, size: int) -> bytes:
    data = journal.get_blob(sha256, size)
    if data is None:
        raise StoreError(
            "blob-missing",
            f"blob {sha256[:12]}…, which the release needs, was not sent and is not in the bucket",
            subject=sha256,
            help="push again: what the server lacks is sent with it",
        )
    return data
