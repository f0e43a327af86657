"""One visit of someone who wants to push: what is known of it so far, its audit record, and how it is turned away.

The rule it upholds: an author is told all that helps, a stranger nothing; and a stranger costs little, in time, in
memory and in lines of the log.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from habanero_receiver.errors import RequestError
from habanero_receiver.http import audit, problems, reads

if TYPE_CHECKING:
    from fastapi import Request, Response

    from habanero_receiver.errors import HabaneroError
    from habanero_receiver.http.context import Context
    from habanero_receiver.http.intake import Intake
    from habanero_receiver.trust import Accepted, Signed

# How much of the rest of a refused body is read and dropped, so that its sender gets to see the answer.
STRANGER_REST_BYTES, STRANGER_REST_S = 65_536, 0.25
AUTHOR_REST_S = 5.0

RETRY_AFTER_S = 1
RETRY_CODES = frozenset({"busy", "no-safe-point", "store-unavailable"})


@dataclass(slots=True, eq=False)
class Visit:
    """A push or a dry run under way.

    `signed` is set once the envelope was found to be signed by who may, `accepted` once what it says may be pushed.
    """

    action: str
    context: Context
    request: Request
    body: Intake
    signed: Signed | None = None
    accepted: Accepted | None = None
    began: float = field(default_factory=time.perf_counter)
    seconds: dict[str, float] = field(default_factory=dict)

    def record(self, code: str = "") -> None:
        """Write the audit record; `code` says why it was refused."""
        target, peer = self.context.node.policy.target, reads.peer_of(self.request)
        entry = audit.Attempt(self.action, "refused" if code else "ok", code, peer, target)
        if self.signed is not None:
            entry = replace(entry, keyids=",".join(self.signed.keyids))
        if self.accepted is not None:
            entry = replace(
                entry,
                seq=self.accepted.head.seq,
                digest=self.accepted.head.digest,
                author=self.accepted.statement.author,
            )
        audit.record(replace(entry, seconds=time.perf_counter() - self.began))

    async def turn_away(self, error: HabaneroError) -> Response:
        """Give the answer for an error."""
        return await (self._stranger(error) if self.signed is None else self._author(error))

    async def _author(self, error: HabaneroError) -> Response:
        self.record(error.code)
        read_all = await self.body.drain(max_bytes=self.context.limits.max_body_bytes, timeout_s=AUTHOR_REST_S)
        return problems.answer(
            error,
            running=self.context.node.running_seq,
            close=not read_all,
            retry_after_s=RETRY_AFTER_S if error.code in RETRY_CODES else None,
        )

    async def _stranger(self, error: HabaneroError) -> Response:
        read_all = await self.body.drain(max_bytes=STRANGER_REST_BYTES, timeout_s=STRANGER_REST_S)
        return turn_stranger_away(self.context, self.request, self.action, error, close=not read_all)


def turn_stranger_away(
    context: Context, request: Request, action: str, error: HabaneroError, *, close: bool
) -> Response:
    """Answer someone who showed no signature: with the error, or with "too many" and then without a record.

    A stranger must not be able to fill the log.
    """
    peer = reads.peer_of(request)
    wait_s = context.throttle.failed(peer, time.monotonic())
    if wait_s is None:
        audit.record(audit.Attempt(action, "refused", error.code, peer, context.node.policy.target))
        retry_after_s = RETRY_AFTER_S if error.code in RETRY_CODES else None
        return problems.answer(error, running=None, close=close, retry_after_s=retry_after_s)
    many = RequestError("too-many-failures", "too many requests from this address failed", help="wait a minute")
    return problems.answer(many, running=None, close=close, retry_after_s=math.ceil(wait_s))
