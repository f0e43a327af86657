"""The manifest of a release: every module of the overlay over the base, by the digests of its three blobs.

    {"assets": {}, "modules": {"shop.cart": {"code": "<sha256>:<bytes>", "package": false, "source": …, "units": …},
                               "shop.old": {"deleted": true}}, "version": 2}

A start needs the code of every module, a swap its units, a traceback its source; so each is a blob of its own. Where a
module lies below the source root follows from its name.

It does not fetch blobs and does not look into them. The rule it upholds: the manifest is the whole overlay, never a
change to another; all sizes are known, and within limits, before the first blob is read. A start decodes thousands of
entries, so what is right is told from what is wrong at once, and only then what exactly is wrong.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from habanero_receiver.errors import RequestError
from habanero_receiver.values import NamedTuple

from . import strictjson
from .fields import Fields, check_hex, refuse
from .limits import DEFAULT_LIMITS, Limits
from .names import check_allowed, check_module_name, check_names

__all__ = ["VERSION", "BlobRef", "Manifest", "ModuleEntry", "check_allowed", "check_module_name"]

VERSION = 2
_REF = r"([0-9a-f]{64}):(0|[1-9][0-9]{0,11})"
_REFS = re.compile(f"{_REF} {_REF} {_REF}")
_ENTRY = ("package", "source", "code", "units")


class BlobRef(NamedTuple):
    """Bytes by name: 64 hex digits of their sha256, and how many they are."""

    sha256: str
    size: int

    def to_json(self) -> str:
        """As it stands in a manifest."""
        return f"{self.sha256}:{self.size}"


EMPTY = BlobRef(hashlib.sha256().hexdigest(), 0)
"""An empty file, as many an __init__.py is: the one blob that may have no bytes."""


class ModuleEntry(NamedTuple):
    """One module as the release has it: whether it is a package, its source text, its code object, its units."""

    package: bool
    source: BlobRef
    code: BlobRef
    units: BlobRef

    @property
    def refs(self) -> tuple[BlobRef, BlobRef, BlobRef]:
        """All that it is made of."""
        return self[1:]

    def to_json(self) -> dict[str, object]:
        """As it stands in a manifest."""
        return {
            "package": self.package,
            "source": self.source.to_json(),
            "code": self.code.to_json(),
            "units": self.units.to_json(),
        }


class Manifest(NamedTuple):
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
        return dict(self._refs())

    def _refs(self) -> list[BlobRef]:
        return [ref for entry in self.modules.values() if entry is not None for ref in entry[1:]]

    @classmethod
    def decode(cls, data: bytes, limits: Limits = DEFAULT_LIMITS) -> Manifest:
        """The manifest in `data`.

        RequestError: manifest-size, manifest-version, too-many-modules, module-name, digest, blob-size, total-size,
        size-conflict, schema, and those of `strictjson.loads`.
        """
        if not 0 < len(data) <= limits.max_manifest_bytes:
            raise RequestError("manifest-size", f"a manifest of {len(data)} bytes")
        modules = _modules(strictjson.loads(data, max_depth=limits.max_json_depth), limits)
        most = limits.max_blob_bytes
        manifest = cls({
            name: _plain_entry(value, most) or _entry(name, value, most) for name, value in modules.items()
        })
        manifest._check_sizes(limits)
        return manifest

    def _check_sizes(self, limits: Limits) -> None:
        refs = self._refs()
        distinct, sizes = set(refs), dict(refs)
        if len(distinct) != len(sizes):
            sha256 = next(sha256 for sha256, size in sorted(distinct) if sizes[sha256] != size)
            raise RequestError("size-conflict", f"blob {sha256} is given two sizes", subject=sha256)
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
        refuse("manifest.assets", f"is not empty, as it must be in version {VERSION}")
    modules = fields["modules"]
    if not isinstance(modules, dict):
        refuse("manifest.modules", "is not an object")
    if len(modules) > limits.max_modules:
        raise RequestError(
            "too-many-modules", f"{len(modules)} modules; at most {limits.max_modules} are accepted"
        )
    check_names(modules, limits)
    return modules


def _plain_entry(value: object, most: int) -> ModuleEntry | None:
    """An entry in which nothing is wrong; None for any other, which `_entry` looks at."""
    try:
        package = value["package"]  # type: ignore[index]  # what is no object fails here
        found = _REFS.fullmatch(f"{value['source']} {value['code']} {value['units']}")  # type: ignore[index]
    except (TypeError, KeyError):
        return None
    if found is None or len(value) != len(_ENTRY) or not isinstance(package, bool):  # type: ignore[arg-type]
        return None
    source, code, units = map(BlobRef, found.group(1, 3, 5), map(int, found.group(2, 4, 6)))
    if not (0 < source.size <= most and 0 < code.size <= most and 0 < units.size <= most):
        return None
    return ModuleEntry(package, source, code, units)


def _entry(name: str, value: object, most: int) -> ModuleEntry | None:
    if isinstance(value, dict) and "deleted" in value:
        if Fields(value, name, ("deleted",)).flag("deleted"):
            return None
        refuse(f"{name}.deleted", "is not true")
    fields = Fields(value, name, _ENTRY)
    return ModuleEntry(
        fields.flag("package"), _ref(fields, "source", most), _ref(fields, "code", most), _ref(fields, "units", most)
    )


def _ref(fields: Fields, key: str, most: int) -> BlobRef:
    text = fields[key]
    found = re.fullmatch(_REF, text) if isinstance(text, str) else None
    if found is None:
        check_hex(fields.string(key).partition(":")[0], fields.name(key))
        refuse(fields.name(key), "is not a digest, a colon and a number of bytes")
    sha256, digits = found.groups()
    ref = BlobRef(sha256, int(digits))
    if not 0 < ref.size <= most and ref != EMPTY:
        raise RequestError(
            "blob-size",
            f"{fields.name(key)} is {ref.size} bytes; 1 to {most} are accepted",
            subject=fields.name(key),
        )
    return ref
