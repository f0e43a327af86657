"""The FastAPI sub-app: the table of endpoints, and the one place where an error becomes an answer.

What it does not: no endpoint is documented or listed to the outside, and none redirects.

The rule it upholds: whatever goes wrong inside an endpoint, the answer is a problem document and the attempt is in the
audit log; an exception of ours never reaches the app that we are mounted in.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from fastapi import FastAPI, Response
from starlette.exceptions import HTTPException

from habanero_receiver.errors import HabaneroError, RequestError
from habanero_receiver.http import audit, errors, history, problems, pruning, push, reads
from habanero_receiver.http.visit import turn_stranger_away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import Request

    from habanero_receiver.http.context import Context

    Endpoint = Callable[[Context, Request], Awaitable[Response]]

_log = logging.getLogger("habanero")

READS: dict[str, tuple[str, Endpoint]] = {
    "state": ("/v1/state", reads.state),
    "keys": ("/v1/keys", reads.keys),
    "base": ("/v1/base", reads.base),
    "base-source": ("/v1/base/{sha256}", reads.base_source),
    "running": ("/v1/running", reads.running),
    "listing": ("/v1/listing", reads.listing),
    "journal": ("/v1/journal", history.journal),
    "previous": ("/v1/previous", history.previous),
    "errors": ("/v1/errors", errors.errors),
    "blob": ("/v1/blobs/{sha256}", reads.blob),
    "prune-plan": ("/v1/prune", pruning.plan),
}
POLLED = frozenset({"errors"})
"""Reads that come again and again: what went well is not in the audit log, or that would hold little else."""
PUSHES: dict[str, tuple[str, Endpoint]] = {
    "push": ("/v1/push", push.push),
    "check": ("/v1/check", push.check),
    "prune": ("/v1/prune", pruning.carry_out),
}


def build(context: Context) -> FastAPI:
    """Make the sub-app. Paths are below the mount prefix."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    for action, (path, read) in READS.items():
        app.add_route(path, _endpoint(context, action, _read(context, action, read)), methods=["GET"])
    for action, (path, take) in PUSHES.items():
        app.add_route(path, _endpoint(context, action, _bound(context, take)), methods=["POST"])
    async def unserved(request: Request, error: Exception) -> Response:  # a plain one would be run in a thread
        return _unserved(context, request, error)

    app.add_exception_handler(HTTPException, unserved)
    return app


def _read(context: Context, action: str, read: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    return reads.signed(context, action, read, recorded=action not in POLLED)


def _bound(context: Context, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def bound(request: Request) -> Response:
        return await endpoint(context, request)

    return bound


def _endpoint(
    context: Context, action: str, inner: Callable[[Request], Awaitable[Response]]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await inner(request)
        except HabaneroError as error:
            failure = error
        except Exception:
            _log.exception("%s failed unexpectedly", action)
            failure = problems.unexpected()
        keyid = getattr(request.state, "keyid", "")
        if not (keyid or _shows_a_signature(failure)):
            return turn_stranger_away(context, request, action, failure, close=True)
        peer, target = reads.peer_of(request), context.node.policy.target
        audit.record(audit.Attempt(action, "refused", failure.code, peer, target, keyids=keyid))
        return problems.answer(failure, running=context.node.running_seq)

    return endpoint


def _shows_a_signature(error: HabaneroError) -> bool:
    """Whether a read was refused for what it says, which is looked at only after its signature was found good."""
    return not isinstance(error, RequestError) and error.code not in ("unauthorized", "internal")


def _unserved(context: Context, request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    if status == 405:
        failure = RequestError("method-not-allowed", "this path is not served for that method")
    else:
        failure = RequestError("not-found", "there is nothing at this path")
    answer = turn_stranger_away(context, request, "unserved", failure, close=False)
    answer.headers.update(getattr(error, "headers", None) or {})
    return answer
