"""Lists of keys that change while the process runs: taken over at the next look, or refused until they are right."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from pathlib import Path

import pytest
from authoring import Author
from nodes import World

from habanero_receiver import trust
from habanero_receiver.errors import ConfigError, TrustError
from habanero_receiver.fleet import follower
from habanero_receiver.fleet.follower import Follower
from habanero_receiver.keyring import Keyring, ListSources

ANA, BEN = Author("ana@laptop"), Author("ben@desk")


class Lists:
    """The three files of a server, and a keyring over them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self.trusted, self.revoked, self.roles = folder / "trusted", folder / "revoked", folder / "roles"
        self.write(self.trusted, ANA.line)
        self.write(self.revoked, "")
        self.write(self.roles, "ana@laptop push shop/test\nben@desk push shop/test\n")
        self.sources = ListSources(self.trusted, "", self.revoked, self.roles)
        self.ring = Keyring(self.sources)

    @staticmethod
    def write(path: Path, text: str, mode: int = 0o600) -> None:
        """As a careful tool does it: another file is put in its place, whole."""
        new = path.with_suffix(".new")
        new.write_text(text)
        new.chmod(mode)
        new.replace(path)


@pytest.fixture
def lists(tmp_path: Path) -> Lists:
    return Lists(tmp_path / "etc")


@pytest.fixture
def policy(world: World) -> trust.TrustPolicy:
    return replace(world.policy(ANA), roles=None)


def ids(policy: trust.TrustPolicy) -> set[str]:
    return {trusted.principal for trusted in policy.keys}


def test_a_list_that_changed_is_taken_over_at_the_next_look(lists: Lists, policy: trust.TrustPolicy) -> None:
    """A key added, a key revoked, a role taken: each counts from the next look on, and nothing else changes."""
    policy = lists.ring.look(policy)
    assert ids(policy) == {"ana@laptop"}
    assert lists.ring.look(policy) is policy
    lists.write(lists.trusted, f"{ANA.line}\n{BEN.line}\n")
    policy = lists.ring.look(policy)
    assert ids(policy) == {"ana@laptop", "ben@desk"}
    lists.write(lists.revoked, f"{ANA.public.keyid}  # lost on a train\n")
    policy = lists.ring.look(policy)
    assert [policy.may(trusted) != frozenset() for trusted in policy.keys] == [False, True]
    lists.write(lists.roles, "ben@desk push,clear shop/test\n")
    assert lists.ring.look(policy).roles != policy.roles


