"""The one way from one release to the next: a table of named steps, walked by one runner.

    step      push  check  follow   what it does                                             on a later failure
    load       x     x       x      the images of all modules, from the push or the journal  -
    stage      x     x       x      the engine plans; all slow work, changes nothing         -
    keep       x                    the blobs go into the bucket                             they may stay
    commit     x             x      modules and importer change, at a safe point             changed back
    record     x                    the journal's entry is created: the point of no return   -
    publish    x             x      undo log dropped, state and heartbeat tell               -

A live push walks PUSH, a dry run CHECK. FOLLOW is a worker that follows the journal and equally a process that has
just started: both are "make the live modules be release N". A rollback is a push like any other.

What it does not: it judges nothing about signatures (the release comes here judged) and knows no HTTP.

The rule it upholds: what fails before the point of no return leaves the process on the release that it ran; what
comes after it cannot fail. The caller holds `node.swap_lock` for the whole walk.
"""

from __future__ import annotations

import logging
import time
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from habanero_receiver.errors import ConfigError, ConflictError, HabaneroError, StoreError, SwapError
from habanero_receiver.fleet import account, images
from habanero_receiver.fleet.courtesy import courteous
from habanero_receiver.fleet.heartbeat import Failure
from habanero_receiver.swap import SwapFailedError, SwapRefusedError, SwapUndoError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from habanero_receiver.fleet.node import Loaded, Node, Release
    from habanero_receiver.release.manifest import Manifest
    from habanero_receiver.swap import CommittedSwap, StagedSwap, SwapReport

_log = logging.getLogger("habanero")

MAX_TRACEBACK_CHARS = 8_000


@dataclass(slots=True, eq=False)
class Attempt:
    """One walk towards a release. `deadline` is on the monotonic clock; past it nothing is committed any more.

    `envelope`, `manifest` and `blobs` are what came with a push; a follower has none and reads the journal.
    """

    node: Node
    release: Release
    deadline: float
    envelope: bytes = b""
    manifest: tuple[Manifest, bytes] | None = None
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    at: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=lambda: {"modules": []})
    loaded: Loaded | None = None
    staged: StagedSwap | None = None
    committed: CommittedSwap | None = None


class Step(NamedTuple):
    """One row of the table: what is done and how it is taken back if a later row fails."""

    name: str
    do: Callable[[Attempt], None]
    undo: Callable[[Attempt], None] | None = None


def take(steps: tuple[Step, ...], attempt: Attempt) -> None:
    """Walk a push or a dry run, if its release still follows the tip; ConflictError "busy" or "not-next" otherwise.

    StoreError "journal-entry" when the journal holds an entry there that cannot follow.
    """
    node, statement = attempt.node, attempt.release.statement
    if not node.swap_lock.acquire(timeout=max(0.0, attempt.deadline - time.monotonic())):
        raise ConflictError("busy", "this process is busy with another release; nothing changed", help="push again")
    try:
        if statement is None or statement.prev != node.tip.digest:
            raise _not_next(attempt.release, "nothing changed")
        if node.stopped and (obstacle := node.obstacle()) is not None:
            raise obstacle
        walk(steps, attempt)
    finally:
        node.swap_lock.release()
        node.after_swap()


def walk(steps: tuple[Step, ...], attempt: Attempt) -> None:
    """Take each step in turn; on an error take back those done, newest first, and raise it. Caller holds swap_lock."""
    done: list[Step] = []
    try:
        for step in steps:
            attempt.at = step.name
            began = time.perf_counter()
            step.do(attempt)
            attempt.seconds[step.name] = time.perf_counter() - began
            done.append(step)
    except BaseException:
        for step in reversed(done):
            if step.undo is not None:
                step.undo(attempt)
        raise


def _load(attempt: Attempt) -> None:
    if attempt.node.overlay.misplaced:
        raise ConfigError(
            "misplaced",
            "this process imports its packages from other files than its base is made of; nothing changed",
            help="set HABANERO_ROOT to the folder that the process imports its packages from, and restart",
        )
    attempt.loaded = images.load(attempt.node, attempt.release, attempt.manifest, attempt.blobs)
    if attempt.manifest is not None:
        images.check_builds(attempt.loaded, besides=attempt.node.known)
    if attempt.node.verify_source:
        images.check_sources(attempt.loaded, besides=attempt.node.known)


def _stage(attempt: Attempt) -> None:
    try:
        with courteous():
            attempt.staged = attempt.node.swapper.stage(_loaded(attempt).images)
    except SwapRefusedError as error:
        raise _refused(attempt, error) from error
    except StoreError:  # what the start had left where it was cannot be read now: it may be tried again
        raise
    except BaseException as error:  # the app's own code ran: even its SystemExit ends this swap and nothing else
        raise _rolled_back(attempt, error) from error
    attempt.report = attempt.staged.report.to_json()
    if time.monotonic() > attempt.deadline:
        raise SwapError(
            "rolled-back",
            f"release {attempt.release.head.seq} took too long to stage; nothing changed",
            help="a statement that is run again blocks; move that work into a function",
        )


