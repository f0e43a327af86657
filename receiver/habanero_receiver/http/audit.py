"""The audit log: one record for each attempt to change or read this process, by the logger `habanero.audit`.

The fields are attributes of the record (`extra`), for structured handlers; the message repeats them as `name=value`.

The rule it upholds: a line of the log is one attempt. What came from outside is cut to a bounded length, and every
character that could end a line, move a cursor or imitate another field is escaped, so nobody can write a record but us.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields

_log = logging.getLogger("habanero.audit")

_MAX_VALUE_CHARS = 200
_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/+@#,~")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `seq` and what follows it are known only of what a trusted key has signed.

    `keyids` is known of every push that enough of them signed, `seq`, `digest` and `author` once it may be pushed.
    """

    action: str
    outcome: str
    code: str
    peer: str
    target: str
    seq: int | None = None
    digest: str = ""
    keyids: str = ""
    author: str = ""
    seconds: float = 0.0


def record(attempt: Attempt) -> None:
    """Write the record: INFO for what succeeded, WARNING for what did not."""
    values = {field.name: safe(getattr(attempt, field.name)) for field in fields(attempt)}
    level = logging.INFO if attempt.outcome == "ok" else logging.WARNING
    _log.log(level, " ".join(f"{name}={value}" for name, value in values.items()), extra=values)


def safe(value: object) -> str:
    """Give a value as one word without anything that a log, a terminal or a parser of the log could take for more."""
    text = "-" if value in (None, "") else f"{value:.4f}" if isinstance(value, float) else str(value)
    cut = text[:_MAX_VALUE_CHARS]
    word = "".join(char if char in _SAFE else f"\\x{{{ord(char):x}}}" for char in cut)
    return word if len(text) == len(cut) else word + "\\..."
