"""From a journal to the newest release in it that can be trusted.

What it does: steps to the journal's last entry, has `trust` judge it and what it follows. What it does not: it decides
nothing that `trust` decides, and reads no code (`images` beside this file does).

The rules it upholds: nothing is the head that is not signed by keys trusted today, over this base, after the very
predecessor that it names. And what was read once is not read again: a bucket that shows an entry and then does not
would have a good release taken for an empty one.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.journal.bucket import TooLargeError
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.statement import Statement
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from habanero_receiver.journal.journal import Journal

BUDGET_S = 5.0
"""How long the search for the head may take. A bucket that is slower counts as one that cannot be used."""


class Found(NamedTuple):
    """The head, and what stands after it and was refused.

    `statement` is None on the base, and `envelope`, the head's entry as it was judged, is empty. `last` is the number
    of the journal's last entry; when it is not the head's, `refused` says what is wrong with it.
    """

    head: trust.Head
    statement: Statement | None
    last: int
    refused: HabaneroError | None
    envelope: bytes = b""


def find_head(
    journal: Journal, policy: trust.TrustPolicy, base: str, *, budget_s: float = BUDGET_S, hint: int = 0
) -> Found:
    """Find the newest entry over `base` that is signed by keys trusted today and follows its predecessor.

    What lies below that one is covered by its hashes and not read again. `hint` is the number of an entry that was
    there before: with a good one, two reads find the last. StoreError when the bucket fails or is slow.
    """
    entries = _Entries(journal, time.monotonic() + budget_s)
    last = _last(entries, hint)
    refused: HabaneroError | None = None
    for seq in range(last, 0, -1):
        try:
            head, statement = _judged(entries, policy, base, seq)
        except StoreError:
            raise
        except HabaneroError as error:
            refused = refused or error
        else:
            return Found(head, statement, last, refused, entries.get(seq) or b"")
    return Found(trust.Head.start(base), None, last, refused)


def _last(entries: _Entries, hint: int) -> int:
    """The number of the last entry: by longer and longer steps from the hint, then by halving the last step.

    Entries are made one after the other, so they end in one place; where somebody took some out, it may be any end.
    """
    there = hint if hint and entries.get(hint) is not None else 0
    step = 1
    while entries.get(there + step) is not None:
        there += step
        step *= 2
    missing = there + step
    while missing - there > 1:
        middle = (there + missing) // 2
        if entries.get(middle) is None:
            missing = middle
        else:
            there = middle
    return there


def _judged(entries: _Entries, policy: trust.TrustPolicy, base: str, seq: int) -> tuple[trust.Head, Statement]:
    previous = trust.Head.start(base)
    if seq > 1:
        before = Envelope.decode(entries.get(seq - 1) or b"", policy.limits)
        previous = trust.head_of(before, Statement.decode(before.payload, policy.limits))
    data = entries.get(seq) or b""
    statement = trust.judge_entry(
        data, policy, base, previous, seq=seq, require_trusted_key=True, earlier=entries.get
    )  # fmt: skip
    return trust.head_of(Envelope.decode(data, policy.limits), statement), statement


class _Entries:
    """The entries of one search, each read once where it is there. `deadline` is on the monotonic clock."""

    def __init__(self, journal: Journal, deadline: float) -> None:
        self._journal, self._deadline = journal, deadline
        self._seen: dict[int, bytes] = {}

    def get(self, seq: int) -> bytes | None:
        """The entry; empty bytes, which nothing accepts, for one that is too large to be one."""
        if seq not in self._seen:
            data = self._read(seq)
            if data is None:
                return None
            self._seen[seq] = data
        return self._seen[seq]

    def _read(self, seq: int) -> bytes | None:
        if time.monotonic() > self._deadline:
            raise StoreError(
                "store",
                f"the bucket took too long: the search for the newest release ended at entry {seq}",
                subject=str(seq),
            )
        try:
            return self._journal.entry(seq)
        except TooLargeError:
            return b""
