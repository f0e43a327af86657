"""Freezes, and a head whose key is trusted no more: what the command does about them."""

from __future__ import annotations

from typing import Any

import pytest

from habanero_py import events as e
from habanero_py.commands.history import log
from habanero_py.commands.keys import keys
from habanero_py.commands.reads import status
from habanero_py.commands.sign import sign_head
from habanero_py.commands.writes import Consent, clear, freeze, rollback, unfreeze
from habanero_receiver.errors import HabaneroError
from habanero_receiver.release.roles import parse_roles

YES = Consent(yes=True, ask=None)
NO = Consent(yes=False, ask=lambda question: False)


@pytest.fixture
def released(ana: Any) -> Any:
    """Two releases."""
    session = ana.session()
    for number in (11, 12):
        ana.write("shop/pricing.py", f"x = {number}\n")
        assert session.pusher.push() == 0
    ana.events.clear()
    return ana


def code_of(action: Any) -> str:
    with pytest.raises(HabaneroError) as caught:
        action()
    assert caught.value.help
    code: str = caught.value.code
    return code


def kinds(laptop: Any) -> tuple[str, int | None, bool]:
    statement = laptop.receiver.statement
    return statement.kind, statement.restores, laptop.receiver.head.frozen


def test_a_freeze_stops_pushes_and_keeps_the_code(released: Any) -> None:
    """It is a release of the same code with a reason, shown by status; a push gets its answer from the server."""
    before = released.receiver.overlay()
    assert freeze(released.session(), YES, "release weekend") == 0
    assert kinds(released) == ("freeze", 2, True)
    assert released.receiver.overlay() == before
    released.write("shop/pricing.py", "x = 13\n")
    assert code_of(released.session().pusher.push) == "frozen"
    assert status(released.session()) == 0
    log(released.session(), 1)
    assert released.said(e.LogEntry)[-1].reason == "release weekend"
    [said] = released.said(e.Status)
    assert (said.frozen, said.reason, said.head, said.same_code_as) == (True, "release weekend", 3, 2)


def test_a_rollback_goes_through_a_freeze_and_keeps_it(released: Any) -> None:
    """The way back stays open; only ending the freeze ends it."""
    freeze(released.session(), YES, None)
    assert rollback(released.session(), YES, 1) == 0
    assert kinds(released) == ("rollback", 1, True)
    assert released.receiver.overlay() == {"shop.pricing": "x = 11\n"}
    assert unfreeze(released.session(), YES) == 0
    assert kinds(released) == ("clear", 1, False)
    released.write("shop/pricing.py", "x = 13\n")
    assert released.session().pusher.push() == 0


def test_the_deployed_code_can_be_frozen(ana: Any) -> None:
    """Before anything was pushed, too."""
    assert freeze(ana.session(), YES, None) == 0
    assert kinds(ana) == ("freeze", 0, True)
    ana.write("shop/pricing.py", "x = 1\n")
    assert code_of(ana.session().pusher.push) == "frozen"
    assert unfreeze(ana.session(), YES) == 0
    assert kinds(ana) == ("clear", 0, False)


def test_questions_are_asked_first(released: Any) -> None:
    """No is 130 and nothing; without a freeze there is nothing to end, without a release nothing to clear or sign."""
    assert freeze(released.session(), NO, None) == 130
    assert code_of(lambda: unfreeze(released.session(), YES)) == "not-frozen"
    assert len(released.receiver.entries) == 2
    released.receiver.entries.clear()
    assert code_of(lambda: clear(released.session(), YES)) == "no-such-release"
    assert code_of(lambda: sign_head(released.session(), YES)) == "no-such-release"


def test_nothing_is_built_on_a_head_that_no_key_of_today_vouches_for(released: Any, join: Any) -> None:
    """A push would carry on what it holds: refused here, until the head is signed again or taken back."""
    ben, receiver = join("ben"), released.receiver
    revoked = frozenset({released.session().signer.public.keyid})
    object.__setattr__(receiver.policy, "revoked", revoked)
    ben.write("shop/pricing.py", "x = 13\n")
    session = ben.session(gate="")
    session.approve = lambda found: True
    assert code_of(session.pusher.push) == "head-untrusted"
    assert status(ben.session()) == 0
    assert ben.said(e.Status)[-1].trusted is False

    assert sign_head(ben.session(), NO) == 130
    assert ben.said(e.Shown)[-1].entry.push == 2
    assert sign_head(ben.session(), YES) == 0
    assert kinds(ben) == ("clear", 2, False)
    status(ben.session())
    assert ben.said(e.Status)[-1].trusted is True
    assert session.pusher.push() == 0


def test_a_frozen_head_is_signed_again_as_a_freeze(released: Any) -> None:
    """Signing again changes nothing else."""
    freeze(released.session(), YES, "holidays")
    assert sign_head(released.session(), YES) == 0
    assert kinds(released) == ("freeze", 2, True)
    assert released.receiver.statement.reason == "holidays"


def test_keys_tells_who_may_do_what(released: Any, join: Any) -> None:
    """Each key with its roles here, its time and whether it is revoked; the own one is known."""
    ben, receiver = join("ben"), released.receiver
    roles = "ana push,rollback shop/production\nben read shop/production\nben push shop/staging\n"
    object.__setattr__(receiver.policy, "roles", parse_roles(roles))
    keys(ben.session())
    [said] = ben.said(e.Keys)
    rows = {row.principals: row for row in said.keys}
    assert rows["ana",].roles == ("push", "read", "rollback")
    assert rows["ben",].roles == ("read",)
    assert said.mine == rows["ben",].keyid
    assert (said.threshold, said.local) == (1, None)
    assert said.roles is not None and said.roles[2].places == ("shop/staging",)
    object.__setattr__(receiver.policy, "revoked", frozenset({rows["ana",].keyid, "SHA256:" + "A" * 43}))
    keys(ben.session())
    said = ben.said(e.Keys)[-1]
    assert [row.revoked for row in said.keys] == [True, False]
    assert said.revoked == ("SHA256:" + "A" * 43,)


def test_keys_tells_the_own_key_to_whom_the_server_does_not_know(released: Any) -> None:
    """With the line that its operator would have to list."""
    keyid = released.session().signer.public.keyid
    object.__setattr__(released.receiver.policy, "revoked", frozenset({keyid}))
    assert code_of(lambda: keys(released.session())) == "unauthorized"
    [said] = released.said(e.Notice)
    assert keyid in said.text
    assert said.help is not None and "ssh-ed25519" in said.help


def test_a_push_without_the_role_is_told_what_is_missing(released: Any) -> None:
    """The server's answer names the kind, the place and the person."""
    object.__setattr__(released.receiver.policy, "roles", parse_roles("ana rollback shop/production"))
    assert rollback(released.session(), YES, 1) == 0
    released.write("shop/pricing.py", "x = 13\n")
    with pytest.raises(HabaneroError, match="push at shop/production") as caught:
        released.session().pusher.push()
    assert caught.value.code == "role-missing"


def test_a_role_that_was_taken_away_leaves_a_head_in_doubt(released: Any) -> None:
    """Who may not push any more vouches for no push any more: as with a revoked key, somebody else signs it again."""
    object.__setattr__(released.receiver.policy, "roles", parse_roles("ana rollback shop/production"))
    released.write("shop/pricing.py", "x = 13\n")
    assert code_of(released.session().pusher.push) == "head-untrusted"
