"""The last release over the code that was deployed before: what a new deployment should hold by now.

What it does: finds, among the journals of the same app and environment in a bucket, the release that was made last and
not withdrawn, over another base. What it does not: it decides nothing and verifies no signature; what it finds is for a
person to compare with.

The rule it upholds: a journal that cannot be read, or is of another target, is passed over; and the number of journals
and entries that are looked at is bounded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError
from habanero_receiver.journal import verdict
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BASES = 200
MAX_BACK = 10
"""How many withdrawn releases at the end of a journal are passed over."""


@dataclass(frozen=True, slots=True)
class Last:
    """A release over another base: its statement, and the manifest that it names (None when that was pruned)."""

    statement: Statement
    manifest: bytes | None


def last_elsewhere(journal: Journal, target: str) -> Last | None:
    """The newest release of `target` over any base but this journal's own. StoreError when the bucket fails."""
    folder, _, own = journal.prefix.rpartition("/")
    _, app, environment = folder.split("/")
    bases = [path.rpartition("/")[2] for path in journal.bucket.folders(folder, max_folders=MAX_BASES)]
    others = (Journal(journal.bucket, app, environment, base) for base in bases if base != own and _is_hex(base))
    found = [(statement, other) for other in others for statement in _newest(other, target)]
    if not found:
        return None
    statement, other = max(found, key=lambda each: each[0].issued)
    try:
        data = other.get_blob(statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size)
    except HabaneroError:
        data = None
    return Last(statement, data)


def _newest(journal: Journal, target: str) -> Iterator[Statement]:
    """The newest release that was not withdrawn, if there is one that can be read."""
    for seq in journal.numbers()[: -MAX_BACK - 1 : -1]:
        try:
            envelope = Envelope.decode(journal.entry(seq) or b"")
            statement = Statement.decode(envelope.payload)
        except HabaneroError:
            return
        if statement.target != target:
            return
        if verdict.beside(statement, envelope.digest, [journal.newest_verdict(seq)]) is None:
            yield statement
            return


def _is_hex(word: str) -> bool:
    return len(word) == 64 and set(word) <= set("0123456789abcdef")
