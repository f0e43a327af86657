"""The form of every event and of whatever shows them. Pure data without a clock."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar, Protocol

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    EVENT: ClassVar[str] = "event"

    def to_json(self) -> dict[str, object]:
        """The event's name and its fields; fields that are None are left out."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {"event": self.EVENT} | {name: value for name, value in values.items() if value is not None}


class Reader(Protocol):
    """Something that shows events. Called from one thread at a time."""

    def show(self, event: Event) -> None:
        """Show it now."""

    def close(self) -> None:
        """Leave the terminal as it was."""
