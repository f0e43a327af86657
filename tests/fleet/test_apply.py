"""The walk from one release to the next: what fails where, and what is then as before."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from authoring import Push
from nodes import World

from habanero_receiver import trust
from habanero_receiver.errors import ConfigError, ConflictError, HabaneroError, StoreError, SwapError
from habanero_receiver.fleet import apply, follower
from habanero_receiver.fleet.apply import Attempt, Step
from habanero_receiver.fleet.node import Release
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.manifest import Manifest
from habanero_receiver.swap import SwapReport, SwapUndoError


def attempt_of(world: World, push: Push) -> Attempt:
    head = trust.head_of(push.envelope, push.statement)
    return Attempt(
        world.node,
        Release(head, push.statement),
        time.monotonic() + 10,
        envelope=push.envelope.encode(),
        manifest=(Manifest.decode(push.manifest), push.manifest),
        blobs=push.blobs,
    )


def refused(world: World, push: Push, kind: type[HabaneroError], code: str) -> HabaneroError:
    with pytest.raises(kind) as caught:
        apply.take(apply.PUSH, attempt_of(world, push))
    assert caught.value.code == code
    assert not world.node.swap_lock.locked()
    return caught.value


def test_a_push_is_live_then_recorded_and_told(world: World) -> None:
    """After a push the modules, the journal and the node all hold the release, and its undo log is dropped."""
    push = world.push("RATE = 3\n")
    attempt = attempt_of(world, push)
    apply.take(apply.PUSH, attempt)
    assert world.swapper.live == {"shop.rates": b"RATE = 3\n"}
    assert world.swapper.log == ["stage", "commit", "seal"]
    assert world.node.journal.entry(1) == push.envelope.encode()
    assert world.node.running_seq == 1 and world.node.up_to_date and world.node.tell.is_set()
    assert set(attempt.seconds) == {"load", "stage", "keep", "commit", "record", "publish"}


def test_a_dry_run_changes_nothing(world: World) -> None:
    """A check stages and reports; neither the process nor the bucket is touched."""
    attempt = attempt_of(world, world.push())
    apply.take(apply.CHECK, attempt)
    assert attempt.report["modules"][0]["module"] == "shop.rates"
    assert world.swapper.log == ["stage"]
    assert world.files() == set() and world.node.tip.seq == 0


def test_a_bucket_that_fails_while_staging_ends_nothing_for_good(world: World) -> None:
    """Units that a start left in the bucket and that cannot be read now: 503, nothing changed, the next try goes on."""

    def unread() -> None:
        raise StoreError("store", "the bucket could not be read")

    world.swapper.on_stage = unread
    push = world.push("RATE = 3\n")
    refused(world, push, StoreError, "store")
    assert world.swapper.live == {} and world.swapper.log == ["stage"]
    world.record(push)
    with pytest.raises(StoreError):
        follower.catch_up(world.node)
    assert world.node.given_up == ""
    world.swapper.on_stage = None
    follower.catch_up(world.node)
    assert world.swapper.live == {"shop.rates": b"RATE = 3\n"}


def test_a_refused_stage_leaves_not_even_blobs(world: World) -> None:
    """What the process cannot take is told with the engine's reasons, and nothing is kept of it."""
    world.swapper.refuse = True
    error = refused(world, world.push(), SwapError, "swap-refused")
    assert "report" in error.details
    assert world.files() == set() and world.node.running is None


def test_a_commit_that_raises_is_rolled_back_with_its_traceback(world: World) -> None:
    """An exception in the app's own code is named to the author, and the journal stays empty."""
    world.swapper.fail_commit = ZeroDivisionError("by zero")
    error = refused(world, world.push(), SwapError, "rolled-back")
    assert "ZeroDivisionError" in error.message and "by zero" in str(error.details["traceback"])
    assert world.node.journal.entry(1) is None


def test_an_exit_in_the_apps_code_does_not_end_the_process(world: World) -> None:
    """SystemExit while staging is one more way to fail, nothing else."""

    def leave() -> None:
        raise SystemExit(3)

    world.swapper.on_stage = leave
    refused(world, world.push(), SwapError, "rolled-back")


def test_the_loser_of_a_race_is_undone(world: World) -> None:
    """When another worker's release takes the number first, ours is taken back and theirs stays."""
    ours, theirs = world.push("RATE = 1\n"), world.push("RATE = 2\n")
    world.swapper.on_commit = lambda: world.record(theirs)
    refused(world, ours, ConflictError, "not-next")
    assert world.swapper.log == ["stage", "commit", "undo"]
    assert world.swapper.live == {}
    assert world.node.journal.entry(1) == theirs.envelope.encode()
    assert world.node.tip.seq == 0


def test_a_release_that_no_longer_follows_is_not_even_staged(world: World) -> None:
    """What was judged before another release came in is turned away before any work is done for it."""
    late = world.push("RATE = 1\n")
    apply.take(apply.PUSH, attempt_of(world, world.push("RATE = 2\n")))
    world.swapper.log.clear()
    refused(world, late, ConflictError, "not-next")
    assert world.swapper.log == []


def test_an_undo_that_fails_is_told_as_dirty(world: World) -> None:
    """A process that could not be put back says so, and no longer claims to run anything."""
    theirs = world.push("RATE = 2\n")
    world.swapper.on_commit, world.swapper.fail_undo = lambda: world.record(theirs), True
    refused(world, world.push("RATE = 1\n"), SwapError, "dirty")
    assert world.node.dirty and world.node.running is None


