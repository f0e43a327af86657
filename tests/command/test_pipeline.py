"""From a change on the laptop to a release on the server, and every way in which that ends early."""

from __future__ import annotations

from pathlib import Path

import pytest

from habanero_py import events as e
from habanero_py.codes import exit_code
from habanero_receiver.errors import HabaneroError, SwapError, TrustError

PRICE_2 = "def price():\n    return 2\n"


def test_a_change_is_released_and_nothing_else(ana) -> None:
    """One changed file: a release of one module, live on every worker, exit code 0."""
    ana.write("shop/pricing.py", PRICE_2)
    assert ana.session().pusher.push() == 0
    assert ana.receiver.overlay() == {"shop.pricing": PRICE_2}
    assert ana.receiver.statement.author == "ana@laptop"
    [live] = ana.said(e.Live)
    assert (live.push, live.workers) == (1, 2)


def test_what_does_not_differ_is_not_pushed(ana) -> None:
    """A tree like the deployed one sends no release."""
    assert ana.session().pusher.push() == 0
    assert ana.said(e.Unchanged) == [e.Unchanged(0)]
    assert not ana.receiver.entries


def test_a_save_in_a_session_is_one_request(ana) -> None:
    """Connection, head and base table stay known between saves."""
    session = ana.session()
    session.pusher.push()
    ana.receiver.requests.clear()
    for number in (2, 3):
        ana.write("shop/pricing.py", f"def price():\n    return {number}\n")
        assert session.pusher.push() == 0
    assert ana.receiver.requests == ["POST /v1/push"] * 2


def test_code_that_the_server_holds_is_not_sent_again(ana) -> None:
    """The second release carries the first one's module on by digest, without its blobs."""
    session = ana.session()
    ana.write("shop/pricing.py", "x = '" + "y" * 5000 + "'\n")
    session.pusher.push()
    ana.write("shop/cart.py", "def total():\n    return 2\n")
    session.pusher.push()
    assert set(ana.receiver.overlay()) == {"shop.pricing", "shop.cart"}
    first, second = ana.said(e.Pushing)
    assert first.bytes > 5000 > second.bytes


def test_going_back_to_the_deployed_code_takes_a_module_out_of_the_overlay(ana) -> None:
    """What equals the base is not part of a release."""
    session = ana.session()
    ana.write("shop/pricing.py", PRICE_2)
    session.pusher.push()
    ana.write("shop/pricing.py", "def price():\n    return 1\n")
    assert session.pusher.push() == 0
    assert ana.receiver.overlay() == {}


def test_new_and_deleted_modules_travel(ana) -> None:
    """A new package with an empty __init__, and a module that is gone."""
    ana.write("shop/new/__init__.py", "")
    ana.write("shop/new/thing.py", "x = 1\n")
    (ana.root / "shop/cart.py").unlink()
    session = ana.session()
    assert session.pusher.push() == 0
    assert ana.receiver.overlay() == {"shop.new": "\n", "shop.new.thing": "x = 1\n", "shop.cart": None}
    assert session.pusher.push() == 0
    assert ana.said(e.Unchanged) == [e.Unchanged(1)], "an empty file equals the line that it travels as"


def test_what_git_ignores_is_not_taken_for_deleted(ana, receiver, run_git) -> None:
    """A file that the server has, that the tree has not, and that git ignores, stays on the server."""
    run_git(ana.root, "init", "-q")
    ana.write(".gitignore", "shop/_version.py\n")
    (receiver.base.root / "shop/_version.py").write_text("V = 1\n")
    receiver.base = type(receiver.base).scan(receiver.base.root, ["shop"])
    ana.write("shop/pricing.py", PRICE_2)
    ana.session().pusher.push()
    assert set(receiver.overlay()) == {"shop.pricing"}


def test_a_syntax_error_stops_before_the_gate(ana) -> None:
    """It is told with its place; the gate is not run, nothing is sent, exit code 4."""
    ana.write("shop/pricing.py", "def price(:\n")
    ran = ana.root / "ran"
    assert ana.session(gate=f"touch {ran}").pusher.push() == 4
    [found] = ana.said(e.SyntaxFound)
    assert (found.path, found.line, found.running) == ("shop/pricing.py", 1, 0)
    assert not ran.exists()
    assert not ana.receiver.entries


def test_a_failed_gate_stops_the_push(ana) -> None:
    """Exit code 3; the event has the output and the place of the log, and says what still runs."""
    ana.write("shop/pricing.py", PRICE_2)
    assert ana.session(gate="sh -c 'echo 1 failed; exit 1'").pusher.push() == 3
    [gate] = ana.said(e.GateFinished)
    assert (gate.ok, gate.summary, gate.running) == (False, "1 failed", 0)
    assert "1 failed" in (gate.output or "")
    assert Path(gate.log or "").is_file()
    assert not ana.receiver.entries


