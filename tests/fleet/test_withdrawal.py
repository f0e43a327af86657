"""A verdict beside the release that runs: the process falls back to the one before, live, and goes on from there."""

from __future__ import annotations

import pytest
from authoring import Push
from nodes import World

from habanero_receiver.errors import StoreError, SwapError
from habanero_receiver.fleet import follower, withdrawal
from habanero_receiver.fleet.follower import Follower
from habanero_receiver.journal.verdict import MAX_REASON_CHARS, Verdict, decode
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.statement import NEVER


def release(world: World, text: str, **changes: object) -> Push:
    """Recorded by another worker, and taken."""
    push = world.push(text, **changes)
    world.record(push)
    follower.catch_up(world.node)
    return push


def accuse(world: World, seq: int, *, digest: str = "", reason: str = "errors") -> None:
    """What another machine says of a release."""
    digest = digest or Envelope.decode(world.make_journal().entry(seq) or b"").digest
    world.make_journal().put_verdict(seq, "far", Verdict(digest, reason, "far", 1.0).encode())


def looks(world: World) -> None:
    """One turn of the follower, as if it was time for everything."""
    world.node.verdict_at = 0.0
    watch = Follower(world.node)
    watch._follow()


def live(world: World) -> str:
    return (world.swapper.live.get("shop.rates") or b"").decode()


def test_a_running_process_falls_back_and_says_why(world: World) -> None:
    """By the path of every other swap; the heartbeat has the release that is passed over, and the reason."""
    release(world, "RATE = 1\n")
    release(world, "RATE = 2\n")
    accuse(world, 2, reason="5 errors")
    world.swapper.log.clear()
    looks(world)
    assert live(world) == "RATE = 1\n" and world.swapper.log == ["stage", "commit", "seal"]
    beat = world.node.beat_now()
    assert (beat.running, beat.failed and beat.failed.seq, beat.failed and beat.failed.code) == (1, 2, "condemned")
    assert beat.failed is not None and "5 errors" in beat.failed.message
    looks(world)
    assert world.node.running_seq == 1 and world.swapper.log == ["stage", "commit", "seal"], "one step, once"


def test_the_first_release_falls_back_to_the_deployed_code(world: World) -> None:
    """What came before release 1 is the base."""
    release(world, "RATE = 1\n")
    accuse(world, 1)
    looks(world)
    assert world.swapper.live == {} and world.node.running_seq == 0


def test_the_next_release_and_a_clear_are_taken(world: World) -> None:
    """Both are signed entries after the one that was withdrawn; a clear brings back that very code."""
    release(world, "RATE = 1\n")
    release(world, "RATE = 2\n")
    accuse(world, 2)
    looks(world)
    assert live(world) == "RATE = 1\n"
    release(world, "RATE = 2\n", kind="clear", restores=2)
    assert live(world) == "RATE = 2\n" and world.node.running_seq == 3
    assert world.node.beat_now().failed is None
    release(world, "RATE = 4\n")
    assert live(world) == "RATE = 4\n"


def test_a_release_after_a_withdrawn_one_does_not_fall_back_to_that(world: World) -> None:
    """This machine saw the one before withdrawn while it was the newest: it goes behind both."""
    for number in (1, 2):
        release(world, f"RATE = {number}\n")
    accuse(world, 2)
    looks(world)
    release(world, "RATE = 3\n")
    accuse(world, 3)
    looks(world)
    assert live(world) == "RATE = 1\n"


def test_verdicts_beside_older_releases_lead_nowhere(world: World) -> None:
    """Whoever can write to the bucket can put one beside each entry: only that on the newest counts."""
    for number in (1, 2, 3):
        release(world, f"RATE = {number}\n")
        accuse(world, number, digest="" if number < 3 else "sha256:" + "0" * 64)
    looks(world)
    assert live(world) == "RATE = 3\n"
    accuse(world, 3)
    looks(world)
    assert live(world) == "RATE = 2\n"


def test_a_release_that_allows_no_withdrawal_stays(world: World) -> None:
    """The signed policy decides, not who writes beside it."""
    release(world, "RATE = 1\n", withdraw=NEVER)
    accuse(world, 1)
    looks(world)
    assert live(world) == "RATE = 1\n"


