"""Pushes of a trusted key whose code is not what it should be."""

from __future__ import annotations

import hashlib
import marshal

from authoring import Push
from nodes import World

from habanero_receiver.release.manifest import BlobRef, Manifest
from habanero_receiver.swap.building import modulecode
from habanero_receiver.swap.building.units import MAGIC, EncodedBuild


def of(value: object, units: object = (None, ())) -> EncodedBuild:
    """Blobs in the form of a build, with this in the place of the module's code."""
    return EncodedBuild(modulecode.MAGIC + marshal.dumps(value), MAGIC + marshal.dumps(units))


def with_code(world: World, built: EncodedBuild) -> Push:
    """A push of one module with these bytes as its code."""
    push = world.push("RATE = 1\n")
    [entry] = Manifest.decode(push.manifest).modules.values()
    assert entry is not None
    code, units = (BlobRef(hashlib.sha256(blob).hexdigest(), len(blob)) for blob in built)
    manifest = Manifest({"shop.rates": entry._replace(code=code, units=units)}).encode()
    digest = f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    statement = push.statement._replace(manifest_digest=digest, manifest_size=len(manifest))
    blobs = {entry.source.sha256: push.blobs[entry.source.sha256], code.sha256: built.code, units.sha256: built.units}
    return Push(statement, world.author.envelope(statement.encode()), manifest, blobs)


def other_code(world: World) -> Push:
    """A push whose code is not that of the source beside it."""
    other = world.push("RATE = 666\n")
    [entry] = Manifest.decode(other.manifest).modules.values()
    assert entry is not None
    return with_code(world, EncodedBuild(other.blobs[entry.code.sha256], other.blobs[entry.units.sha256]))
