"""GET and POST /v1/prune: what could be removed from the bucket, and its removal.

Looking wants a signed read, removing a key with the role `prune`. What was asked for is in
the signed path, so the request itself is kept as the record of who had what removed; `verify` reads it.

The rule it upholds: the server works out anew what may go, and removes less than was asked for, never more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi.responses import JSONResponse

from habanero_receiver.errors import ConflictError, RequestError
from habanero_receiver.fleet.node import now
from habanero_receiver.http import audit, reads
from habanero_receiver.journal import prune
from habanero_receiver.release.request import decode_header

if TYPE_CHECKING:
    from fastapi import Request, Response

    from habanero_receiver.fleet.node import Node
    from habanero_receiver.http.context import Context

MAX_DAYS = 36_500


async def plan(context: Context, request: Request) -> Response:
    """What a prune with these rules would remove. Changes nothing."""
    node = context.node
    days, keep = _number(request, "days", MAX_DAYS), _number(request, "keep", MAX_DAYS)
    found = await context.in_thread(prune.find, node.journal, node.policy.target, _rules(node, days, keep), now())
    return JSONResponse(_said(node, found))


async def carry_out(context: Context, request: Request) -> Response:
    """Remove it. The signed request is kept in the bucket before anything goes."""
    node = context.node
    keyid = request.state.keyid = reads.authorize(context, request, "prune")
    if request.query_params.get("base") != node.base.digest:
        raise ConflictError(
            "base-mismatch",
            "the prune is for another deployment than this; nothing was removed",
            help="habanero-py prune looks again",
        )
    days, keep = _number(request, "days", MAX_DAYS), _number(request, "keep", MAX_DAYS)
    below = _number(request, "below", 99_999_999)
    with context.pruning():
        said = await context.in_thread(_carry_out, node, _rules(node, days, keep), below, _envelope(request))
    audit.record(audit.Attempt("prune", "ok", "", reads.peer_of(request), node.policy.target, keyids=keyid))
    return JSONResponse(said, headers={"Cache-Control": "no-store"})


def _carry_out(node: Node, rules: prune.Rules, below: int, envelope: bytes) -> dict[str, Any]:
    found = prune.find(node.journal, node.policy.target, rules, now(), below=below)
    if found.below < below:
        raise ConflictError(
            "prune-refused",
            f"releases from #{found.below} on are young, or may be needed to fall back to; nothing was removed",
            subject=f"#{found.below}",
            help="habanero-py prune looks again at what may go",
        )
    node.journal.put_pruning(envelope)
    removed = prune.carry_out(node.journal, found)
    return _said(node, found) | {"blobs": removed}


def _rules(node: Node, days: int, keep: int) -> prune.Rules:
    """What runs may be behind the head; the lower of the two counts."""
    seqs = (node.tip.seq, node.seen.head.seq, node.running_seq or 0)
    return prune.Rules(days, keep, min(seqs))


def _said(node: Node, found: prune.Plan) -> dict[str, Any]:
    bases = [
        {
            "base": "sha256:" + base.prefix.rpartition("/")[2],
            "entries": base.entries,
            "newest": None if base.newest is None else base.newest.isoformat(),
        }
        for base in found.bases
    ]
    releases = list(found.releases)
    return {"base": node.base.digest, "below": found.below, "releases": releases, "bases": bases,
            "blobs": len(found.blobs)}  # fmt: skip


def _envelope(request: Request) -> bytes:
    envelope = decode_header(request.headers.get("authorization", ""))
    if envelope is None:
        raise RuntimeError("a request that was authorized has an envelope")
    return envelope.encode()


def _number(request: Request, name: str, most: int) -> int:
    text = request.query_params.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 8 and int(text) <= most):
        raise RequestError("bad-query", f"{name} is a number of at most {most}", subject=name, help="habanero-py prune")
    return int(text)
