"""Takes a push: reads it, has it judged, lets the fleet apply it, and answers with what runs now.

    read envelope -> judge -> read manifest, blobs -> judge -> walk PUSH (or CHECK) -> wait for the other workers

What it does not: it decides neither whom to trust (`trust`) nor how a release is applied (`fleet.apply`).

The rule it upholds: not a byte after the envelope is waited for, and no place is taken, before the envelope is found to
be signed by who may; a stranger gets the same answer whatever is wrong behind it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from fastapi.responses import JSONResponse

from habanero_receiver import trust
from habanero_receiver.errors import ConflictError, HabaneroError, RequestError, SwapError
from habanero_receiver.fleet import apply, follower, heartbeat, images
from habanero_receiver.fleet.node import Release, now
from habanero_receiver.http import problems, reads
from habanero_receiver.http.intake import Intake
from habanero_receiver.http.visit import Visit
from habanero_receiver.journal import prune
from habanero_receiver.release.body import MEDIA_TYPE, BlobPart, PushParser

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request, Response

    from habanero_receiver.fleet.node import Node
    from habanero_receiver.http.context import Context, Place
    from habanero_receiver.release.body import Part
    from habanero_receiver.release.manifest import Manifest
    from habanero_receiver.release.statement import Statement

_log = logging.getLogger("habanero")

# Beyond the deadline of a swap, before the answer stops waiting for it.
GRACE_S = 1.0


async def push(context: Context, request: Request) -> Response:
    """POST /v1/push: apply a release here, record it, and wait a bounded time for the fleet."""
    return await _answer("push", context, request, apply.PUSH)


async def check(context: Context, request: Request) -> Response:
    """POST /v1/check: the same body and the same checks; stage, report, discard. Nothing is kept."""
    return await _answer("check", context, request, apply.CHECK)


async def _answer(action: str, context: Context, request: Request, steps: tuple[apply.Step, ...]) -> Response:
    """Turn whatever comes of it into one answer and one audit record."""
    visit = Visit(action, context, request, Intake(request, limits=context.limits))
    try:
        visit.body.check_headers(MEDIA_TYPE)
        said = await _receive(visit, steps)
    except HabaneroError as error:
        failure = error
    except Exception:
        _log.exception("%s failed unexpectedly", action)
        failure = problems.unexpected()
    else:
        visit.record()
        return JSONResponse(said, headers={"Cache-Control": "no-store"})
    return await visit.turn_away(failure)


async def _receive(visit: Visit, steps: tuple[apply.Step, ...]) -> dict[str, Any]:
    context, parser = visit.context, PushParser(visit.context.limits)
    with context.unjudged.enter(lambda: reads.check_shown(context, visit.request)):
        envelope = await _wanted(visit.body, parser)
        context.node.look_at_keys()
        visit.signed = trust.judge_signatures(envelope, context.node.policy, now())
    context.node.check_keys()
    visit.accepted = accepted = await _judge(context, visit.signed)
    if accepted.already_applied:
        return await _applied_before(visit, accepted)
    if accepted.statement.restores:
        await context.in_thread(_check_restored, context.node, accepted.statement)
    with context.place() as place:
        manifest, blobs = await _rest(visit, parser, accepted)
        visit.seconds["verify"] = time.perf_counter() - visit.began
        attempt = apply.Attempt(
            context.node,
            Release(accepted.head, accepted.statement),
            time.monotonic() + context.swap_timeout_s,
            envelope=envelope,
            manifest=manifest,
            blobs=blobs,
        )
        await _take(context, place, attempt, steps)
    visit.seconds |= attempt.seconds
    said = _said(accepted, attempt.report, visit.seconds)
    if steps is apply.CHECK:
        return said
    context.in_background(_keep_again, context.node, attempt)
    return said | await _acknowledged(context, accepted)


async def _next(body: Intake, parser: PushParser) -> Part | None:
    """Read up to the end of the next part, and no byte more; None when there is no further part."""
    while (part := parser.next_part()) is None and parser.need:
        portion = await body.take(parser.need)
        if not portion:
            parser.close()
        parser.feed(portion)
    return part


async def _wanted(body: Intake, parser: PushParser) -> bytes:
    part = await _next(body, parser)
    if part is None:
        raise RuntimeError("the parser has no part here")
    return part.data


async def _judge(context: Context, signed: trust.Signed) -> trust.Accepted:
    """Judge against the tip that we know; when that is not the predecessor, look into the journal and judge again."""
    node = context.node
    try:
        return trust.judge_push(signed, node.policy, node.base.digest, node.tip, now())
    except ConflictError as error:
        if error.code != "not-next":
            raise
    await _catch_up(context)
    return trust.judge_push(signed, node.policy, node.base.digest, node.tip, now())


def _check_restored(node: Node, statement: Statement) -> None:
    """Judge what a rollback brings back by the journal: the entries down to it, which are read side by side."""
    entries = node.journal.entries(statement.restores or 1, statement.seq - 1)
    trust.judge_restored(statement, entries.get, node.policy)


async def _catch_up(context: Context) -> None:
    try:
        await context.in_thread(follower.catch_up, context.node)
    except SwapError as error:
        _log.error("a release of another worker was not applied (%s): %s", error.code, error.message)


async def _rest(
    visit: Visit, parser: PushParser, accepted: trust.Accepted
) -> tuple[tuple[Manifest, bytes], dict[str, bytes]]:
    """Read and judge the manifest and the blobs, up to the end of the body."""
    node, body = visit.context.node, visit.body
    parser.expect_manifest(accepted.statement.manifest_size)
    data = await _wanted(body, parser)
    manifest = trust.judge_manifest(data, accepted.statement, node.policy)
    _check_deleted(node, manifest)
    sizes = manifest.blobs()
    parser.expect_blobs(sizes, await visit.context.in_thread(_held, node, sizes))
    blobs: dict[str, bytes] = {}
    while isinstance(part := await _next(body, parser), BlobPart):
        blobs[part.sha256] = part.data
    if not await body.finish():
        raise RequestError("truncated", "bytes follow the end of the push; nothing changed", help="update habanero-py")
    return (manifest, data), blobs


def _check_deleted(node: Node, manifest: Manifest) -> None:
    running = node.known.images if node.known is not None else {}
    for name, entry in manifest.modules.items():
        if entry is None and name not in node.base.modules and name not in running:
            raise SwapError(
                "unknown-module",
                f"{name} is to be deleted, but neither the base nor the running release has it; nothing changed",
                subject=name,
                help="push again: the difference is then taken from what the server runs",
            )


def _held(node: Node, sizes: Mapping[str, int]) -> set[str]:
    """Find the blobs that need not be sent: those of the last release loaded here, and those in the bucket."""
    manifest = node.known.manifest if node.known is not None else None
    known = set() if manifest is None else manifest.blobs().keys() & sizes.keys()
    return known | {sha256 for sha256 in sizes.keys() - known if node.journal.has_blob(sha256)}


async def _take(context: Context, place: Place, attempt: apply.Attempt, steps: tuple[apply.Step, ...]) -> None:
    """Walk the steps in a thread, which keeps the place until it is done, even when we no longer wait for it."""
    work = asyncio.ensure_future(context.in_thread(apply.take, steps, attempt))
    place.keep_until(work)
    await asyncio.wait((work,), timeout=context.swap_timeout_s + GRACE_S)
    if not work.done() and attempt.at in apply.BEFORE_COMMIT:
        # The deadline has passed, so the thread will not commit, whenever it comes back.
        raise SwapError(
            "rolled-back",
            f"release {attempt.release.head.seq} took more than {context.swap_timeout_s:g} s to stage; nothing changed",
            help="a statement that is run again blocks; move that work into a function",
        )
    await work


async def _applied_before(visit: Visit, accepted: trust.Accepted) -> dict[str, Any]:
    """Answer a repeated push of the head: whether it is live is told from what runs, not from the journal."""
    if not visit.context.node.up_to_date:
        await _catch_up(visit.context)
    said = _said(accepted, {"modules": []}, visit.seconds, already=True)
    return said | await _acknowledged(visit.context, accepted)


async def _acknowledged(context: Context, accepted: trust.Accepted) -> dict[str, Any]:
    """Wait, for a bounded time, until every live worker has said that it runs this release, or that it cannot."""
    head, pause_s = accepted.head, context.node.pace.look_s / 2
    deadline = time.monotonic() + context.acknowledge_s
    while True:
        machines, beats = await context.in_thread(reads.machines, context.node)
        if heartbeat.settled(beats, head.seq, head.digest) or time.monotonic() > deadline:
            context.in_background(_confirm, context.node, head, beats)
            said = {"machines": machines, "in_step": heartbeat.in_step(beats, head.seq, head.digest)}
            return said | {"withdrawn": reads.withdrawn(context.node)}
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, context.node.pace.look_s)


def _keep_again(node: Node, attempt: apply.Attempt) -> None:
    """See that no prune took what the release needs while it was recorded: here all of it is still in memory."""
    try:
        prune.keep_again(node.journal, images.blobs_of(attempt.loaded))
    except HabaneroError as error:
        _log.warning("could not see whether the bucket holds all of release %d: %s", attempt.release.head.seq,
                     error.message)  # fmt: skip


def _confirm(node: Node, head: trust.Head, beats: list[heartbeat.Beat]) -> None:
    """Note for the journal's readers who runs the release. Informative: the push is answered whatever comes of it."""
    try:
        node.journal.put_confirmed(head.seq, heartbeat.confirmation(beats, head.seq, head.digest))
    except HabaneroError as error:
        _log.warning("could not note who runs release %d: %s", head.seq, error.message)


def _said(
    accepted: trust.Accepted, report: Mapping[str, Any], seconds: Mapping[str, float], *, already: bool = False
) -> dict[str, Any]:
    return {
        "seq": accepted.head.seq,
        "digest": accepted.head.digest,
        "already_applied": already,
        "report": report,
        "seconds": seconds,
    }