def test_keys_that_change_do_not_bring_a_withdrawn_release_back(world: World) -> None:
    """The tip is judged anew by them, and still stands accused, also when the bucket has lost the verdict."""
    release(world, "RATE = 1\n")
    release(world, "RATE = 2\n")
    accuse(world, 2)
    looks(world)
    world.make_journal().bucket.remove(f"{world.make_journal().prefix}/verdicts/00000002.json")
    world.swapper.log.clear()
    follower.judge_again(world.node)
    looks(world)
    assert live(world) == "RATE = 1\n" and world.node.running_seq == 1 and world.swapper.log == []


def test_a_process_that_cannot_go_back_stays_and_says_so(world: World) -> None:
    """The engine refuses the way back: it goes on with what it runs, and does not try again and again."""
    release(world, "RATE = 1\n")
    release(world, "RATE = 2\n")
    accuse(world, 2)
    world.swapper.refuse = True
    looks(world)
    looks(world)
    assert live(world) == "RATE = 2\n" and world.swapper.log.count("stage") == 3
    failed = world.node.beat_now().failed
    assert failed is not None and (failed.seq, failed.code) == (1, "swap-refused")


def test_a_bucket_that_fails_on_the_way_back_is_asked_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is half decided: the process runs on, and falls back when the bucket answers."""
    release(world, "RATE = 1\n")
    release(world, "RATE = 2\n")
    accuse(world, 2)
    real = world.node.journal.entry

    def fails(seq: int) -> bytes | None:
        if seq == 1:
            raise StoreError("store", "away")
        return real(seq)

    with monkeypatch.context() as patch:
        patch.setattr(world.node.journal, "entry", fails)
        looks(world)
        assert live(world) == "RATE = 2\n" and world.node.passed_over is None
    looks(world)
    assert live(world) == "RATE = 1\n"


def test_what_this_process_pronounces_needs_no_bucket(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It falls back itself, remembers it on its machine, and says it in the bucket when that is back."""
    release(world, "RATE = 1\n")
    release(world, "RATE = 2\n")
    put = world.node.journal.put_verdict

    def fails(*_: object) -> bool:
        raise StoreError("store", "away")

    with monkeypatch.context() as patch:
        patch.setattr(world.node.journal, "put_verdict", fails)
        withdrawal.pronounce(world.node, "too many errors")
        looks(world)
        assert live(world) == "RATE = 1\n" and world.make_journal().verdicts(2) == {}
        assert not withdrawal.tell(world.node)
    monkeypatch.setattr(world.node.journal, "put_verdict", put)
    assert withdrawal.tell(world.node)
    found = decode(world.make_journal().newest_verdict(2))
    assert found is not None and (found.reason, found.machine) == ("too many errors", "box")
    assert world.node.ledger.condemned().keys() == {world.node.tip.digest}


def test_looking_reads_no_more_often_than_the_pace_says(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two looks the bucket is not asked, and never when there is nothing to withdraw."""
    asked: list[int] = []
    monkeypatch.setattr(world.node.journal, "newest_verdict", asked.append)
    follower.catch_up(world.node)
    assert not withdrawal.look(world.node) and asked == []
    release(world, "RATE = 1\n")
    asked.clear()
    assert [withdrawal.look(world.node) for _ in range(5)] == [False] * 5
    assert asked == [1]


@pytest.mark.parametrize("data", [
    b"", b"null", b"[]", b"{}", b"\xff", b"<html>", b'{"v": 2}', b"[" * 100_000,
    b'{"v": 1, "kind": "bad", "digest": 1, "reason": "", "machine": "", "at": 1}',
    b'{"v": 1, "kind": "good", "digest": "d", "reason": "", "machine": "", "at": 1}',
    b'{"v": 1, "kind": "bad", "digest": "d", "reason": "", "machine": "", "at": 1e300}',
])  # fmt: skip
def test_what_is_no_verdict_counts_for_nothing(data: bytes) -> None:
    """Anybody who can write to the bucket may have written it."""
    assert decode(data) is None


def test_words_of_a_verdict_are_cut_and_cleaned() -> None:
    """They end up in logs and terminals."""
    found = decode(Verdict("d", "a\x1b[2Jb\n" + "x" * 1000, "m\n", 1.0).encode())
    assert found is not None and found.reason.isprintable() and len(found.reason) == MAX_REASON_CHARS
    assert found.machine == "m "


def test_a_swap_error_on_the_way_back_does_not_hide_the_verdict(world: World) -> None:
    """Whoever asks directly is told that the way back was refused."""
    release(world, "RATE = 1\n")
    accuse(world, 1)
    world.swapper.refuse = True
    with pytest.raises(SwapError):
        follower.catch_up(world.node)
    assert world.node.passed_over is not None
