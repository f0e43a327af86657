"""A verdict: what a machine says of a release that it found bad, as it lies beside the journal's entry.

What it does: the words as bytes and back, and which of those that lie beside a release count for it. What it does not:
no I/O and no clock; who goes where because of one is `journal.candidate`'s and `fleet.withdrawal`'s.

The rule it upholds: a verdict needs no key, since the release itself, signed, allows that one step and nothing else.
One on a release whose policy does not allow it, on another release of the same number, or that cannot be read, counts
for nothing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from habanero_receiver.release.statement import Statement

MAX_REASON_CHARS = 400
_MAX_NAME_CHARS = 100


class Verdict(NamedTuple):
    """Which release (its payload digest) is bad, why, who says so, and when (seconds since the epoch)."""

    digest: str
    reason: str
    machine: str
    at: float

    def encode(self) -> bytes:
        """As it lies in the bucket."""
        said = {"v": 1, "kind": "bad", "digest": self.digest, "reason": self.reason[:MAX_REASON_CHARS]}
        return json.dumps({**said, "machine": self.machine, "at": round(self.at, 3)}, sort_keys=True).encode()


def decode(data: bytes | None) -> Verdict | None:
    """Read a verdict; None for anything that is not one (anybody who can write to the bucket may have written it)."""
    try:
        match json.loads(data or b"null"):
            case {
                "v": 1, "kind": "bad", "digest": str(digest), "reason": str(reason), "machine": str(machine),
                "at": int() | float() as at,
            } if 0 <= at < 1e11:  # fmt: skip
                return Verdict(digest, _line(reason, MAX_REASON_CHARS), _line(machine, _MAX_NAME_CHARS), float(at))
    except (ValueError, RecursionError):
        pass
    return None


def _line(text: str, limit: int) -> str:
    """What a stranger may have written, as it may stand in a log."""
    return "".join(char if char.isprintable() else " " for char in text[:limit])


def beside(statement: Statement | None, digest: str, said: Iterable[bytes | None]) -> Verdict | None:
    """The first of what was said that counts for the release of this payload digest; None for the base."""
    if statement is None or not statement.withdraw.allowed:
        return None
    verdicts = (decode(data) for data in said)
    return next((verdict for verdict in verdicts if verdict is not None and verdict.digest == digest), None)
