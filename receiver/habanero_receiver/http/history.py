"""The endpoints that give the journal out, entry by entry, with what lies beside each, and the end of the one before.

What it does: reads side by side what a bucket on a network would give one by one in seconds. What it does not: it
judges nothing; whoever asks verifies what comes.

The rule it upholds: an answer has a bounded size, whatever the journal holds; what does not fit comes with the next.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

from fastapi.responses import JSONResponse

from habanero_receiver.errors import HabaneroError, RequestError
from habanero_receiver.journal import verdict
from habanero_receiver.journal.bucket import TooLargeError
from habanero_receiver.journal.elsewhere import last_elsewhere
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.statement import Statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from fastapi import Request, Response

    from habanero_receiver.fleet.node import Node
    from habanero_receiver.http.context import Context

MAX_ENTRIES = 1_000
MAX_PAGE_BYTES = 4 * 1024 * 1024
"""Of entries and manifests; the answer's base64 is a third more."""
BATCH = 100


async def previous(context: Context, _request: Request) -> Response:
    """The last release over the code that was deployed before, with its manifest; null without one."""
    return JSONResponse(await context.in_thread(_previous, context.node))


async def journal(context: Context, request: Request) -> Response:
    """Journal entries after number N, oldest first, at most 1,000 and 4 MiB at a time.

    With details=1 each has its manifest, the note of who confirmed it, and the newest verdict on it.
    """
    text = request.query_params.get("after", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise RequestError("bad-query", "after is a number of a release", subject="after", help="/v1/journal?after=0")
    details = request.query_params.get("details") == "1"
    return JSONResponse(await context.in_thread(_entries, context.node, int(text), details))


def _previous(node: Node) -> dict[str, Any]:
    found = last_elsewhere(node.journal, node.policy.target)
    if found is None:
        return {"release": None}
    statement, manifest = found.statement, found.manifest
    return {
        "release": {
            "base": statement.base,
            "seq": statement.seq,
            "manifest_digest": statement.manifest_digest,
            "manifest": None if manifest is None else base64.b64encode(manifest).decode(),
        }
    }


def _entries(node: Node, after: int, details: bool) -> dict[str, Any]:
    entries: list[dict[str, Any]] = []
    room = MAX_PAGE_BYTES
    while len(entries) < MAX_ENTRIES and room > 0:
        first = after + len(entries) + 1
        count = min(BATCH, MAX_ENTRIES - len(entries), max(1, node.tip.seq - first + 1))
        batch = _batch(node, first, count)
        told = _detailed(node, batch, room) if details else [_plain(seq, data) for seq, data in batch.items()]
        room -= sum(len(each["envelope"]) + len(each.get("manifest") or "") for each in told)
        entries += told
        if len(told) < count:
            break
    return {"entries": entries}


def _batch(node: Node, first: int, count: int) -> dict[int, bytes]:
    """The entries that follow each other from `first` on; empty bytes for one that is too large to be one."""
    found = node.journal.entries(first, first + count - 1)
    batch: dict[int, bytes] = {}
    for seq in range(first, first + count):
        data = found.get(seq)
        if data is None:
            data = _entry(node, seq)
        if data is None:
            break
        batch[seq] = data
    return batch


def _entry(node: Node, seq: int) -> bytes | None:
    """An entry's bytes; empty ones, which nobody takes for an entry, for one that is too large to be one."""
    try:
        return node.journal.entry(seq)
    except TooLargeError:
        return b""


def _plain(seq: int, data: bytes) -> dict[str, Any]:
    return {"seq": seq, "envelope": base64.b64encode(data).decode()}


def _detailed(node: Node, batch: Mapping[int, bytes], room: int) -> list[dict[str, Any]]:
    """As many of a batch as have room with their manifests, but one at least."""
    wanted: dict[int, tuple[str, int] | None] = {}
    for seq, data in batch.items():
        named = _manifest_of(data)
        room -= 0 if named is None else named[1]
        if room < 0 and wanted:
            break
        wanted[seq] = named
    manifests = _manifests(node, wanted.values())
    notes = node.journal.notes(wanted)
    entries = []
    for seq, named in wanted.items():
        manifest = None if named is None else manifests.get(named[0])
        confirmed, said = notes[seq]
        entries.append(
            _plain(seq, batch[seq])
            | {
                "manifest": None if manifest is None else base64.b64encode(manifest).decode(),
                "confirmed": _object(confirmed),
                "withdrawn": _verdict(batch[seq], said),
            }
        )
    return entries


def _manifest_of(envelope: bytes) -> tuple[str, int] | None:
    """The digest and size of the manifest that an entry signs; None for what is no entry."""
    try:
        statement = Statement.decode(Envelope.decode(envelope).payload)
    except HabaneroError:
        return None
    return statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size


def _manifests(node: Node, wanted: Iterable[tuple[str, int] | None]) -> dict[str, bytes]:
    """Those that the bucket has and that are what their names say."""
    sizes = {named[0]: named[1] for named in wanted if named is not None}
    try:
        return node.journal.get_blobs(sizes)
    except HabaneroError:  # one of them is damaged: the others are given all the same
        return {sha256: data for sha256, size in sizes.items() if (data := _manifest(node, sha256, size)) is not None}


def _manifest(node: Node, sha256: str, size: int) -> bytes | None:
    try:
        return node.journal.get_blob(sha256, size)
    except HabaneroError:
        return None


def _object(data: bytes | None) -> object:
    """The note of who ran a release when it was pushed: informative, as whoever can write the bucket wrote it."""
    try:
        note: object = json.loads(data or b"null")
    except (ValueError, RecursionError):
        return None
    return note if isinstance(note, dict) else None


def _verdict(envelope: bytes, said: bytes | None) -> dict[str, Any] | None:
    """What was said last of a release, if it was said of this one."""
    found = verdict.decode(said)
    try:
        if found is None or Envelope.decode(envelope).digest != found.digest:
            return None
    except HabaneroError:
        return None
    return {"reason": found.reason, "machine": found.machine, "at": found.at}
