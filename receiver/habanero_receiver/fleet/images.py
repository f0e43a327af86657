"""The images of a release: its manifest's modules, each made from two blobs whose digests are checked.

What it does: takes blobs from the push itself, else from the last release that was loaded, else from the journal.
What it does not: it runs nothing, and unmarshals only what was found to be what the manifest names.

The rule it upholds: no byte gets into an image that the signed manifest does not name by digest and size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import StoreError, SwapError
from habanero_receiver.fleet.node import Loaded
from habanero_receiver.swap import ModuleImage, build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from habanero_receiver.fleet.node import Node, Release
    from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
    from habanero_receiver.release.statement import Statement


def load(
    node: Node, release: Release, pushed: tuple[Manifest, bytes] | None, blobs: Mapping[str, bytes]
) -> Loaded:
    """Make every image of a release. StoreError when the journal lacks a blob or holds other bytes for it."""
    if release.statement is None:
        return Loaded(release, None, {})
    manifest = pushed[0] if pushed is not None else _manifest(node, release.statement)
    made = {
        name: None if entry is None else _kept(node, name, entry) or _image(node, name, entry, blobs)
        for name, entry in manifest.modules.items()
    }
    return Loaded(release, manifest, made)


def check_builds(loaded: Loaded, *, besides: Loaded | None) -> None:
    """Unmarshal each image that is not running already, so that none fails only at its first import.

    SwapError "not-code" for bytes that are not a build.
    """
    known = {} if besides is None else besides.images
    for name, image in loaded.images.items():
        if image is None or image is known.get(name):
            continue
        try:
            build.main_code(image.code, image.filename)
            build.decode(image.code, image.filename)
        except (ValueError, TypeError, EOFError) as error:
            raise SwapError(
                "not-code",
                f"the code of {name} is not a build ({error}); nothing changed",
                subject=name,
                help="push again with an up-to-date habanero-py",
            ) from error


def _manifest(node: Node, statement: Statement) -> Manifest:
    digest = statement.manifest_digest.removeprefix("sha256:")
    data = node.journal.get_blob(digest, statement.manifest_size)
    if data is None:
        raise _missing(digest)
    return trust.judge_manifest(data, statement, node.policy)


def _kept(node: Node, name: str, entry: ModuleEntry) -> ModuleImage | None:
    """Find the image among those that were verified before: an unchanged module is neither read nor hashed again."""
    known = node.known
    if known is None or known.manifest is None or known.manifest.modules.get(name) != entry:
        return None
    return known.images[name]


def _image(node: Node, name: str, entry: ModuleEntry, blobs: Mapping[str, bytes]) -> ModuleImage:
    return ModuleImage(
        name=name,
        package=entry.package,
        filename=str(node.base.root / entry.path),
        source=_blob(node, entry.source, blobs),
        code=_blob(node, entry.code, blobs),
    )


def _blob(node: Node, ref: BlobRef, blobs: Mapping[str, bytes]) -> bytes:
    data = blobs.get(ref.sha256)
    if data is None:
        data = node.journal.get_blob(ref.sha256, ref.size)
    if data is None:
        raise _missing(ref.sha256)
    trust.judge_blob(data, ref)
    return data


def _missing(digest: str) -> StoreError:
    return StoreError(
        "blob-missing",
        f"blob {digest[:12]}… is neither in the push nor in the bucket; nothing changed",
        subject=digest,
        help="push again: blobs that the server lacks are sent with it",
    )
