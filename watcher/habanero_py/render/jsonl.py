"""The reader for programs: one JSON object a line on stdout, with the schema's version and a time.

It shows every event and nothing else. The rule it upholds: a line is whole or not there, flushed as it is written.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from habanero_py.events import SCHEMA_VERSION, Event


def now_utc() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


class JsonReader:
    """Writes events as JSON lines."""

    def __init__(self, out: TextIO, clock: Callable[[], datetime] = now_utc) -> None:
        self._out = out
        self._clock = clock

    def show(self, event: Event) -> None:
        """One line; times are UTC with milliseconds."""
        stamp = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"v": SCHEMA_VERSION, "t": stamp} | event.to_json(), ensure_ascii=False)
        self._out.write(line + "\n")
        self._out.flush()

    def close(self) -> None:
        """Nothing to restore."""
