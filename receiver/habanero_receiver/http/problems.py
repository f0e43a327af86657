"""Errors as answers: RFC 9457 problem documents with the same stable codes as the rest of the project.

What it does not: it decides no status; the table of codes in `errors` does.

The rule it upholds: a stranger gets one uniform answer, and no answer shows our own stack.
"""

from __future__ import annotations

import json

from fastapi import Response

from habanero_receiver.errors import HabaneroError

MEDIA_TYPE = "application/problem+json"


def answer(
    error: HabaneroError, *, running: int | None, close: bool = False, retry_after_s: int | None = None
) -> Response:
    """Give the response for an error. `close` ends the connection: for a body that was not read to its end."""
    headers = {"Cache-Control": "no-store"}
    if close:
        headers["Connection"] = "close"
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    problem = error.problem(running)
    if problem["status"] == 401:
        headers["WWW-Authenticate"] = "Habanero"
    return Response(json.dumps(problem), int(str(problem["status"])), headers, MEDIA_TYPE)


def unexpected() -> HabaneroError:
    """Make the error that stands for a bug of ours: it tells where to look and nothing of the inside."""
    return HabaneroError("internal", "the receiver failed unexpectedly", help="the server's log has the traceback")
