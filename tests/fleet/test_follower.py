"""Following the journal: what other workers recorded becomes what this process runs, or is refused for a reason."""

from __future__ import annotations

import logging
import threading

import pytest
from authoring import Author
from nodes import World
from serving import wait_until

from habanero_receiver import trust
from habanero_receiver.errors import ConflictError, StoreError, SwapError
from habanero_receiver.fleet import follower, heartbeat, join
from habanero_receiver.fleet.follower import Follower
from habanero_receiver.fleet.heart import Heart
from habanero_receiver.fleet.node import Node, Release
from habanero_receiver.fleet.safepoint import HereSafepoint
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope


def test_a_process_catches_up_to_the_last_of_several_releases(world: World) -> None:
    """However many releases behind, the newest is applied at once: each release is the whole overlay."""
    first = world.push("RATE = 1\n")
    world.record(first)
    second = world.author.push(world.base.digest, {"shop.rates": "RATE = 2\n"}, seq=2, prev=first.digest)
    world.record(second)
    follower.catch_up(world.node)
    assert world.swapper.live == {"shop.rates": b"RATE = 2\n"}
    assert world.swapper.log == ["stage", "commit", "seal"]
    assert world.node.running_seq == 2


def recorded(world: World, *texts: str) -> None:
    """Releases of `shop.rates`, one after the other, as others record them."""
    prev = world.node.tip.digest
    for seq, text in enumerate(texts, world.node.tip.seq + 1):
        push = world.author.push(world.base.digest, {"shop.rates": text}, seq=seq, prev=prev)
        world.record(push)
        prev = push.digest


def lives(world: World) -> list[str]:
    """The text of `shop.rates` after every commit from now on."""
    seen: list[str] = []
    world.swapper.on_committed = lambda: seen.append((world.swapper.live["shop.rates"] or b"").decode())
    return seen


HOOK = "def __code_change__(old): ...\n"


def test_releases_that_migrate_state_are_gone_through_in_order(world: World) -> None:
    """A hook of a release in between runs, although the newest release alone would have the newest code."""
    recorded(world, "RATE = 1\n")
    follower.catch_up(world.node)
    seen = lives(world)
    texts = ("RATE = 2\n", HOOK + "RATE = 3\n", HOOK + "RATE = 3\n# more\n", "RATE = 4\n")
    recorded(world, *texts)
    follower.catch_up(world.node)
    assert seen == [*texts[1:3], texts[3]]
    assert world.node.running_seq == 5 and world.node.up_to_date and world.node.passed == []


def test_a_release_that_was_taken_back_is_not_gone_through(world: World) -> None:
    """What was rolled back to the code that runs, or to that of an earlier stop, is left out with its hooks."""
    recorded(world, "RATE = 1\n")
    follower.catch_up(world.node)
    seen = lives(world)
    recorded(world, HOOK + "RATE = 2\n", "RATE = 1\n", HOOK + "RATE = 3\n", HOOK + "RATE = 4\n", HOOK + "RATE = 3\n")
    follower.catch_up(world.node)
    assert seen == [HOOK + "RATE = 3\n"]
    assert world.node.running_seq == 6


def test_a_stop_that_cannot_be_taken_is_where_the_way_ends(world: World) -> None:
    """Without an older release's migration the newest is not tried: its code could meet state of another shape."""
    recorded(world, "RATE = 1\n")
    follower.catch_up(world.node)
    recorded(world, HOOK + "RATE = 2\n", "RATE = 3\n")
    world.swapper.refuse = True
    with pytest.raises(SwapError):
        follower.catch_up(world.node)
    assert world.node.running_seq == 1
    assert world.node.failure is not None and world.node.failure.seq == 3


