"""The endpoints that only read: the state of the fleet, the base and its sources, a blob, what runs.

Each wants a signed request by a trusted key; what they show is the app's source code.

The rule it upholds: a stranger learns nothing, not even whether a path or a blob exists.
"""

from __future__ import annotations

import asyncio
import base64
import time
from typing import TYPE_CHECKING, Any

from fastapi import Response
from fastapi.responses import JSONResponse

from habanero_receiver import trust
from habanero_receiver.errors import RequestError, TrustError
from habanero_receiver.fleet import heartbeat, inspection
from habanero_receiver.fleet.node import now
from habanero_receiver.http import audit
from habanero_receiver.http import keys as whom

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from fastapi import Request

    from habanero_receiver.fleet.node import Node
    from habanero_receiver.http.context import Context
    from habanero_receiver.trust import Head

ANSWERS_WAIT_S = 20.0
"""How long the workers are given to hear that they are asked, and to look at all their modules."""


def authorize(context: Context, request: Request, role: str = "read") -> str:
    """Give the keyid of the trusted key with that role that signed this request.

    TrustError "unauthorized" for everyone else; "keys-unreadable" while nobody can be told from everyone else.
    """
    node = context.node
    node.look_at_keys()
    query = request.url.query
    path = request.url.path + (f"?{query}" if query else "")
    header = request.headers.get("authorization", "")
    keyid = trust.judge_request(header, request.method, path, node.policy, now(), role)
    node.check_keys()
    return keyid


def check_shown(context: Context, request: Request) -> None:
    """TrustError or RequestError unless a trusted key signed this request, whatever that key is good for here."""
    try:
        authorize(context, request)
    except TrustError as error:
        if error.code != "unauthorized":
            raise
        authorize(context, request, "prune")


def signed(
    context: Context, action: str, read: Callable[[Context, Request], Awaitable[Response]], *, recorded: bool = True
) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a read so that nothing of it happens before the request was found to be signed.

    `recorded`: whether the audit log has it when it goes well; it always has what does not.
    """

    async def endpoint(request: Request) -> Response:
        keyid = request.state.keyid = authorize(context, request)
        response = await read(context, request)
        response.headers["Cache-Control"] = "no-store"
        if recorded:
            audit.record(audit.Attempt(action, "ok", "", peer_of(request), context.node.policy.target, keyids=keyid))
        return response

    return endpoint


def peer_of(request: Request) -> str:
    """Name the other end of the connection. Headers that a sender can write are not believed."""
    return request.client.host if request.client else ""


async def state(context: Context, _request: Request) -> Response:
    """What the journal's head is, what runs, and on whom."""
    return JSONResponse(await context.in_thread(_state, context.node))


async def keys(context: Context, _request: Request) -> Response:
    """Whom this server trusts, with what, and until when."""
    return JSONResponse(whom.listed(context.node.policy, now()))


async def base(context: Context, _request: Request) -> Response:
    """The code that this process was deployed with, by digest."""
    return JSONResponse(await context.in_thread(_base, context.node))


async def base_source(context: Context, request: Request) -> Response:
    """The source of a module of the base, by its sha256: no other file can be asked for."""
    digest = request.path_params["sha256"]
    name = next((name for name, file in context.node.base.modules.items() if file.sha256 == digest), None)
    if name is None:
        raise RequestError("not-found", "the base has no such source", subject=digest, help="habanero-py show 0")
    data = await context.in_thread(_base_source, context.node, name)
    return Response(data, media_type="application/octet-stream")


async def running(context: Context, _request: Request) -> Response:
    """What every live worker says that its modules are, found by looking at them now."""
    node = context.node
    nonce = await context.in_thread(inspection.ask, node)
    deadline = time.monotonic() + ANSWERS_WAIT_S
    while True:
        beats = await context.in_thread(node.beats)
        answers = await context.in_thread(inspection.answers, node, nonce, beats)
        if len(answers) == len(beats) or time.monotonic() > deadline:
            break
        await asyncio.sleep(max(0.05, node.pace.look_s))
    workers = [{"machine": beat.machine, "pid": beat.pid, "answer": answers.get(beat.name)} for beat in beats]
    return JSONResponse({"workers": workers})


async def listing(context: Context, _request: Request) -> Response:
    """What a listing of the bucket shows: the numbers of this journal's entries, and the signed prunings."""
    return JSONResponse(await context.in_thread(_listing, context.node))


async def blob(context: Context, request: Request) -> Response:
    """One blob's bytes."""
    digest = request.path_params["sha256"]
    data = await context.in_thread(_blob, context.node, digest)
    if data is None:
        raise RequestError("not-found", "the bucket has no such blob", subject=digest, help="habanero-py log")
    return Response(data, media_type="application/octet-stream")


def machines(node: Node) -> tuple[list[Mapping[str, Any]], list[heartbeat.Beat]]:
    """Give who is alive and what each runs, for people and for counting."""
    beats = node.beats()
    return heartbeat.machines(beats), beats


def _state(node: Node) -> dict[str, Any]:
    running = node.running.release.head if node.running is not None else None
    author = node.seen.statement.author if node.seen.statement is not None else ""
    return {
        "v": 1,
        "target": node.policy.target,
        "base": node.base.digest,
        "python": node.policy.python.to_json(),
        "head": {
            **_head(node.tip),
            "author": author if node.seen.head.digest == node.tip.digest else "",
            "frozen": node.tip.frozen,
            "trusted": node.doubt is None,
        },
        "running": None if running is None else _head(running),
        "withdrawn": withdrawn(node),
        "dirty": node.dirty,
        "modules": sorted(node.policy.allowed_modules),
        "root": str(node.base.root),
        "machines": machines(node)[0],
        "threshold": node.policy.threshold,
        "max_window_s": node.policy.limits.max_window_s,
    }


def withdrawn(node: Node) -> dict[str, Any] | None:
    """The verdict for which the head is passed over, and the release that is to run instead; None without one."""
    found = node.passed_over
    if found is None:
        return None
    said = {"reason": found.reason, "machine": found.machine, "at": found.at}
    return {"seq": node.tip.seq, "digest": node.tip.digest, "runs": node.seen.head.seq, **said}


def _head(head: Head) -> dict[str, Any]:
    return {"seq": head.seq, "digest": head.digest, "issued": whom.when(head.issued)}


def _base(node: Node) -> dict[str, Any]:
    modules = {
        name: {"package": file.package, "path": file.path, "sha256": file.sha256, "size": file.size}
        for name, file in node.base.modules.items()
    }
    return {"base": node.base.digest, "modules": modules}


def _base_source(node: Node, name: str) -> bytes:
    source = node.base_source(name)
    return node.base.source(name) if source is None else source


def _listing(node: Node) -> dict[str, Any]:
    prunings = [base64.b64encode(data).decode() for data in node.journal.prunings().values()]
    return {"numbers": node.journal.numbers(), "prunings": prunings}


def _blob(node: Node, digest: str) -> bytes | None:
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        return None
    return node.journal.get_blob(digest, node.policy.limits.max_blob_bytes)
