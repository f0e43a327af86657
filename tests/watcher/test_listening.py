"""What is news from production, and what is not."""

from __future__ import annotations

from dataclasses import replace

from habanero_py import events as e
from habanero_py.listening import News
from habanero_py.remote_fleet import Heard

ERROR = e.ProductionError(42, "TypeError", "no", "shop.a.f:1", "GET /", "box", 7, 1, "Traceback", "2026-11-21T12:00:00")
VERDICT = e.Withdrawal(42, 41, "5 errors", "box", "2026-11-21T12:00:01")


def heard(*numbers: int, withdrawn: e.Withdrawal | None = None, **changes: int) -> Heard:
    return Heard({("box", 7, 1.0, number): replace(ERROR, **changes) for number in numbers}, withdrawn, 1.0)


def test_each_error_is_told_once() -> None:
    """Also when it comes again and again, and when other errors come."""
    news = News()
    assert news.of(heard()) == ([], None)
    assert news.of(heard(1)) == ([ERROR], None)
    assert news.of(heard(1, times=9)) == ([], None)
    assert news.of(heard(1, 2, 3)) == ([ERROR, ERROR], None)


def test_what_was_there_before_the_watch_is_old() -> None:
    """A watch that begins tells nothing that happened before it, except that the head stands withdrawn."""
    news = News()
    assert news.of(heard(1, 2, withdrawn=VERDICT)) == ([], VERDICT)
    assert news.of(heard(1, 2, withdrawn=VERDICT)) == ([], None)


def test_a_release_that_is_withdrawn_again_after_a_clear_is_news() -> None:
    """Each verdict is told once, with the errors that led to it before it."""
    news = News()
    news.of(heard())
    assert news.of(heard(1, withdrawn=VERDICT)) == ([ERROR], VERDICT)
    assert news.of(heard(1)) == ([], None)
    later = replace(VERDICT, push=43)
    assert news.of(heard(1, withdrawn=later)) == ([], later)


def test_errors_are_told_in_their_order() -> None:
    """Whichever worker comes first in the answer."""
    first, last = replace(ERROR, last="2026-11-21T11:00:00"), replace(ERROR, last="2026-11-21T13:00:00")
    news = News()
    news.of(heard())
    found, _ = news.of(Heard({("b", 1, 1.0, 1): last, ("a", 1, 1.0, 1): first}, None, 1.0))
    assert found == [first, last]