def test_a_commit_whose_own_undo_fails_is_dirty(world: World) -> None:
    """The engine's word that it could not put things back is passed on."""
    world.swapper.fail_commit = SwapUndoError("stuck", SwapReport())
    refused(world, world.push(), SwapError, "dirty")
    assert world.node.dirty


class LostReply(Journal):
    """A bucket whose answer to a write is lost; whether the write happened is up to the test."""

    written = True

    def append(self, seq: int, envelope: bytes) -> bool:
        if self.written:
            super().append(seq, envelope)
        raise StoreError("store", "the reply was lost")


@pytest.mark.parametrize("written", [True, False])
def test_a_lost_reply_is_settled_by_reading_back(world: World, written: bool) -> None:
    """If the entry is there, the release is live; if it is not, the release is undone. Never anything between."""
    world.node.journal = LostReply(world.bucket, "shop", "test", world.base.digest)
    world.node.journal.written = written
    push = world.push()
    if written:
        apply.take(apply.PUSH, attempt_of(world, push))
        assert world.node.running_seq == 1
    else:
        refused(world, push, StoreError, "store")
        assert world.swapper.live == {} and world.node.running is None


def test_what_fails_after_the_point_of_no_return_does_not_undo(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Once the entry is in the journal the release is live, whatever else goes wrong; the log says what."""
    world.swapper.fail_seal = True
    apply.take(apply.PUSH, attempt_of(world, world.push()))
    assert world.node.running_seq == 1
    assert "dropping its undo log failed" in caplog.text


def test_past_the_deadline_nothing_is_committed(world: World) -> None:
    """A stage that takes too long ends in a refusal, even when it finishes after all."""
    attempt = attempt_of(world, world.push())

    def take_too_long() -> None:
        attempt.deadline = time.monotonic() - 1

    world.swapper.on_stage = take_too_long
    with pytest.raises(SwapError) as caught:
        apply.take(apply.PUSH, attempt)
    assert caught.value.code == "rolled-back"
    assert world.swapper.log == ["stage"]


def test_code_that_is_not_a_build_is_refused_before_it_is_staged(world: World) -> None:
    """A signed blob that cannot be loaded is turned away now, not at some later import."""
    push = world.push()
    bad = dict.fromkeys(push.blobs, b"junk")
    attempt = attempt_of(world, replace(push, blobs=bad))
    attempt.manifest = (_refer(attempt.manifest[0], bad), push.manifest)
    with pytest.raises(SwapError) as caught:
        apply.take(apply.PUSH, attempt)
    assert caught.value.code == "not-code" and world.swapper.log == []


def _refer(manifest: Manifest, blobs: dict[str, bytes]) -> Manifest:
    import hashlib

    from habanero_receiver.release.manifest import BlobRef

    sha256 = hashlib.sha256(b"junk").hexdigest()
    blobs[sha256] = b"junk"
    ref = BlobRef(sha256, 4)
    junk = {"source": ref, "code": ref, "units": ref}
    return Manifest({name: entry._replace(**junk) for name, entry in manifest.modules.items() if entry})


def test_a_process_that_imports_from_elsewhere_takes_no_release(world: World) -> None:
    """Code that is not of the base is not patched as if it were."""
    world.node.overlay.misplaced = True
    refused(world, world.push(), ConfigError, "misplaced")
    assert world.swapper.log == []


@pytest.mark.parametrize("noticed", [True, False], ids=["seen by the follower", "met when recording"])
@pytest.mark.parametrize("content", [b"torn", b"x" * 200_000], ids=["damaged", "too large"])
def test_an_entry_that_cannot_follow_is_named(world: World, content: bytes, noticed: bool) -> None:
    """A damaged entry in our place is told as what it is, with its key; when it is gone the push goes through."""
    push = world.push()
    journal = world.make_journal()
    assert world.bucket.create(journal.entry_key(1), content)
    if noticed:
        world.node.tail()
    error = refused(world, push, StoreError, "journal-entry")
    assert error.subject == journal.entry_key(1) and error.subject in error.help
    assert world.swapper.log == ([] if noticed else ["stage", "commit", "undo"])
    assert world.swapper.live == {} and world.node.tip.seq == 0
    world.bucket.remove(journal.entry_key(1))
    apply.take(apply.PUSH, attempt_of(world, push))
    assert world.node.tip.seq == 1 and not world.node.stopped


STEPS = ("one", "two", "three")


@pytest.mark.parametrize("failing", range(len(STEPS)))
def test_an_error_takes_back_what_was_done_newest_first(world: World, failing: int) -> None:
    """Wherever a walk fails, the steps before it are undone in reverse order, each once, and the error comes out."""
    done: list[str] = []

    def do(index: int) -> Step:
        def run(_: Attempt) -> None:
            if index == failing:
                raise StoreError("store", "no")
            done.append(STEPS[index])

        return Step(STEPS[index], run, lambda _: done.append(f"un{STEPS[index]}"))

    with pytest.raises(StoreError):
        apply.walk(tuple(do(index) for index in range(len(STEPS))), attempt_of(world, world.push()))
    assert done == [*STEPS[:failing], *(f"un{name}" for name in reversed(STEPS[:failing]))]


def test_every_walk_keeps_its_fallible_steps_before_the_point_of_no_return() -> None:
    """The table itself: what can be undone comes before the entry, what comes after cannot fail."""
    names = [step.name for step in apply.PUSH]
    assert names == ["load", "stage", "keep", "commit", "record", "publish"]
    assert set(apply.CHECK) | set(apply.FOLLOW) <= set(apply.PUSH)
    assert all(step.undo is None for step in apply.PUSH[names.index("record") :])
