"""A push whose connection breaks, a server that is busy or away: what is known, and what is said."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest
from fake_receiver import URL

from habanero_py import deliver
from habanero_py import events as e
from habanero_py.client import Server
from habanero_py.codes import exit_code
from habanero_receiver.errors import HabaneroError, StoreError

PRICE_2 = "def price():\n    return 2\n"


@pytest.fixture
def changed(ana):
    """A session that knows the server, over a tree with one change."""
    ana.write("shop/pricing.py", PRICE_2)
    session = ana.session()
    session.pusher.view()
    ana.receiver.requests.clear()
    return session


def test_an_answer_that_is_lost_is_looked_up(ana, changed) -> None:
    """The release was recorded: it is called live, and it was sent once."""
    ana.receiver.lose_answers = 1
    assert changed.pusher.push() == 0
    assert ana.receiver.requests == ["POST /v1/push", "GET /v1/state"]
    assert len(ana.receiver.entries) == len(ana.said(e.Live)) == 1


def test_a_release_that_never_arrived_is_sent_again(ana, changed) -> None:
    """The same signed bytes, so that they can be recorded once at most."""
    ana.receiver.lose_pushes = 1
    assert changed.pusher.push() == 0
    assert ana.receiver.requests == ["POST /v1/push", "GET /v1/state", "POST /v1/push"]
    assert len(ana.receiver.entries) == 1


def test_a_release_that_is_lost_twice_is_not_live(ana, changed) -> None:
    """The server answers and has not recorded it: an error that says so, and exit code 8."""
    ana.receiver.lose_pushes = 2
    with pytest.raises(HabaneroError) as error:
        changed.pusher.push()
    assert (error.value.code, exit_code(error.value)) == ("push-lost", 8)
    assert not ana.receiver.entries


def test_a_server_that_stays_silent_leaves_the_outcome_unknown(ana, changed, monkeypatch) -> None:
    """Nobody can say whether it is live, and nothing claims to: exit code 8, with help."""
    monkeypatch.setattr(deliver, "LOOK_UP_TIMEOUT_S", 0.0)

    def goes_down() -> None:
        ana.receiver.down, ana.receiver.lose_pushes = True, 1

    ana.receiver.before_push = goes_down
    with pytest.raises(HabaneroError) as error:
        changed.pusher.push()
    assert (error.value.code, exit_code(error.value)) == ("outcome-unknown", 8)
    assert "status" in error.value.help


def test_somebody_elses_release_in_the_place_of_a_lost_one_is_a_lost_race(ana, join, changed) -> None:
    """The number went to another release: a fresh diff is sent on top of it."""
    bob = join("bob")
    bob.write("shop/cart.py", "x = 9\n")
    ana.write("shop/cart.py", "x = 9\n")
    bobs = bob.session()

    def bob_is_first() -> None:
        bobs.pusher.push()
        ana.receiver.lose_pushes = 1

    ana.receiver.before_push = bob_is_first
    assert changed.pusher.push() == 0
    assert ana.receiver.statement.seq == 2
    assert set(ana.receiver.overlay()) == {"shop.cart", "shop.pricing"}


def test_a_deployment_that_cuts_the_connection_is_not_pushed_over(ana, changed) -> None:
    """The server came back with other code: the release is not live, and nothing is sent on top unasked."""

    def deployed_anew() -> None:
        (ana.receiver.base.root / "shop/cart.py").write_text("def total():\n    return 4\n")
        ana.receiver.base = type(ana.receiver.base).scan(ana.receiver.base.root, ["shop"])
        ana.receiver.lose_pushes = 1

    ana.receiver.before_push = deployed_anew
    with pytest.raises(HabaneroError) as error:
        changed.pusher.push()
    assert error.value.code == "redeployed"
    assert not ana.receiver.entries


def test_a_server_that_cannot_be_reached_is_exit_code_8(ana) -> None:
    """Nothing was sent, and the error says where it looked."""
    ana.receiver.down = True
    with pytest.raises(HabaneroError) as error:
        ana.session().pusher.push()
    assert (error.value.code, exit_code(error.value)) == ("unreachable", 8)


def test_a_busy_server_is_asked_again(ana, changed) -> None:
    """Another push is at work there: wait for it."""
    changed.server._sleep = lambda seconds: None
    ana.receiver.busy = 2
    assert changed.pusher.push() == 0
    assert ana.receiver.requests == ["POST /v1/push"] * 3


def test_a_bucket_that_fails_is_not_pushed_to_again_and_again(ana, changed) -> None:
    """The server made the change and undid it before it said so: it does that once for one push."""
    changed.server._sleep = lambda seconds: None
    ana.receiver.refuse = StoreError("store", "the bucket could not be written")
    with pytest.raises(HabaneroError) as error:
        changed.pusher.push()
    assert (error.value.code, exit_code(error.value)) == ("store", 8)
    assert ana.receiver.requests == ["POST /v1/push"]


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_the_servers_clock_is_read_whatever_it_calls_its_zone(zone: str, ana) -> None:
    """A date without a zone is no crash in the middle of an answer."""
    answer = httpx.Response(404, headers={"date": f"Sat, 21 Nov 2026 12:04:10 {zone}"})
    noon = datetime(2026, 11, 21, 12, 4, 8, tzinfo=UTC)
    transport = httpx.MockTransport(lambda _: answer)
    with Server(URL, "shop/test#1", ana.session().signer, transport=transport, clock=lambda: noon) as server:
        with pytest.raises(HabaneroError, match="no receiver"):
            server.state()
        assert server.clock_skew_s == 2.0


def test_after_an_error_the_next_save_starts_fresh(ana, changed) -> None:
    """A new deployment under a running session: held, and with a person's yes pushed over what is there."""
    deployed = ana.receiver.base.root / "shop/cart.py"
    deployed.write_text("def total():\n    return 4\n")
    ana.receiver.base = type(ana.receiver.base).scan(ana.receiver.base.root, ["shop"])
    with pytest.raises(HabaneroError) as error:
        changed.pusher.push()
    assert error.value.code == "redeployed"
    changed.go_on = lambda moved: True
    assert changed.pusher.push() == 0
    assert ana.receiver.statement.base == ana.receiver.base.digest
