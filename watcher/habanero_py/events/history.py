"""What the commands that look back tell: releases, differences, what was verified, what drifted, what was pruned.

Pure data, as all events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from .event import Event


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How many of a machine's workers ran a release when its push was answered, and how many there were."""

    machine: str
    applied: int
    workers: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which machine found a release bad, why, and when. Anybody's words: whoever can write the bucket wrote them."""

    machine: str
    reason: str
    at: str


@dataclass(frozen=True, slots=True)
class LogEntry(Event):
    """One release of the journal. `modules` are those that it changed, None when that is not known any more.

    `git` is the commit, `dirty` whether more than it was released; `gate` the command, with its exit code and what it
    said of itself; `confirmed` who ran it when its push was answered, as the server noted it; `withdrawn` why the fleet
    went back from it, if it did; `reason` why its author froze what runs.
    """

    EVENT: ClassVar[str] = "release"
    push: int
    kind: str
    issued: str
    author: str
    modules: Sequence[str] | None
    git: str | None = None
    dirty: bool | None = None
    gate: str | None = None
    gate_exit: int | None = None
    gate_summary: str | None = None
    restores: int | None = None
    confirmed: Sequence[Confirmation] = ()
    running: bool = False
    withdrawn: Verdict | None = None
    reason: str | None = None

    def to_json(self) -> dict[str, object]:
        """As every event; machines and verdict become plain objects."""
        withdrawn = {} if self.withdrawn is None else {"withdrawn": asdict(self.withdrawn)}
        return Event.to_json(self) | {"confirmed": [asdict(machine) for machine in self.confirmed]} | withdrawn


@dataclass(frozen=True, slots=True)
class ShownModule:
    """A module of a release. `change` is added, changed, deleted or empty against the release before, if that is known.

    `source` and `before` are sha256 digests of what runs with it and of what ran before it; None where nothing does.
    """

    module: str
    change: str
    source: str | None
    before: str | None
    size: int | None
    overlay: bool


@dataclass(frozen=True, slots=True)
class Shown(Event):
    """All of one release. `keyids` are the keys that its envelope names; `verify` tells whether they hold."""

    EVENT: ClassVar[str] = "show"
    entry: LogEntry
    digest: str
    prev: str
    base: str
    manifest: str
    python: str
    accept_until: str
    keyids: Sequence[str]
    modules: Sequence[ShownModule]
    now: str

    def to_json(self) -> dict[str, object]:
        """The entry's fields and these, flat."""
        mine = {name: getattr(self, name) for name in ("digest", "prev", "base", "manifest", "python", "accept_until")}
        return (
            self.entry.to_json()
            | {"event": self.EVENT, "keyids": list(self.keyids)}
            | mine
            | {"modules": [asdict(module) for module in self.modules]}
        )


@dataclass(frozen=True, slots=True)
class ShownBase(Event):
    """The code as deployed: its fingerprint, and the sha256 of each module's source."""

    EVENT: ClassVar[str] = "show-base"
    base: str
    modules: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ModuleDiff(Event):
    """One module of a difference: a unified diff, or nothing but the digests when a side is no text."""

    EVENT: ClassVar[str] = "diff"
    module: str
    old: str
    new: str
    change: str
    diff: str


@dataclass(frozen=True, slots=True)
class Drifted:
    """A module that is not everywhere the same. Digests are sha256 of its source, None where it does not exist.

    `words` are of: only-in-production, not-in-production, uncommitted (production runs what lies in the working tree
    and HEAD does not have), differs-from-head, differs-from-tree.
    """

    module: str
    path: str
    words: Sequence[str]
    production: str | None
    head: str | None
    tree: str | None


@dataclass(frozen=True, slots=True)
class Drift(Event):
    """What production runs at release `running`, against git. `compared` is how many modules production has."""

    EVENT: ClassVar[str] = "drift"
    running: int
    compared: int
    modules: Sequence[Drifted]

    def to_json(self) -> dict[str, object]:
        """As every event; modules become plain objects."""
        return Event.to_json(self) | {"modules": [asdict(module) for module in self.modules]}


@dataclass(frozen=True, slots=True)
class OldBase:
    """The journal of code that was deployed once: how many releases it has, and when the last one was issued."""

    base: str
    entries: int
    newest: str | None


@dataclass(frozen=True, slots=True)
class Pruned(Event):
    """What a prune would remove, or when `done` what it did. The entries of the live base's journal always stay."""

    EVENT: ClassVar[str] = "prune"
    done: bool
    days: int
    keep: int
    releases: Sequence[int]
    bases: Sequence[OldBase]
    blobs: int

    def to_json(self) -> dict[str, object]:
        """As every event; bases become plain objects."""
        return Event.to_json(self) | {"bases": [asdict(base) for base in self.bases]}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that `verify` found: a code of docs/errors.md, the release or worker that has it, what it is."""

    code: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Verified(Event):
    """What `verify` looked at and what it found.

    `running` is the head, or what runs in place of one that was withdrawn. `untrusted` are problems of the journal
    and its blobs, `deviating` are workers that run something else. `compared` is how many functions and constants
    of how many live modules were looked at in all workers.
    """

    EVENT: ClassVar[str] = "verify"
    head: int
    running: int
    digest: str
    base: str
    releases: int
    blobs: int
    pruned: int
    signers: Sequence[str]
    workers: int
    modules: int
    compared: int
    untrusted: Sequence[Problem]
    deviating: Sequence[Problem]
    seconds: float

    def to_json(self) -> dict[str, object]:
        """As every event; problems become plain objects."""
        found = {name: [asdict(problem) for problem in getattr(self, name)] for name in ("untrusted", "deviating")}
        return Event.to_json(self) | found
