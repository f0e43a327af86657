"""`verify`: whether the journal can be trusted and every process runs what it says. It changes nothing on the server.

It fetches bytes and has `audit` judge them here. The rule it upholds: the server's word is taken for one thing only,
what its processes run; and that is what they find by looking at their live modules, not what they have recorded.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from habanero_py import events as e
from habanero_py import versions
from habanero_py.audit import Audit, check_blobs, compare_numbers, floor, signers, walk
from habanero_py.remote import BaseModule, ServerState, WorkerCode
from habanero_py.server import Server
from habanero_py.session import Session
from habanero_receiver.errors import NOT_TRUSTED, OUT_OF_STEP
from habanero_receiver.journal.base import fingerprint

MEMORY = Path(".habanero") / "verified.json"
MAX_NAMED = 5
"""How many modules of one worker are named."""


def verify(session: Session) -> int:
    """Walks the chain and asks every process; 0, 7 when the journal is not to be trusted, 6 when processes deviate."""
    began = time.monotonic()
    server, config = session.server, session.config
    state = server.state()
    base = server.base()
    audit, keys = Audit(), session.trusted_keys()
    envelopes, manifests = _entries(server)
    _check_base(audit, state, base)
    walk(audit, envelopes, keys, config.to.target, state.base)
    listing = server.listing()
    compare_numbers(audit, len(envelopes), state.head.seq, state.head.digest, listing.numbers)
    below = floor(audit, listing.prunings, keys, config.to.target, state.base)
    check_blobs(audit, manifests, server.blob, below)
    memory = config.root / MEMORY
    _compare_memory(audit, memory, state)
    expected = _expected(base, audit, state.goal)
    workers = server.running()
    deviating = tuple(_deviations(workers, expected, _names(base, audit)))
    if not audit.problems:
        _remember(memory, state)
    session.emit(
        e.Verified(
            head=state.head.seq,
            running=state.goal,
            digest=state.head.digest,
            base=state.base,
            releases=len(envelopes),
            blobs=audit.blobs,
            pruned=audit.pruned,
            signers=() if audit.problems else signers(envelopes, keys),
            workers=len(workers),
            modules=len(expected),
            compared=sum(module.compared for worker in workers for module in (worker.modules or {}).values()),
            untrusted=tuple(audit.problems),
            deviating=deviating,
            seconds=round(time.monotonic() - began, 3),
        )
    )
    return NOT_TRUSTED if audit.problems else OUT_OF_STEP if deviating else 0


def _entries(server: Server) -> tuple[list[bytes], dict[int, bytes | None]]:
    """All entries from 1 on, as far as they follow each other, with the manifests that came along."""
    envelopes: list[bytes] = []
    manifests: dict[int, bytes | None] = {}
    while page := server.journal(len(envelopes), details=True):
        for entry in page:
            envelopes.append(entry.envelope)
            manifests[len(envelopes)] = entry.manifest
    return envelopes, manifests


def _check_base(audit: Audit, state: ServerState, base: Mapping[str, BaseModule]) -> None:
    """The base's name is the digest of its modules: computed here, from their digests."""
    if fingerprint(base) != state.base:
        audit.problem("base-mismatch", "base", "the server's modules do not make the fingerprint that it names")


def _compare_memory(audit: Audit, memory: Path, state: ServerState) -> None:
    """What was verified before must still be there, under the same number."""
    try:
        before = json.loads(memory.read_bytes())[state.target]
        base, seq, digest = before["base"], before["seq"], before["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        return
    if base != state.base or not seq:
        return
    entry = audit.entries.get(seq)
    if entry is None:
        audit.problem("history-rewritten", f"#{seq}", "it was there when this was last verified here, and is gone")
    elif entry.head.digest != digest:
        audit.problem("history-rewritten", f"#{seq}", "it is not the release that was last verified here")


def _remember(memory: Path, state: ServerState) -> None:
    """Note the head for the next time. Without a place to write, the next time knows less."""
    try:
        known = json.loads(memory.read_bytes()) if memory.exists() else {}
        known[state.target] = {"base": state.base, "seq": state.head.seq, "digest": state.head.digest}
        memory.parent.mkdir(exist_ok=True)
        memory.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    except (OSError, ValueError, TypeError):
        return


def _expected(base: Mapping[str, BaseModule], audit: Audit, head: int) -> Mapping[str, str]:
    """Module -> sha256 of the source that every process should run: the base with the head's overlay on it."""
    expected = {name: module.sha256 for name, module in base.items()}
    for name, entry in audit.manifests[head].modules.items() if head in audit.manifests else ():
        if entry is None:
            expected.pop(name, None)
        else:
            expected[name] = entry.source.sha256
    return expected


def _names(base: Mapping[str, BaseModule], audit: Audit) -> Mapping[tuple[str, str], str]:
    """(module, sha256) -> the oldest release that has this version, for saying what a worker runs."""
    names = {(name, module.sha256): "the base" for name, module in base.items()}
    for seq, manifest in sorted(audit.manifests.items()):
        for name, entry in manifest.modules.items():
            if entry is not None:
                names.setdefault((name, entry.source.sha256), f"#{seq}")
    return names


def _deviations(
    workers: Sequence[WorkerCode], expected: Mapping[str, str], names: Mapping[tuple[str, str], str]
) -> Iterator[e.Problem]:
    """A problem for each worker that runs something else, with the first few modules."""
    for worker in workers:
        subject = f"{worker.machine} pid {worker.pid}"
        if worker.modules is None:
            yield e.Problem("out-of-step", subject, "it did not say in time what it runs")
            continue
        found = list(_differing(worker, expected, names))
        more = [f"and {len(found) - MAX_NAMED} more modules"] if len(found) > MAX_NAMED else []
        if found:
            yield e.Problem("out-of-step", subject, "; ".join([*found[:MAX_NAMED], *more]))


def _differing(
    worker: WorkerCode, expected: Mapping[str, str], names: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    modules = worker.modules or {}
    for name in sorted(expected.keys() | modules.keys()):
        wanted, module = expected.get(name), modules.get(name)
        if module is None:
            yield f"{name} is not known there"
        elif module.source is None and (module.deviating or wanted is not None):
            yield f"{name} is no known version ({'; '.join(module.deviating) or 'it is hidden'})"
        elif module.source is not None and wanted is None:
            yield f"{name} should not be there"
        elif module.source is not None and not versions.same_text(module.source, wanted):
            whose = names.get((name, module.source), f"sha256 {module.source[:12]}…, of no release")
            yield f"{name} is that of {whose}"