def test_a_change_in_the_same_instant_with_the_same_size_is_seen(lists: Lists, policy: trust.TrustPolicy) -> None:
    """Times of files are coarse: a list that was written a moment ago is read again until it is old."""
    policy = lists.ring.look(policy)
    before = lists.trusted.stat()
    with lists.trusted.open("r+") as file:  # in place, as long as before, with the times of before
        file.write(Author("ana@laptop").line)
    os.utime(lists.trusted, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert lists.ring.look(policy).keys != policy.keys


@pytest.mark.parametrize("text", ["", "ana@laptop ssh-ed25519", "nonsense", f"{ANA.line}\n{ANA.line}"])
def test_a_list_that_is_not_understood_takes_nothing_from_anybody(
    lists: Lists, policy: trust.TrustPolicy, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The last good policy stays, to tell strangers by; all else is refused, loudly and once, until it is right."""
    policy = lists.ring.look(policy)
    lists.write(lists.trusted, text)
    assert lists.ring.look(policy) is policy
    lists.ring.look(policy)
    [said] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "help:" in said
    with pytest.raises(TrustError) as caught:
        lists.ring.check()
    assert caught.value.code == "keys-unreadable"
    lists.write(lists.trusted, BEN.line)
    assert ids(lists.ring.look(policy)) == {"ben@desk"}
    lists.ring.check()


def test_a_list_that_others_may_write_or_that_is_gone_takes_nothing_either(
    lists: Lists, policy: trust.TrustPolicy
) -> None:
    """Unsafe is as bad as wrong: whoever could write the list may have."""
    policy = lists.ring.look(policy)
    for spoil in (
        lambda: lists.write(lists.revoked, "", 0o662),
        lambda: lists.write(lists.revoked, "", 0o620),
        lambda: lists.revoked.unlink(),
        lambda: (lists.revoked.unlink(), os.mkfifo(lists.revoked, 0o600)),
    ):
        spoil()
        assert lists.ring.look(policy) is policy
        assert lists.ring.fault is not None and lists.ring.fault.code == "trust-file"
        lists.write(lists.revoked, "")
        lists.ring.look(policy)
        assert lists.ring.fault is None


def test_a_list_of_another_user_is_not_believed(lists: Lists, policy: trust.TrustPolicy) -> None:
    """It has to belong to the server's user or to root."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(lists.trusted, 12345, 12345)
    lists.ring.look(policy)
    assert lists.ring.fault is not None and "another user" in lists.ring.fault.message


def test_what_was_revoked_stays_revoked_in_a_process(lists: Lists, policy: trust.TrustPolicy) -> None:
    """A list that is just being written, or was emptied, opens nothing: taking a key back takes a restart."""
    lists.write(lists.trusted, f"{ANA.line}\n{BEN.line}\n")
    lists.write(lists.revoked, ANA.public.keyid)
    policy = lists.ring.look(policy)
    lists.write(lists.revoked, "")
    assert lists.ring.look(policy).revoked == {ANA.public.keyid}


def test_a_threshold_that_can_no_longer_be_met_is_a_fault_too(lists: Lists, policy: trust.TrustPolicy) -> None:
    """The only key is revoked: that is told, and not left to be found out at the next push."""
    policy = lists.ring.look(policy)
    lists.write(lists.revoked, ANA.public.keyid)
    assert lists.ring.look(policy) is policy
    assert lists.ring.fault is not None and lists.ring.fault.code == "threshold"


def test_variables_are_read_once(world: World) -> None:
    """Lists in the environment need no look: there is nothing to see."""
    sources = ListSources(ANA.line, BEN.public.keyid, None, None)
    assert sources.files == ()
    assert sources.read().revoked == {BEN.public.keyid}
    assert Keyring(sources).look(world.node.policy) is world.node.policy


def test_both_forms_of_one_list_are_refused(tmp_path: Path) -> None:
    """Which of two lists of roles counts is not for us to choose; two lists of revoked keys add up."""
    both = {"HABANERO_TRUSTED_KEYS": ANA.line, "HABANERO_ROLES": "ana push a/b", "HABANERO_ROLES_FILE": "roles"}
    with pytest.raises(ConfigError, match="both set"):
        ListSources.from_env(both, tmp_path)
    (tmp_path / "revoked").write_text(ANA.public.keyid)
    added = {"HABANERO_TRUSTED_KEYS": f"{ANA.line}\n{BEN.line}", "HABANERO_REVOKED_KEYS": BEN.public.keyid}
    found = ListSources.from_env(added | {"HABANERO_REVOKED_KEYS_FILE": "revoked"}, tmp_path)
    assert found is not None
    assert found.read().revoked == {ANA.public.keyid, BEN.public.keyid}


def with_lists(world: World, lists: Lists) -> Follower:
    lists.write(lists.trusted, f"{world.author.line}\n{BEN.line}\n")
    lists.write(lists.roles, "ana@laptop push,clear shop/test\nben@desk push,clear shop/test\n")
    world.node.keyring = lists.ring
    world.node.look_at_keys()
    return Follower(world.node)


def test_a_head_whose_key_was_revoked_goes_on_running_and_says_so(world: World, lists: Lists) -> None:
    """Nothing is taken back from under the app: the doubt is told, and ends when the head is signed again."""
    follows = with_lists(world, lists)
    push = world.push("RATE = 2\n")
    world.record(push)
    follows._follow()
    assert (world.node.running_seq, world.node.doubt) == (1, None)
    lists.write(lists.revoked, world.author.public.keyid)
    follows._follow()
    assert world.node.running_seq == 1
    assert world.node.doubt is not None and world.node.doubt.code == "unauthorized"
    again = BEN.push(
        world.base.digest, {"shop.rates": "RATE = 2\n"}, seq=2, prev=push.digest, kind="clear", restores=1
    )
    world.record(again)
    follows._follow()
    assert (world.node.running_seq, world.node.doubt) == (2, None)
    assert world.node.up_to_date


def test_a_revoked_key_adds_nothing_to_the_journal_of_a_running_process(world: World, lists: Lists) -> None:
    """An entry that it signed after that, put right into the bucket, is not followed."""
    follows = with_lists(world, lists)
    lists.write(lists.revoked, world.author.public.keyid)
    world.record(world.push("RATE = 666\n"))
    follows._follow()
    assert world.swapper.live == {}
    assert world.node.seen.head.seq == 0


def test_while_the_lists_cannot_be_read_nothing_is_followed(world: World, lists: Lists) -> None:
    """The process stays on what it runs, says so in its heartbeat, and goes on when they are mended."""
    follows = with_lists(world, lists)
    lists.write(lists.trusted, "half a li")
    world.record(world.push("RATE = 2\n"))
    follows._follow()
    assert world.swapper.live == {}
    failure = world.node.beat_now().failed
    assert failure is not None and failure.code == "keys-unreadable"
    lists.write(lists.trusted, f"{world.author.line}\n")
    follows._follow()
    assert world.swapper.live == {"shop.rates": b"RATE = 2\n"}
    assert world.node.beat_now().failed is None


def test_a_key_that_comes_back_into_the_list_clears_the_doubt(world: World, lists: Lists) -> None:
    """Taken out of the trusted keys by mistake and put in again: the head is right again without a signature."""
    follows = with_lists(world, lists)
    world.record(world.push("RATE = 2\n"))
    lists.write(lists.trusted, f"{BEN.line}\n")
    follows._follow()
    assert world.node.doubt is not None
    assert world.node.running_seq == 0
    lists.write(lists.trusted, f"{world.author.line}\n{BEN.line}\n")
    follows._follow()
    assert (world.node.running_seq, world.node.doubt) == (1, None)
    follower.judge_again(world.node)
    assert world.node.doubt is None


def test_a_follower_stays_on_a_freeze(world: World) -> None:
    """A push that somebody put on top of it, right into the bucket, is not followed; a clear is."""
    follows = Follower(world.node)
    push = world.push("RATE = 2\n")
    world.record(push)
    frozen = world.author.push(
        world.base.digest, {"shop.rates": "RATE = 2\n"}, seq=2, prev=push.digest, kind="freeze", restores=1
    )
    world.record(frozen)
    follows._follow()
    assert (world.node.running_seq, world.node.tip.frozen) == (2, True)
    world.record(world.push("RATE = 666\n"))
    follows._follow()
    assert (world.node.running_seq, world.node.tip.seq) == (2, 2)
    assert world.swapper.live == {"shop.rates": b"RATE = 2\n"}
    obstacle = world.node.obstacle()
    assert obstacle is not None and "frozen" in obstacle.message


def test_nobody_ends_a_freeze_without_a_key(world: World) -> None:
    """An entry under the head needs no key of today, but one that ends a freeze does: a stranger's stops the walk."""
    follows = Follower(world.node)
    same = {"shop.rates": "RATE = 2\n"}
    push = world.push("RATE = 2\n")
    frozen = world.author.push(world.base.digest, same, seq=2, prev=push.digest, kind="freeze", restores=1)
    forged = Author("eve").push(world.base.digest, same, seq=3, prev=frozen.digest, kind="clear", restores=1)
    evil = world.author.push(world.base.digest, {"shop.rates": "RATE = 666\n"}, seq=4, prev=forged.digest)
    for each in (push, frozen, forged, evil):
        world.record(each)
    follows._follow()
    assert (world.node.running_seq, world.node.tip.seq, world.node.tip.frozen) == (2, 2, True)
    assert world.swapper.live == {"shop.rates": b"RATE = 2\n"}
