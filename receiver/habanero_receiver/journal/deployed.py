"""What a process without endpoints says of itself in the bucket, so that somebody can push over its base.

    v1/<app>/<environment>/<base>/deployed.json   target, Python, allowed modules, how many people sign a release and
                                                  how long it may wait, and the base's modules by digest

What it does: writes this, and reads it back with the one check that can be made: the modules must make the fingerprint
under whose name they lie. What it does not: it is believed for nothing else. Who can write the bucket can write another
Python or target here, and the push that is made for it is then refused by every server.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from habanero_receiver.errors import RequestError, StoreError
from habanero_receiver.journal.base import SourceFile, fingerprint
from habanero_receiver.release import strictjson
from habanero_receiver.release.fields import Fields
from habanero_receiver.release.statement import PythonTag

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 8 * 1024 * 1024
_DEPTH = 8
_FIELDS = ("target", "python", "allowed", "threshold", "max_window_s", "modules")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployment in its own words. `allowed` are the packages that may be replaced there.

    `threshold` people sign a release, which may wait for `max_window_s` seconds at most.
    """

    target: str
    python: PythonTag
    allowed: tuple[str, ...]
    threshold: int
    max_window_s: int
    modules: Mapping[str, SourceFile]

    def encode(self) -> bytes:
        """The note as JSON."""
        modules = {
            name: {"package": file.package, "path": file.path, "sha256": file.sha256, "size": file.size}
            for name, file in self.modules.items()
        }
        return strictjson.dumps({
            "target": self.target, "python": self.python.to_json(), "allowed": list(self.allowed), "modules": modules,
            "threshold": self.threshold, "max_window_s": self.max_window_s,
        })  # fmt: skip

    @classmethod
    def decode(cls, data: bytes, base: str) -> Deployed:
        """The note that lies under the base of that fingerprint. StoreError `store-corrupt` for any other bytes."""
        try:
            fields = Fields(strictjson.loads(data, max_depth=_DEPTH), "deployed", _FIELDS)
            modules = fields["modules"]
            if not isinstance(modules, dict):
                raise _corrupt(base, "has no modules")
            found = cls(
                target=fields.text("target", 500),
                python=PythonTag.from_json(fields["python"]),
                allowed=tuple(str(name) for name in fields.array("allowed")),
                threshold=fields.integer("threshold"),
                max_window_s=fields.integer("max_window_s"),
                modules={name: _file(name, value) for name, value in modules.items()},
            )
        except RequestError as error:
            raise _corrupt(base, error.message) from error
        if fingerprint(found.modules) != base:
            raise _corrupt(base, "has modules that do not make the fingerprint that it lies under")
        return found


def _file(name: str, value: object) -> SourceFile:
    fields = Fields(value, name, ("package", "path", "sha256", "size"))
    path = fields.string("path")
    return SourceFile(name, fields.flag("package"), path, "", fields.hexdigest("sha256"), fields.integer("size"))


def _corrupt(base: str, what: str) -> StoreError:
    return StoreError("store-corrupt", f"deployed.json of {base[:19]}… {what}", subject=base)
