"""From a journal to the newest release in it that can be trusted.

What it does: steps to the journal's last entry, has `trust` judge it and what it follows. What it does not: it decides
nothing that `trust` decides, and reads no code (`images` beside this file does).

The rule it upholds: nothing is the head that is not signed by keys trusted today, over this base, after the very
predecessor that it names.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.journal.bucket import TooLargeError
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.statement import Statement

if TYPE_CHECKING:
    from habanero_receiver.journal.journal import Journal

BUDGET_S = 5.0
"""How long the search for the head may take. A bucket that is slower counts as one that cannot be used."""


class Found(NamedTuple):
    """The head, and what stands after it and was refused.

    `statement` is None on the base. `last` is the number of the journal's last entry; when it is not the head's,
    `refused` says what is wrong with it.
    """

    head: trust.Head
    statement: Statement | None
    last: int
    refused: HabaneroError | None


def find_head(
    journal: Journal, policy: trust.TrustPolicy, base: str, *, budget_s: float = BUDGET_S, hint: int = 0
) -> Found:
    """Find the newest entry over `base` that is signed by keys trusted today and follows its predecessor.

    What lies below that one is covered by its hashes and not read again. `hint` is the number of an entry that was
    there before: with a good one, two reads find the last. StoreError when the bucket fails or is slow.
    """
    deadline = time.monotonic() + budget_s
    last = _last(journal, hint, deadline)
    refused: HabaneroError | None = None
    for seq in range(last, 0, -1):
        try:
            head, statement = _judged(journal, policy, base, seq, deadline)
        except StoreError:
            raise
        except HabaneroError as error:
            refused = refused or error
        else:
            return Found(head, statement, last, refused)
    return Found(trust.Head.start(base), None, last, refused)


def _last(journal: Journal, hint: int, deadline: float) -> int:
    """The number of the last entry: by longer and longer steps from the hint, then by halving the last step.

    Entries are made one after the other, so they end in one place; where somebody took some out, it may be any end.
    """
    there = hint if hint and _entry(journal, hint, deadline) is not None else 0
    step = 1
    while _entry(journal, there + step, deadline) is not None:
        there += step
        step *= 2
    missing = there + step
    while missing - there > 1:
        middle = (there + missing) // 2
        if _entry(journal, middle, deadline) is None:
            missing = middle
        else:
            there = middle
    return there


def _judged(
    journal: Journal, policy: trust.TrustPolicy, base: str, seq: int, deadline: float
) -> tuple[trust.Head, Statement]:
    previous = trust.Head.start(base)
    if seq > 1:
        before = Envelope.decode(_entry(journal, seq - 1, deadline) or b"", policy.limits)
        previous = trust.head_of(before, Statement.decode(before.payload, policy.limits))
    data = _entry(journal, seq, deadline) or b""
    statement = trust.judge_entry(
        data,
        policy,
        base,
        previous,
        seq=seq,
        require_trusted_key=True,
        earlier=lambda number: _entry(journal, number, deadline),
    )
    return trust.head_of(Envelope.decode(data, policy.limits), statement), statement


def _entry(journal: Journal, seq: int, deadline: float) -> bytes | None:
    """The entry; empty bytes, which nothing accepts, for one that is too large to be one."""
    if time.monotonic() > deadline:
        raise StoreError(
            "store",
            f"the bucket took too long: the search for the newest release ended at entry {seq}",
            subject=str(seq),
        )
    try:
        return journal.entry(seq)
    except TooLargeError:
        return b""