def test_an_entry_of_a_stranger_is_not_followed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever can write to the bucket but not sign changes nothing; it is an alarm, once."""
    world.record(world.push(author=Author("mallory")))
    follower.catch_up(world.node)
    follower.catch_up(world.node)
    assert world.node.running_seq == 0 and world.swapper.live == {}
    assert caplog.text.count("refused (unauthorized)") == 1


def test_an_entry_of_another_chain_is_not_followed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A validly signed release with another predecessor does not continue our journal."""
    world.record(world.push(prev="sha256:" + "0" * 64))
    follower.catch_up(world.node)
    assert world.node.running_seq == 0 and world.node.tip.seq == 0
    assert "refused (not-next)" in caplog.text


def test_an_entry_that_is_not_json_is_not_followed(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Junk in the journal is an alarm and nothing else."""
    assert world.make_journal().append(1, b"<html>")
    follower.catch_up(world.node)
    assert world.node.running_seq == 0
    assert "refused (json)" in caplog.text


def test_after_a_key_was_revoked_the_head_can_be_signed_again(world: World) -> None:
    """The chain goes on over a release whose key is no longer trusted; that release itself is not run."""
    former = Author("bo@laptop")
    stale = world.push("RATE = 1\n", author=former)
    world.record(stale)
    follower.catch_up(world.node)
    assert world.node.tip.seq == 1 and world.node.seen.head.seq == 0 and world.node.running_seq == 0
    world.record(world.push("RATE = 2\n"))
    follower.catch_up(world.node)
    assert world.node.running_seq == 2


def test_a_release_that_this_process_cannot_take_is_told_and_not_tried_for_ever(world: World) -> None:
    """The process stays on what it runs, its heartbeat says why, and only a newer release is tried."""
    follower.catch_up(world.node)
    world.swapper.refuse = True
    world.record(world.push())
    watch = Follower(world.node)
    watch._follow()
    watch._follow()
    assert world.swapper.log.count("stage") == 2  # the base at the start, and the refused release once
    assert world.node.running_seq == 0
    failed = world.node.beat_now().failed
    assert failed is not None and (failed.seq, failed.code) == (1, "swap-refused")
    world.swapper.refuse = False
    world.record(world.push("RATE = 9\n"))
    watch._follow()
    assert world.node.running_seq == 2 and world.node.beat_now().failed is None


def test_a_missing_blob_is_tried_again_later_and_less_often(world: World) -> None:
    """What a bucket fails to give may come yet, so it is asked again, after longer and longer pauses."""
    push = world.push()
    assert world.make_journal().append(1, push.envelope.encode())
    watch = Follower(world.node)
    watch._follow()
    first = watch._retry_s
    watch._retry_at = 0.0
    watch._follow()
    assert watch._retry_s > first and world.node.running_seq is None
    for data in (push.manifest, *push.blobs.values()):
        world.make_journal().put_blob(data)
    watch._retry_at = 0.0
    watch._follow()
    assert world.node.running_seq == 1


def test_a_blob_with_other_bytes_is_never_used(world: World) -> None:
    """Bytes that are not what the signed manifest names do not become code."""
    push = world.push()
    world.record(push)
    for sha256 in push.blobs:
        (world.root / "bucket" / "v1" / "blobs" / "sha256" / sha256[:2] / sha256).write_bytes(b"x" * 10)
    with pytest.raises(StoreError):
        follower.catch_up(world.node)
    assert world.swapper.log == []


def test_threads_follow_and_beat_until_they_are_stopped(world: World) -> None:
    """A recorded release is live in another node soon after, its heartbeat says so, and goes with the worker."""
    other = world.make_node("other")
    watch, heart = Follower(other), Heart(other)
    watch.start()
    heart.start()
    world.record(world.push("RATE = 4\n"))
    wait_until(lambda: world.swapper.live == {"shop.rates": b"RATE = 4\n"})
    wait_until(lambda: [beat.running for beat in world.node.beats() if beat.machine == "other"] == [1])
    watch.stop()
    heart.stop()
    assert [beat.machine for beat in world.node.beats()] == ["box"]
    assert not {"habanero-follower", "habanero-heart"} & {thread.name for thread in threading.enumerate()}


def test_a_worker_that_hangs_in_a_swap_still_tells_what_it_runs(world: World) -> None:
    """A heartbeat needs neither the follower nor the lock: a stuck worker is seen, on the release that it runs."""
    other = world.make_node("other")
    heart = Heart(other)
    with other.swap_lock:
        heart.start()
        wait_until(lambda: "other" in {beat.machine for beat in world.node.beats()})
        with pytest.raises(ConflictError) as caught:
            follower.catch_up(other, wait_s=0.01)
        assert caught.value.code == "busy"
    heart.stop()


def test_a_strict_process_does_not_start_on_anything_else(world: World) -> None:
    """With HABANERO_BOOT=require a release that cannot be taken ends the start."""
    world.record(world.push())
    world.swapper.refuse = True
    with pytest.raises(SwapError):
        join.enter(world.node, HereSafepoint(), strict=True)


def test_a_process_that_cannot_take_its_first_release_goes_back_to_the_base_whole(world: World) -> None:
    """Modules imported before and after boot must not run different releases side by side."""
    push = world.push()
    world.record(push)
    world.node.seen = Release(trust.head_of(push.envelope, push.statement), push.statement)
    world.node.tip = world.node.seen.head
    tries = iter([True, False])

    def refuse_the_first() -> None:
        world.swapper.refuse = next(tries)

    world.swapper.on_stage = refuse_the_first
    join.enter(world.node, HereSafepoint(), strict=False)
    assert world.node.running_seq == 0 and world.swapper.live == {}
    assert world.node.beat_now().failed is not None


def test_a_forked_worker_has_a_name_and_a_lock_of_its_own(world: World) -> None:
    """A lock that was held at the moment of the fork, by a thread that is not here, is not waited for."""
    world.node.identity = heartbeat_identity(world.node, pid=1)
    held = world.node.swap_lock
    held.acquire()
    join.enter(world.node, HereSafepoint(), strict=True)
    assert world.node.identity.pid != 1 and world.node.swap_lock is not held


def heartbeat_identity(node: Node, *, pid: int) -> join.Identity:
    me = node.identity
    return join.Identity(me.machine, pid, me.pids, me.started)


def test_a_follower_outlives_an_error_of_ours(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A follower that meets an error of ours logs it and goes on at the next release."""
    caplog.set_level(logging.CRITICAL, logger="habanero")
    broken = threading.Event()
    real = world.node.journal.entry

    def entry(seq: int) -> bytes | None:
        if not broken.is_set():
            broken.set()
            raise RuntimeError("a bug")
        return real(seq)

    world.node.journal.entry = entry  # type: ignore[method-assign]
    watch = Follower(world.node)
    watch._follow()
    watch._retry_at = 0.0
    watch._follow()
    assert world.node.running_seq == 0


def test_an_unsigned_envelope_does_not_move_the_chain_to_code(world: World) -> None:
    """An entry without signatures may be hashed into the chain by whoever writes the bucket, but is never run."""
    payload = world.push().statement.encode()
    assert world.make_journal().append(1, Envelope(PAYLOAD_TYPE, payload).encode())
    follower.catch_up(world.node)
    assert world.node.running_seq == 0 and world.swapper.live == {}


def test_beats_of_dead_neighbours_are_not_counted(world: World) -> None:
    """A worker of this very machine whose process is gone is not waited for."""
    me = world.node.beat_now()
    ghost = heartbeat.Beat("box", 2**22 + 1, me.pids, 0, "", 0.0, 0.0, me.updated)
    far = heartbeat.Beat("far", 2**22 + 1, "another world", 0, "", 0.0, 0.0, me.updated)
    for beat in (ghost, far):
        world.node.journal.put_host(beat.name, beat.encode())
    assert {beat.machine for beat in world.node.beats()} == {"box", "far"}
    world.node.leave()
    assert set(world.node.journal.hosts()) == {far.name}
