"""A release that was judged, and where it is gone back to when it turns out to be bad.

What it does: the one step back, for a process that starts and for one that runs alike. What it does not: it decides
nothing that `trust` decides, and has its bytes read by who calls.

The rule it upholds: what is gone back to is signed by keys trusted today, is other code than what is left, and was not
found bad on this machine itself. What others say of an older release counts for nothing: whoever can write to the
bucket could otherwise lead back to any of them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from habanero_receiver.release.statement import Statement

_log = logging.getLogger("habanero")


class Candidate(NamedTuple):
    """A release that was judged: its place, its statement and its envelope. The deployed code has neither."""

    head: trust.Head
    statement: Statement | None = None
    envelope: bytes = b""


def judged(data: bytes, seq: int, digest: str, policy: trust.TrustPolicy, base: str) -> Candidate:
    """The release that an envelope holds, if it is the one with this number and payload digest.

    The errors of `trust.judge_entry`; StoreError `store-corrupt` for another one.
    """
    statement = trust.judge_entry(data, policy, base, None, seq=seq, require_trusted_key=True)
    if digest_of(data) != digest:
        raise StoreError("store-corrupt", f"entry {seq} is another one than the chain of releases names")
    return Candidate(trust.head_of(Envelope.decode(data, policy.limits), statement), statement, data)


def before(
    statement: Statement | None, condemned: Container[str], read: Callable[[int, str], bytes],
    policy: trust.TrustPolicy, base: str,
) -> Candidate:  # fmt: skip
    """What came before a release: the nearest that may be gone back to, else the deployed code.

    `condemned` are the payload digests that this machine found bad; `read` gives an envelope by number and payload
    digest, empty without one. What `read` raises is raised here.
    """
    left = None if statement is None else statement.manifest_digest
    while statement is not None and statement.seq > 1:
        seq, digest = statement.seq - 1, statement.prev
        data = read(seq, digest)
        try:
            found = judged(data, seq, digest, policy, base)
        except HabaneroError as error:
            _log.error("error[%s]: release %d cannot be gone back to: %s", error.code, seq, error.message)
            break
        statement = found.statement
        if digest not in condemned and statement is not None and statement.manifest_digest != left:
            return found
    return Candidate(trust.Head.start(base))


def digest_of(envelope: bytes | None) -> str:
    """The payload digest; empty for bytes that are no envelope."""
    try:
        return Envelope.decode(envelope or b"").digest
    except HabaneroError:
        return ""
