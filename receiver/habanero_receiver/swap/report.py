"""What a swap would do, or did, told per module. Pure data; it decides nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one unit cannot be swapped into the live process, and what to do instead."""

    unit: str
    line: int
    reason: str
    help: str
    traceback: str = ""
    """Of a statement that raised: the app's own frames, as Python prints them."""
    live: str = ""
    """The living object that cannot take it, if there is one: what it is and how many instances it has."""

    def __str__(self) -> str:
        return f"line {self.line}: {self.unit}: {self.reason}"


@dataclass(slots=True)
class ModuleReport:
    """What happens to one module, unit by unit. Each list holds the units' names, in the order of the source."""

    module: str
    patched: list[str] = field(default_factory=list)
    """Functions whose live objects get new code; nothing of them is run."""
    run: list[str] = field(default_factory=list)
    """Units that are run, because they are new or changed."""
    kept: int = 0
    """How many units are not run again."""
    stale: list[str] = field(default_factory=list)
    """What is kept although something that it was computed from has changed: a name, and in parentheses why."""
    doubled: list[str] = field(default_factory=list)
    """What was registered again although its older form could not be told: "container: entry"."""
    removed: list[str] = field(default_factory=list)
    migrated: list[str] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def note_stale(self, what: str, why: str) -> None:
        """Names what is kept although it is not what a fresh process would have; once."""
        if not any(entry.startswith(f"{what} (") for entry in self.stale):
            self.stale.append(f"{what} ({why})")

    def to_json(self) -> dict[str, Any]:
        """The report as JSON types."""
        refused = [asdict(refusal) for refusal in self.refused]
        return {
            "module": self.module,
            "patched": list(self.patched),
            "run": list(self.run),
            "kept": self.kept,
            "stale": list(self.stale),
            "doubled": list(self.doubled),
            "removed": list(self.removed),
            "migrated": list(self.migrated),
            "refused": refused,
        }


@dataclass(slots=True)
class SwapReport:
    """What happens to every module that a swap touches, by name."""

    modules: dict[str, ModuleReport] = field(default_factory=dict)

    def of(self, name: str) -> ModuleReport:
        """The report of module ``name``, made when first asked for."""
        return self.modules.setdefault(name, ModuleReport(name))

    def refusals(self) -> list[tuple[str, Refusal]]:
        """Every refusal with the module it is in."""
        return [(m.module, refusal) for m in self.modules.values() for refusal in m.refused]

    def to_json(self) -> dict[str, Any]:
        """``{"modules": [...]}``, sorted by module."""
        return {"modules": [self.modules[name].to_json() for name in sorted(self.modules)]}
