"""What is told of keys: who may do what, and releases that wait for further signatures. Pure data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar

from .event import Event


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key that a server trusts: its holder's names, its .pub line, what it may do there, and when.

    `valid` is whether it is within its time by the server's clock; a revoked key may nothing.
    """

    principals: Sequence[str]
    keyid: str
    key: str
    roles: Sequence[str]
    valid_after: str | None
    valid_before: str | None
    revoked: bool
    valid: bool


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A line of the server's roles: what somebody of this name may do at these places ("app/environment")."""

    principal: str
    roles: Sequence[str]
    places: Sequence[str]


@dataclass(frozen=True, slots=True)
class Keys(Event):
    """Who may do what where. `mine` is the key of this command, `key` the setting that names it.

    `local` are the principals and fingerprints of the list that `verify` believes on this machine; None without one.
    `roles` are all lines of the server's list, those for other places too; None: everybody may all.
    """

    EVENT: ClassVar[str] = "keys"
    target: str
    key: str
    mine: str
    threshold: int
    keys: Sequence[KeyRow]
    revoked: Sequence[str]
    roles: Sequence[RoleRow] | None
    local: Sequence[tuple[str, str]] | None

    def to_json(self) -> dict[str, object]:
        """As every event; rows become plain objects."""
        rows: dict[str, object] = {"keys": [asdict(row) for row in self.keys]}
        if self.roles is not None:
            rows["roles"] = [asdict(row) for row in self.roles]
        return Event.to_json(self) | rows


@dataclass(frozen=True, slots=True)
class Pending(Event):
    """A release is signed by `have` of `need` people and lies in `file` until `accept_until`; nothing changed yet."""

    EVENT: ClassVar[str] = "pending"
    push: int
    digest: str
    file: str
    have: int
    need: int
    accept_until: str


@dataclass(frozen=True, slots=True)
class PendingModule:
    """What a pending release does to a module, and how many lines come and go."""

    module: str
    change: str
    added: int
    removed: int


@dataclass(frozen=True, slots=True)
class PendingShown(Event):
    """All that somebody is asked to sign. `signed_by` are names of trusted holders whose signatures hold.

    `rebuilt` is how many modules were built here from their sources and gave the very bytecode of the release.
    """

    EVENT: ClassVar[str] = "pending-shown"
    push: int
    digest: str
    kind: str
    target: str
    base: str
    prev: str
    author: str
    issued: str
    accept_until: str
    git: str | None
    gate: str | None
    gate_exit: int | None
    gate_summary: str | None
    restores: int | None
    reason: str | None
    signed_by: Sequence[str]
    need: int
    modules: Sequence[PendingModule]
    rebuilt: int
    now: str

    def to_json(self) -> dict[str, object]:
        """As every event; modules become plain objects."""
        return Event.to_json(self) | {"modules": [asdict(module) for module in self.modules]}