def _keep(attempt: Attempt) -> None:
    """Put what came with the push into the bucket, before the entry that names it."""
    if attempt.manifest is None:
        raise ValueError("only a push keeps blobs")
    attempt.node.journal.put_blobs([attempt.manifest[1], *attempt.blobs.values()])


def _commit(attempt: Attempt) -> None:
    staged = attempt.staged
    if staged is None:
        raise ValueError("commit comes after stage")
    try:
        attempt.committed = attempt.node.safepoint.run(staged.commit)
    except HabaneroError:
        raise
    except SwapRefusedError as error:
        raise _refused(attempt, error) from error
    except SwapUndoError as error:
        raise _dirty(attempt, error) from error
    except BaseException as error:
        raise _rolled_back(attempt, error) from error
    attempt.report = attempt.committed.report.to_json()


def _uncommit(attempt: Attempt) -> None:
    try:
        attempt.node.safepoint.run(_committed(attempt).undo)
    except BaseException as error:
        raise _dirty(attempt, error) from error


def _record(attempt: Attempt) -> None:
    seq, journal = attempt.release.head.seq, attempt.node.journal
    try:
        won = journal.append(seq, attempt.envelope)
    except StoreError:
        # The entry may be there although the reply was lost. If even this read fails we are undone, and should the
        # entry exist after all, the follower finds it: never the other way round.
        if journal.entry(seq) != attempt.envelope:
            raise
        won = True
    if not won:
        raise attempt.node.obstacle() or _not_next(attempt.release, "this one was undone")


def _publish(attempt: Attempt) -> None:
    """Tell the rest of the process. Past the point of no return: what fails here is logged and goes on."""
    node, head = attempt.node, attempt.release.head
    node.running = node.known = loaded = _loaded(attempt)
    node.ran.append(loaded)
    node.seen, node.failure = attempt.release, None
    if head.seq > node.tip.seq:
        node.tip, node.doubt = head, None
    node.since = time.time()
    node.tell.set()
    account.write(_log, head.seq, attempt.report)
    try:
        _committed(attempt).seal()
    except Exception:
        _log.exception("release %d is live; dropping its undo log failed", head.seq)


LOAD = Step("load", _load)
STAGE = Step("stage", _stage)
KEEP = Step("keep", _keep)
COMMIT = Step("commit", _commit, undo=_uncommit)
RECORD = Step("record", _record)
PUBLISH = Step("publish", _publish)

PUSH = (LOAD, STAGE, KEEP, COMMIT, RECORD, PUBLISH)
CHECK = (LOAD, STAGE)
FOLLOW = (LOAD, STAGE, COMMIT, PUBLISH)
BEFORE_COMMIT = ("", LOAD.name, STAGE.name)


def _loaded(attempt: Attempt) -> Loaded:
    if attempt.loaded is None:
        raise ValueError("this step comes after load")
    return attempt.loaded


def _committed(attempt: Attempt) -> CommittedSwap:
    if attempt.committed is None:
        raise ValueError("this step comes after commit")
    return attempt.committed


def _not_next(release: Release, outcome: str) -> ConflictError:
    return ConflictError(
        "not-next",
        f"another release became number {release.head.seq} first; {outcome}",
        help="compare with what the server runs now, and push again",
    )


def _refused(attempt: Attempt, error: SwapRefusedError) -> SwapError:
    return SwapError(
        "swap-refused",
        f"the running process cannot take release {attempt.release.head.seq}: {error}; nothing changed",
        help="deploy this change with a restart, or make it in a way that live objects can take",
        details={"report": error.report.to_json(), **_raised(error.report)},
    )


def _rolled_back(attempt: Attempt, error: BaseException) -> SwapError:
    seq, details = attempt.release.head.seq, {"report": attempt.report, "traceback": _traceback(error)}
    said = f"release {seq} raised {type(error).__name__}"
    if isinstance(error, SwapFailedError):
        details = {"report": error.report.to_json(), "traceback": _traceback(error.__cause__ or error)}
        details |= _raised(error.report)
        said = f"release {seq} was undone: {error}"
    return SwapError(
        "rolled-back",
        f"{said}; everything is as before",
        help="the traceback is that of the statement that raised; mend it and push again",
        details=details,
    )


def _raised(report: SwapReport) -> dict[str, Any]:
    """The traceback of the statement that raised, if one did: its author's frames, none of ours."""
    found = [refusal.traceback for _, refusal in report.refusals() if refusal.traceback]
    return {"traceback": found[0]} if found else {}


def _dirty(attempt: Attempt, error: BaseException) -> SwapError:
    node, seq = attempt.node, attempt.release.head.seq
    message = f"release {seq} could not be undone; this process is in neither state"
    node.dirty, node.running = True, None
    node.failure = Failure(seq, "dirty", message)
    node.tell.set()
    return SwapError(
        "dirty",
        message,
        help="restart this process: it comes back on the last recorded release",
        details={"traceback": _traceback(error)},
    )


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-MAX_TRACEBACK_CHARS:]
