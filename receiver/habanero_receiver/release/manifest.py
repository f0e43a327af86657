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
from collections.abc import Collection, Mapping

from habanero_receiver.errors import RequestError
from habanero_receiver.values import NamedTuple

from . import strictjson
from .fields import Fields, check_hex, refuse
from .limits import DEFAULT_LIMITS, Limits
from .names import check_allowed, check_module_name, check_names

__all__ = ["VERSION", "BlobRef", "Manifest", "ModuleEntry", "check_allowed", "check_module_name"]

VERSION = 2
_REF = r"([0-9a-f]{64}):(0|[1-9][0-9]{0,11})"
_BEGIN, _BETWEEN, _END = '{"assets":{},"modules":{"', '},"', f'}}}},"version":{VERSION}}}'
_WRITTEN = re.compile(
    r'([A-Za-z0-9_.]+)":\{(?:"deleted":true|'
    rf'"code":"{_REF}","package":(true|false),"source":"{_REF}","units":"{_REF}")'
)
"""One module between those, as `encode` writes it."""
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
        entries = _as_written(data)
        if entries is None:
            modules = _modules(strictjson.loads(data, max_depth=limits.max_json_depth), limits)
            entries = {name: _entry(name, value) for name, value in modules.items()}
        else:
            _check_names(entries, limits)
        manifest = cls(entries)
        manifest._check_sizes(limits)
        return manifest

    def _check_sizes(self, limits: Limits) -> None:
        refs = self._refs()
        distinct, sizes = set(refs), dict(refs)
        empty = list(sizes.values()).count(0)
        if empty > (sizes.get(EMPTY.sha256) == 0) or max(sizes.values(), default=0) > limits.max_blob_bytes:
            self._refuse_size(limits.max_blob_bytes)
        if len(distinct) != len(sizes):
            sha256 = next(sha256 for sha256, size in sorted(distinct) if sizes[sha256] != size)
            raise RequestError("size-conflict", f"blob {sha256} is given two sizes", subject=sha256)
        if sum(sizes.values()) > limits.max_total_bytes:
            raise RequestError(
                "total-size",
                f"the release's blobs are {sum(sizes.values())} bytes; at most {limits.max_total_bytes} are accepted",
            )

    def _refuse_size(self, most: int) -> None:
        """RequestError "blob-size" for the first blob of a size that none may have: only an empty file is empty."""
        for name, entry in self.modules.items():
            for key, ref in zip(entry._fields[1:], entry.refs, strict=True) if entry is not None else ():
                if not 0 < ref.size <= most and ref != EMPTY:
                    where = f"{name}.{key}"
                    raise RequestError(
                        "blob-size", f"{where} is {ref.size} bytes; 1 to {most} are accepted", subject=where
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
    _check_names(modules, limits)
    return modules


def _check_names(names: Collection[str], limits: Limits) -> None:
    if len(names) > limits.max_modules:
        raise RequestError("too-many-modules", f"{len(names)} modules; at most {limits.max_modules} are accepted")
    check_names(names, limits)


def _as_written(data: bytes) -> dict[str, ModuleEntry | None] | None:
    """The entries, where the bytes are those that `encode` writes; None for any others, right or wrong.

    It is the same manifest that the long way reads, in half the time; a start waits for it.
    """
    text = data.decode("ascii", "replace")
    if not (text.startswith(_BEGIN) and text.endswith(_END)):
        return None
    entries: dict[str, ModuleEntry | None] = {}
    written = text[len(_BEGIN) : -len(_END)].split(_BETWEEN)
    for each in written:
        found = _WRITTEN.fullmatch(each)
        if found is None:
            return None
        name, code, code_size, package, source, source_size, units, units_size = found.groups()
        entries[name] = None if package is None else ModuleEntry(
            package == "true", BlobRef(source, int(source_size)), BlobRef(code, int(code_size)),
            BlobRef(units, int(units_size)),
        )  # fmt: skip
    return entries if len(entries) == len(written) else None


def _entry(name: str, value: object) -> ModuleEntry | None:
    if isinstance(value, dict) and "deleted" in value:
        if Fields(value, name, ("deleted",)).flag("deleted"):
            return None
        refuse(f"{name}.deleted", "is not true")
    fields = Fields(value, name, _ENTRY)
    return ModuleEntry(fields.flag("package"), _ref(fields, "source"), _ref(fields, "code"), _ref(fields, "units"))


def _ref(fields: Fields, key: str) -> BlobRef:
    text = fields[key]
    found = re.fullmatch(_REF, text) if isinstance(text, str) else None
    if found is None:
        check_hex(fields.string(key).partition(":")[0], fields.name(key))
        refuse(fields.name(key), "is not a digest, a colon and a number of bytes")
    sha256, digits = found.groups()
    return BlobRef(sha256, int(digits))
