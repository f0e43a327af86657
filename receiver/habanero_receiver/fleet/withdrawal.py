"""What a running process does about a verdict: the release that it is to run becomes the one before.

    look      one read of the bucket, no more often than the pace allows: does a verdict stand beside the tip?
    heed      the tip is passed over: `node.seen` is the release before it, and the same swap path leads there
    pronounce this process itself found the tip bad: remembered on this machine, heeded at once
    tell      what this machine found bad is said in the bucket

What it does not: it changes no code (`follower` and `apply` do), counts no errors (`probation` does), and takes no
verdict back: a newer signed entry does, a push or a clear.

The rule it upholds: a verdict leads one step back, and only from the journal's last release, when that allows it.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from habanero_receiver import verdicts
from habanero_receiver.fleet.node import Release
from habanero_receiver.journal import candidate, verdict

if TYPE_CHECKING:
    from habanero_receiver.fleet.node import Node

_log = logging.getLogger("habanero")

TELL_WAIT_S = 5.0


def look(node: Node) -> bool:
    """Whether there is a verdict that was not heeded yet. Reads one key, once in a while; StoreError as the bucket."""
    if node.accusation is not None and node.seen.head.digest == node.tip.digest == node.accusation.digest:
        return True
    if not _may_be_withdrawn(node) or time.monotonic() < node.verdict_at:
        return False
    node.verdict_at = time.monotonic() + node.pace.verdict_s
    return _verdict(node) is not None


def heed(node: Node) -> None:
    """Pass the tip over when a verdict stands beside it. Caller holds swap_lock; StoreError as the bucket."""
    if not _may_be_withdrawn(node) or (found := _verdict(node)) is None:
        return
    head = node.tip
    node.ledger.condemn(head.digest, head.seq, found.reason, told=found is not node.accusation)
    back = before(node)
    node.withdrawn, node.seen = found, Release(back.head, back.statement)
    _log.error("error[condemned]: release %d was withdrawn (%s: %s); this process goes to release %d",
               head.seq, found.machine, found.reason, back.head.seq)  # fmt: skip


def before(node: Node) -> candidate.Candidate:
    """What this process would fall back to from the release that it is to run. StoreError as the bucket."""

    def read(seq: int, _digest: str) -> bytes:
        return node.journal.entry(seq) or b""

    return candidate.before(node.seen.statement, node.ledger.condemned(), read, node.policy, node.base.digest)


def pronounce(node: Node, reason: str) -> None:
    """Find the tip bad: remembered on this machine, heeded here. `tell` says it in the bucket."""
    head, machine = node.tip, node.identity.machine
    node.ledger.condemn(head.digest, head.seq, reason, told=False)
    node.accusation = verdict.Verdict(head.digest, reason, machine, time.time())


def tell(node: Node) -> bool:
    """Say in the bucket what this machine found bad and has not said yet; whether all is said."""
    return verdicts.tell(node.ledger, node.journal.bucket, node.journal, node.identity.machine, TELL_WAIT_S)


def _may_be_withdrawn(node: Node) -> bool:
    statement = node.seen.statement
    at_tip = node.seen.head.digest == node.tip.digest
    return at_tip and statement is not None and statement.withdraw.allowed


def _verdict(node: Node) -> verdict.Verdict | None:
    """What stands against the tip: what is known here already, else what the bucket says."""
    for known in (node.passed_over, node.accusation):
        if known is not None and known.digest == node.tip.digest:
            return known
    return verdict.beside(node.seen.statement, node.tip.digest, [node.journal.newest_verdict(node.tip.seq)])