def test_the_gate_that_passed_is_signed(ana) -> None:
    """The statement names the command and its exit code; without a gate it names none."""
    ana.write("shop/pricing.py", PRICE_2)
    ana.session(gate="true").pusher.push()
    gate = ana.receiver.statement.gate
    assert gate is not None and (gate.command, gate.exit) == ("true", 0)
    ana.write("shop/pricing.py", "x = 3\n")
    ana.session().pusher.push()
    assert ana.receiver.statement.gate is None


def test_a_file_that_changes_under_the_gate_starts_it_again(ana) -> None:
    """The first run changes a source: the second one tests what is then signed."""
    ana.write("shop/pricing.py", PRICE_2)
    ana.write("gate.sh", 'test -e once || { touch once; echo "x = 5" > shop/cart.py; }\n')
    assert ana.session(gate="sh gate.sh").pusher.push() == 0
    assert [event.paths for event in ana.said(e.GateAgain)] == [("shop/cart.py",)]
    assert ana.receiver.overlay()["shop.cart"] == "x = 5\n"


def test_a_gate_that_changes_files_each_time_is_given_up(ana) -> None:
    """It does not run for ever; nothing is pushed."""
    ana.write("shop/pricing.py", PRICE_2)
    with pytest.raises(HabaneroError) as error:
        ana.session(gate="sh -c 'echo \"# more\" >> shop/cart.py'").pusher.push()
    assert (error.value.code, exit_code(error.value)) == ("gate-unstable", 3)
    assert not ana.receiver.entries


def test_a_dry_run_changes_nothing(ana) -> None:
    """The server reports per module; no entry is made, and the next push has the same number."""
    ana.write("shop/pricing.py", PRICE_2)
    session = ana.session()
    assert session.pusher.push(check=True) == 0
    [tried] = ana.said(e.DryRun)
    assert [module["module"] for module in tried.modules] == ["shop.pricing"]
    assert not ana.receiver.entries
    assert session.pusher.push() == 0
    assert ana.receiver.statement.seq == 1


def test_a_lost_race_is_one_fresh_diff_and_one_more_try(ana, join) -> None:
    """Somebody else's release of another module came between: both are live afterwards."""
    bob = join("bob")
    bob.write("shop/cart.py", "def total():\n    return 9\n")
    session = ana.session()
    session.pusher.view()
    ana.write("shop/pricing.py", PRICE_2)
    ana.write("shop/cart.py", "def total():\n    return 9\n")
    bobs = bob.session()
    ana.receiver.before_push = lambda: bobs.pusher.push() and None
    assert session.pusher.push() == 0
    assert ana.receiver.statement.seq == 2
    assert set(ana.receiver.overlay()) == {"shop.cart", "shop.pricing"}


def test_workers_that_lag_make_exit_code_6(ana) -> None:
    """Recorded, but not everywhere: a state with a name, and each worker's reason."""
    ana.receiver.in_step = False
    ana.write("shop/pricing.py", PRICE_2)
    assert ana.session().pusher.push() == 6
    assert ana.said(e.OutOfStep) == [e.OutOfStep(1, 2, 1)]
    [machine] = ana.said(e.MachineStep)
    assert machine.failures == ("pid 8: no such name",)


def test_a_refused_swap_is_the_servers_error(ana) -> None:
    """The server's code, message, help and refused units arrive; the exit code is the table's."""
    report = {"modules": [{"module": "shop.pricing", "refused": [{"unit": "C", "line": 3, "reason": "slots"}]}]}
    ana.receiver.refuse = SwapError("swap-refused", "class C cannot change", help="restart", details={"report": report})
    ana.write("shop/pricing.py", PRICE_2)
    with pytest.raises(HabaneroError) as error:
        ana.session().pusher.push()
    assert (error.value.code, error.value.help, exit_code(error.value)) == ("swap-refused", "restart", 4)
    assert [item["unit"] for item in error.value.refusals] == ["C"]
    assert not ana.receiver.entries


def test_a_server_of_another_target_gets_nothing(ana) -> None:
    """The target is compared before any release is made."""
    ana.write("shop/pricing.py", PRICE_2)
    with pytest.raises(HabaneroError) as error:
        ana.session(target="shop/staging#0012").pusher.push()
    assert exit_code(error.value) == 7
    assert not ana.receiver.entries


def test_a_key_that_is_not_trusted_is_exit_code_7(ana) -> None:
    """Reads are signed too, so a stranger is turned away at the first of them."""
    object.__setattr__(ana.receiver.policy, "keys", ())
    with pytest.raises(HabaneroError) as error:
        ana.session().pusher.push()
    assert (error.value.code, exit_code(error.value)) == ("unauthorized", 7)


def test_the_server_may_say_no_to_the_signature_of_a_push(ana) -> None:
    """A key that is revoked during a session: the push is refused, the session lives."""
    session = ana.session()
    session.pusher.view()
    ana.receiver.refuse = TrustError("unauthorized", "not signed by who may")
    ana.write("shop/pricing.py", PRICE_2)
    with pytest.raises(HabaneroError):
        session.pusher.push()
    ana.receiver.refuse = None
    assert session.pusher.push() == 0
