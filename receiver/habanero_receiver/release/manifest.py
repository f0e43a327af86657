"""The manifest of a release: every module of the overlay over the base, by the digests of its source and its build.

It does not fetch blobs and does not look into them. The rule it upholds: the manifest is the whole overlay, never a
change to another; all sizes are known, and within limits, before the first blob is read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from habanero_receiver.errors import RequestError

from . import strictjson
from .fields import Fields, refuse
from .limits import DEFAULT_LIMITS, Limits
from .names import check_allowed, check_distinct, check_module_name, expected_path

__all__ = ["VERSION", "BlobRef", "Manifest", "ModuleEntry", "check_allowed", "check_module_name"]

VERSION = 1


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Bytes by name: 64 hex digits of their sha256, and how many they are."""

    sha256: str
    size: int

    def to_json(self) -> dict[str, object]:
        """As it stands in a manifest."""
        return {"sha256": self.sha256, "size": self.size}


EMPTY = BlobRef(hashlib.sha256().hexdigest(), 0)
"""An empty file, as many an __init__.py is: the one blob that may have no bytes."""


@dataclass(frozen=True, slots=True)
class ModuleEntry:
    """One module as the release has it. `path` is below the source root, with slashes, and follows from the name."""

    package: bool
    path: str
    source: BlobRef
    code: BlobRef

    def to_json(self) -> dict[str, object]:
        """As it stands in a manifest."""
        return {
            "package": self.package,
            "path": self.path,
            "source": self.source.to_json(),
            "code": self.code.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Manifest:
    """The overlay: module name -> entry, or None for a module of the base that the release deletes."""

    modules: Mapping[str, ModuleEntry | None]

    def encode(self) -> bytes:
        """The manifest as JSON."""
        modules = {
            name: {"deleted": True} if entry is None else entry.to_json() for name, entry in self.modules.items()
        }
        return strictjson.dumps({"version": VERSION, "modules": modules, "assets": {}})

    def blobs(self) -> dict[str, int]:
        """Every blob that the overlay needs: sha256 -> size."""
        return {ref.sha256: ref.size for ref in self._refs()}

    def _refs(self) -> list[BlobRef]:
        entries = [entry for entry in self.modules.values() if entry is not None]
        return [ref for entry in entries for ref in (entry.source, entry.code)]

    @classmethod
    def decode(cls, data: bytes, limits: Limits = DEFAULT_LIMITS) -> Manifest:
        """The manifest in `data`.

        RequestError: manifest-size, manifest-version, too-many-modules, module-name, module-path, digest, blob-size,
        total-size, size-conflict, schema, and those of `strictjson.loads`.
        """
        if not 0 < len(data) <= limits.max_manifest_bytes:
            raise RequestError("manifest-size", f"a manifest of {len(data)} bytes")
        modules = _modules(strictjson.loads(data, max_depth=limits.max_json_depth), limits)
        manifest = cls({name: _entry(name, value, limits) for name, value in modules.items()})
        manifest._check_sizes(limits)
        return manifest

    def _check_sizes(self, limits: Limits) -> None:
        sizes = self.blobs()
        for ref in self._refs():
            if sizes[ref.sha256] != ref.size:
                raise RequestError("size-conflict", f"blob {ref.sha256} is given two sizes", subject=ref.sha256)
        if sum(sizes.values()) > limits.max_total_bytes:
            raise RequestError(
                "total-size",
                f"the release's blobs are {sum(sizes.values())} bytes; at most {limits.max_total_bytes} are accepted",
            )


def _modules(value: object, limits: Limits) -> dict[str, object]:
    if isinstance(value, dict) and value.get("version", VERSION) != VERSION:
        raise RequestError(
            "manifest-version",
            f"a manifest of version {ascii(value['version'])[:20]}; this receiver reads version {VERSION}",
        )
    fields = Fields(value, "manifest", ("version", "modules", "assets"))
    fields.integer("version")
    if fields["assets"] != {}:
        refuse("manifest.assets", "is not empty, as it must be in version 1")
    modules = fields["modules"]
    if not isinstance(modules, dict):
        refuse("manifest.modules", "is not an object")
    if len(modules) > limits.max_modules:
        raise RequestError(
            "too-many-modules", f"{len(modules)} modules; at most {limits.max_modules} are accepted"
        )
    for name in modules:
        check_module_name(name, limits)
    check_distinct(modules)
    return modules


def _entry(name: str, value: object, limits: Limits) -> ModuleEntry | None:
    if isinstance(value, dict) and "deleted" in value:
        if Fields(value, name, ("deleted",)).flag("deleted"):
            return None
        refuse(f"{name}.deleted", "is not true")
    fields = Fields(value, name, ("package", "path", "source", "code"))
    package, path = fields.flag("package"), fields.string("path")
    if path != expected_path(name, package=package):
        raise RequestError(
            "module-path",
            f"the path of {name} is {path[:200]!r}, not {expected_path(name, package=package)!r}",
            subject=name,
        )
    return ModuleEntry(
        package=package,
        path=path,
        source=_ref(fields["source"], fields.name("source"), limits),
        code=_ref(fields["code"], fields.name("code"), limits),
    )


def _ref(value: object, where: str, limits: Limits) -> BlobRef:
    fields = Fields(value, where, ("sha256", "size"))
    ref = BlobRef(fields.hexdigest("sha256"), fields.integer("size"))
    if ref != EMPTY and not 0 < ref.size <= limits.max_blob_bytes:
        raise RequestError(
            "blob-size",
            f"{where} is {ref.size} bytes; 1 to {limits.max_blob_bytes} are accepted",
            subject=where,
        )
    return ref
