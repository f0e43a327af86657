"""Looks, now and then, whether the bucket still holds what this process ran: its past must not change behind it.

What it does: reads the journal's format and the entry at the end of the chain that this process has judged, and
compares the entry's digest. What it does not: it changes nothing that runs, whatever it finds; what comes next in the
journal is the follower's to judge.

The rule it upholds: a journal that was turned back, emptied, rewritten or is of another version is said aloud, once in
the log and in every heartbeat for as long as it is so. A bucket that does not answer is no finding: the follower says
that.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError, RequestError, StoreError
from habanero_receiver.fleet.heartbeat import Failure, clip
from habanero_receiver.journal.bucket import TooLargeError
from habanero_receiver.release.envelope import Envelope

if TYPE_CHECKING:
    from habanero_receiver.fleet.node import Node

_log = logging.getLogger("habanero")

_FINDINGS = frozenset({"store-format", "store-not-exclusive"})


class Guard:
    """Looked at every moment by the follower's thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._next = 0.0

    def look(self) -> None:
        """Compare, if it is time to. Reads two small objects."""
        node = self._node
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + node.pace.guard_s
        try:
            found = _wrong(node)
        except StoreError:
            return
        before, node.alarm = node.alarm, None if found is None else _told(node, found)
        if node.alarm == before:
            return
        node.tell.set()
        if found is None:
            _log.warning("the bucket holds again what this process ran")
        else:
            _log.error("error[%s]: %s; this process goes on with release %s\n  help: %s",
                       found.code, found.message, node.running_seq, found.help)  # fmt: skip


def _told(node: Node, found: HabaneroError) -> Failure:
    return Failure(node.running_seq or 0, found.code, clip(found.message))


def _wrong(node: Node) -> HabaneroError | None:
    tip = node.tip
    try:
        node.journal.check_format()
        data = node.journal.entry(tip.seq) if tip.seq else None
    except TooLargeError:
        data = b""
    except StoreError as error:
        if error.code not in _FINDINGS:
            raise
        return error
    if not tip.seq or _digest(data or b"") == tip.digest:
        return None
    return StoreError(
        "journal-turned-back",
        f"the bucket no longer holds release {tip.seq} as this process read it",
        subject=node.journal.entry_key(tip.seq),
        help="find out who wrote to the bucket, and restore it; the machines still run what they ran",
    )


def _digest(data: bytes) -> str:
    try:
        return Envelope.decode(data).digest
    except RequestError:
        return ""
