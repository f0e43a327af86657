"""The endpoint for those who watch what they released: errors out of released code, and whether it was withdrawn.

What it does: gives what every worker last said of its errors (`fleet.reports`), and the verdict on the newest release.
Asked again and again by a laptop whose `watch` is open, it says itself how often that is of use, so that a bucket on a
network is not listed more often than its pace allows.

The rule it upholds: tracebacks are source code, and words of exceptions may be anybody's data: only a signed request
by a trusted key gets them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.responses import JSONResponse

from habanero_receiver.fleet import reports
from habanero_receiver.http import reads

if TYPE_CHECKING:
    from fastapi import Request, Response

    from habanero_receiver.fleet.node import Node
    from habanero_receiver.http.context import Context


async def errors(context: Context, _request: Request) -> Response:
    """What came out of released code on all workers, each kind of error once."""
    return JSONResponse(await context.in_thread(_errors, context.node))


def _errors(node: Node) -> dict[str, Any]:
    said = (reports.decode(data) for data in node.journal.errors().values())
    return {
        "v": 1,
        "again_s": node.pace.report_s * 2,
        "head": node.tip.seq,
        "withdrawn": reads.withdrawn(node),
        "workers": [worker for worker in said if worker is not None],
    }
