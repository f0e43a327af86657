"""The images of a release as one process holds them, and whether each of them is a build.

What it does: hands `journal.images` what this process has at hand, so that it reads no more than it must; looks, where
the operator wants it, whether each build is what its source compiles to here. What it does not: it runs nothing, and
unmarshals and compiles only what was found to be what the manifest names.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from habanero_receiver.errors import SwapError
from habanero_receiver.fleet.node import Loaded
from habanero_receiver.journal.images import AtHand, load_images
from habanero_receiver.swap.building.compiler import build
from habanero_receiver.swap.building.modulecode import main_code
from habanero_receiver.swap.building.units import decode
from habanero_receiver.swap.image import UnreadImage

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from habanero_receiver.fleet.node import Node, Release
    from habanero_receiver.release.manifest import Manifest


def load(
    node: Node, release: Release, pushed: tuple[Manifest, bytes] | None, blobs: Mapping[str, bytes]
) -> Loaded:
    """Make every image of a release. StoreError when the journal lacks a blob or holds other bytes for it."""
    if release.statement is None:
        return Loaded(release, None, {})
    known = node.known
    if known is not None and known.release.head.digest == release.head.digest:
        return known  # as after boot, which may have had it from this machine's own copy
    at_hand = AtHand(manifest=pushed[0] if pushed is not None else None, blobs=blobs)
    if known is not None:
        at_hand = at_hand._replace(before=known.manifest, images=known.images)
    return Loaded(release, *load_images(node.journal, release.statement, node.policy, node.base.root, at_hand))


def blobs_of(loaded: Loaded | None) -> dict[str, Callable[[], bytes]]:
    """How to get every blob of a release that this process runs, its manifest too, by digest."""
    if loaded is None or loaded.manifest is None:
        return {}
    encoded = loaded.manifest.encode()
    blobs: dict[str, Callable[[], bytes]] = {hashlib.sha256(encoded).hexdigest(): lambda: encoded}
    for name, entry in loaded.manifest.modules.items():
        image = loaded.images[name]
        if entry is not None and image is not None:
            blobs |= {
                entry.source.sha256: partial(getattr, image, "source"),
                entry.code.sha256: partial(bytes, image.code),
                entry.units.sha256: partial(getattr, image, "units"),
            }
    return blobs


def in_memory(loaded: Loaded) -> dict[str, bytes | memoryview]:
    """The blobs of a release that are in this process's memory, by digest."""
    blobs: dict[str, bytes | memoryview] = {}
    entries = {} if loaded.manifest is None else loaded.manifest.modules
    for name, entry in entries.items():
        image = loaded.images[name]
        if entry is not None and image is not None:
            blobs[entry.code.sha256] = image.code
            if not isinstance(image, UnreadImage):
                blobs |= {entry.source.sha256: image.source, entry.units.sha256: image.units}
    return blobs


def check_builds(loaded: Loaded, *, besides: Loaded | None) -> None:
    """Unmarshal each image that is not running already, so that none fails only at its first import.

    SwapError "not-code" for bytes that are not a build.
    """
    known = {} if besides is None else besides.images
    for name, image in loaded.images.items():
        if image is None or image is known.get(name):
            continue
        try:
            main_code(image.code, image.filename)
            decode(image.units, image.filename)
        except (ValueError, TypeError, EOFError) as error:
            raise SwapError(
                "not-code",
                f"the code of {name} is not a build ({error}); nothing changed",
                subject=name,
                help="push again with an up-to-date habanero-py",
            ) from error


def check_sources(loaded: Loaded, *, besides: Loaded | None) -> None:
    """Compile each source that is not running already, and compare: what people read is what runs.

    SwapError "source-mismatch" for a build that is another one. Needs the very compiler that built it, down to the
    patch level of Python.
    """
    known = {} if besides is None else besides.images
    for name, image in loaded.images.items():
        if image is None or image is known.get(name):
            continue
        path = name.replace(".", "/") + ("/__init__.py" if image.package else ".py")
        try:
            ours = build(image.source, name, path, image.package)
        except SyntaxError as error:
            raise _mismatch(name, f"does not compile here: {error.msg}") from error
        if _meaning(*ours, image.filename) != _meaning(image.code, image.units, image.filename):
            raise _mismatch(name, "is not what its code was built from")


def _meaning(code: bytes | memoryview, units: bytes, filename: str) -> tuple[object, ...]:
    """What two builds are compared by: equal code objects can be marshalled to unequal bytes."""
    return main_code(code, filename), decode(units, filename)


def _mismatch(name: str, what: str) -> SwapError:
    return SwapError(
        "source-mismatch",
        f"the source of {name} {what}; nothing changed",
        subject=name,
        help="push again with the Python that the server has, to the patch level; if it stays so, ask who built it",
    )
