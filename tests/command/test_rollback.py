"""A rollback is a new release with the code of an older one."""

from __future__ import annotations

import pytest

from habanero_py import events as e
from habanero_py.commands.history import log
from habanero_py.commands.reads import status, wait_in_step
from habanero_py.commands.writes import Consent, clear, rollback
from habanero_py.errors import UsageError
from habanero_receiver.errors import HabaneroError

YES = Consent(yes=True, ask=None)


@pytest.fixture
def released(ana):
    """Three releases: return 1, 2 and 3."""
    session = ana.session()
    for number in (11, 12, 13):
        ana.write("shop/pricing.py", f"x = {number}\n")
        assert session.pusher.push() == 0
    ana.events.clear()
    return ana


def now(laptop) -> str | None:
    return laptop.receiver.overlay().get("shop.pricing")


def test_the_default_is_the_one_before(released) -> None:
    """#3 goes back to the code of #2, as release #4 that says so, without sending a blob."""
    assert rollback(released.session(), YES, None) == 0
    statement = released.receiver.statement
    assert (statement.seq, statement.kind, statement.restores) == (4, "rollback", 2)
    assert now(released) == "x = 12\n"
    [live] = released.said(e.Live)
    assert live.same_code_as == 2


def test_twice_goes_back_two(released) -> None:
    """The second rollback goes on from the code that runs, not back to what was undone."""
    session = released.session()
    rollback(session, YES, None)
    rollback(session, YES, None)
    assert now(released) == "x = 11\n"
    rollback(session, YES, None)
    assert released.receiver.overlay() == {}
    with pytest.raises(HabaneroError) as error:
        rollback(session, YES, None)
    assert error.value.code == "no-such-release"


def test_a_number_goes_there_and_forward_again(released) -> None:
    """Any release, also one that restored another: then the first one's number is named."""
    session = released.session()
    rollback(session, YES, 1)
    rollback(session, YES, 3)
    rollback(session, YES, 4)
    assert now(released) == "x = 11\n"
    assert released.receiver.statement.restores == 1


def test_zero_is_the_code_as_deployed(released) -> None:
    """The overlay is empty afterwards."""
    assert rollback(released.session(), YES, 0) == 0
    assert released.receiver.overlay() == {}
    assert released.receiver.statement.restores == 0


def test_what_runs_already_is_not_released_again(released) -> None:
    """Nothing to do is no error and no entry."""
    assert rollback(released.session(), YES, 3) == 0
    assert len(released.receiver.entries) == 3


def test_an_unknown_number_changes_nothing(released) -> None:
    """The error names it."""
    with pytest.raises(HabaneroError) as error:
        rollback(released.session(), YES, 9)
    assert (error.value.code, error.value.subject) == ("no-such-release", "#9")


def test_without_a_terminal_it_needs_yes(released) -> None:
    """The plan is shown, the question is not asked, nothing is sent."""
    with pytest.raises(UsageError) as error:
        rollback(released.session(), Consent(yes=False, ask=None), None)
    assert (error.value.code, error.value.help) == ("confirm", "add --yes")
    [plan] = released.said(e.RollbackPlan)
    assert (plan.running, plan.restores, plan.modules) == (3, 2, ("shop.pricing",))
    assert len(released.receiver.entries) == 3


def test_a_person_may_say_no(released) -> None:
    """Exit code 130, as for Ctrl-C, and nothing is sent."""
    assert rollback(released.session(), Consent(yes=False, ask=lambda question: False), None) == 130
    assert len(released.receiver.entries) == 3


def test_log_shows_each_release_with_what_it_changed(released) -> None:
    """Newest first; a limit shows the newest."""
    session = released.session()
    rollback(session, YES, None)
    released.events.clear()
    log(session, 2)
    first, second = released.said(e.LogEntry)
    assert (first.push, first.kind, first.restores, first.running) == (4, "rollback", 2, True)
    assert (second.push, second.modules, second.running) == (3, ("shop.pricing",), False)


def test_status_names_the_release_whose_code_runs(released) -> None:
    """Exit code 0 in step, 6 out of step."""
    session = released.session()
    rollback(session, YES, None)
    assert status(session) == 0
    [said] = released.said(e.Status)
    assert (said.head, said.same_code_as, said.in_step, said.author) == (4, 2, True, "ana@laptop")
    released.receiver.in_step = False
    assert status(session) == 6


def test_status_can_wait_until_all_are_in_step(released) -> None:
    """Each change is told once, a server that is away too; in step it ends with 0."""
    session = released.session()
    released.receiver.in_step = False
    turns = iter(range(10))

    def between(_: float) -> None:
        turn = next(turns)
        released.receiver.down = turn in (1, 2)
        released.receiver.in_step = turn > 3

    assert wait_in_step(session, between) == 0
    said = [(type(event), getattr(event, "waiting", None)) for event in released.events]
    assert said == [(e.Status, True), (e.Notice, None), (e.Status, False)]


def test_a_clear_is_the_newest_release_signed_once_more(released) -> None:
    """Machines that pass #3 over since it did not start are to try it again: the same code, as #4, without a blob."""
    assert clear(released.session(), YES) == 0
    statement = released.receiver.statement
    assert (statement.seq, statement.kind, statement.restores) == (4, "clear", 3)
    assert now(released) == "x = 13\n"
    with pytest.raises(UsageError):
        clear(released.session(), Consent(yes=False, ask=None))


def test_there_is_nothing_to_clear_over_a_new_base(ana) -> None:
    """Without a release the answer is an error with help, and nothing is sent."""
    with pytest.raises(HabaneroError) as error:
        clear(ana.session(), YES)
    assert error.value.code == "no-such-release"
