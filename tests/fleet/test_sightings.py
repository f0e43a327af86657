"""Exceptions taken apart, the code they came out of, and how many are too many: without a server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from types import CodeType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habanero_receiver.fleet import attribution, reports
from habanero_receiver.fleet.attribution import Version
from habanero_receiver.fleet.probation import MINUTE_S, Tally
from habanero_receiver.fleet.sightings import (
    MAX_FRAMES,
    MAX_WAITING,
    Part,
    Place,
    Sighting,
    Sightings,
    ThreadErrors,
    sight,
)
from habanero_receiver.release.statement import Withdraw
from habanero_receiver.swap import ModuleImage, image_from_source

FILE = "/srv/shop/pricing.py"


def seen(raising: Callable[[], object]) -> Sighting:
    try:
        raising()
    except Exception as error:
        found = sight(error, "GET /")
    assert found is not None
    return found


def fails() -> None:
    raise ValueError("no such rate")


def test_an_exception_is_its_class_its_words_and_its_frames() -> None:
    """Outermost first, with the line that each was at."""
    [part] = seen(fails).parts
    assert (part.kind, part.words) == ("ValueError", "no such rate")
    assert [place.code.co_name for place in part.places] == ["seen", "fails"]
    assert part.places[-1].line == fails.__code__.co_firstlineno + 1


def test_causes_and_groups_are_part_of_it() -> None:
    """What it was raised from comes first, as a traceback has it; a group's members are looked into."""

    def chained() -> None:
        try:
            fails()
        except ValueError as error:
            raise RuntimeError("no price") from error

    assert [part.kind for part in seen(chained).parts] == ["ValueError", "RuntimeError"]

    def grouped() -> None:
        raise ExceptionGroup("some", [KeyError("a"), OSError("b")])

    assert {part.kind for part in seen(grouped).parts} == {"ExceptionGroup", "KeyError", "OSError"}


class WebSocketDisconnect(Exception):  # noqa: N818  # named as the framework's
    """As a framework has one."""


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), WebSocketDisconnect()])
def test_what_is_nobodys_error_is_not_seen(error: BaseException) -> None:
    """An end that was asked for, and a client that went away."""
    assert sight(error, "") is None


def test_words_that_cannot_be_had_and_frames_without_end() -> None:
    """The app's own classes may do anything; a recursion keeps its last frames."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def mute() -> None:
        raise MuteError

    def deep(left: int) -> None:
        if not left:
            fails()
        deep(left - 1)

    assert "cannot be had" in seen(mute).parts[-1].words
    places = seen(lambda: deep(300)).parts[-1].places
    assert len(places) == MAX_FRAMES and places[-1].code is fails.__code__


def test_only_so_many_wait() -> None:
    """However many errors an app has."""
    waiting = Sightings()
    for _ in range(MAX_WAITING + 5):
        waiting.saw(ValueError(), "")
    assert len(waiting.take()) == MAX_WAITING and waiting.take() == []


def test_a_thread_that_ends_by_an_exception_is_seen_and_so_is_the_hook_before() -> None:
    """And once it is over, nothing is left of it."""
    told: list[object] = []
    before, threading.excepthook = threading.excepthook, lambda args: told.append(args.exc_type)
    ours = threading.excepthook
    waiting = Sightings()
    errors = ThreadErrors(waiting)
    try:
        errors.begin()
        thread = threading.Thread(target=fails, name="side")
        thread.start()
        thread.join(20)
        assert [(each.where, each.parts[-1].kind) for each in waiting.take()] == [("thread side", "ValueError")]
        assert told == [ValueError]
        errors.end()
        assert threading.excepthook is ours
    finally:
        threading.excepthook = before


def image(text: str) -> ModuleImage:
    return image_from_source("shop.pricing", False, FILE, "shop/pricing.py", text.encode())


def version(text: str | None, base: str = "") -> Version:
    images = {} if text is None else {"shop.pricing": image(text)}
    return Version(images, lambda _: image(base))


def code(text: str, name: str) -> CodeType:
    """The code of a function as a process runs it."""
    space: dict[str, object] = {}
    exec(compile(text, FILE, "exec"), space)
    found = space[name]
    return found.__code__  # type: ignore[attr-defined]  # it is a function


BASE = "def price(a):\n    return a\n\ndef tax(a):\n    return a * 2\n"
FIRST = "def price(a):\n    return a + 1\n\ndef tax(a):\n    return a * 2\n"
SECOND = "import os\n\ndef price(a):\n    '''Doc.'''\n    return a + 1\n\ndef tax(a):\n    return a * 3\n"


def whose(function: str, text: str) -> list[tuple[int, bool]]:
    """The release that the code of a frame is put down to; what is live is SECOND over FIRST over BASE."""
    one = Sighting((Part("ValueError", "", (Place(code(text, function), 1),)),), "", 0.0, 0.0)
    versions = [(7, version(SECOND, BASE)), (6, version(FIRST, BASE))]
    return [(each.release, each.current) for each in attribution.suspects(one, versions, version(None, BASE))]


def test_code_is_put_down_to_the_release_that_brought_it() -> None:
    """A function that only moved, or got a docstring, came with the older one."""
    assert whose("tax", SECOND) == [(7, True)]
    assert whose("price", SECOND) == [(6, True)]


def test_old_code_and_deployed_code_are_put_down_to_nothing() -> None:
    """A frame that went on with what was deployed, and one of code that no release had."""
    assert whose("price", BASE) == [] and whose("tax", FIRST) == []
    assert whose("price", "def price(a):\n    return a - 99\n") == []


@given(st.lists(st.floats(0, 400), max_size=30), st.integers(1, 6), st.integers(1, 300))
def test_a_tally_is_reached_by_so_many_within_a_minute(times: list[float], most: int, window: int) -> None:
    """Whatever the order of sparse and dense errors: as many as the policy says, in one minute, early enough."""
    tally, counted = Tally(Withdraw(most, window), 0.0), list[float]()
    for at in sorted(times):
        reached = tally.reached(at)
        if at <= window:
            counted.append(at)
        recent = [each for each in counted if at - each < MINUTE_S]
        assert reached == (at <= window and len(recent) >= most)


def told(found: Sighting, *notes: int) -> reports.Reports:
    kept = reports.Reports()
    for number in notes or (1,):
        kept.note(found, number, "shop.pricing.price:2", lambda _: None, "/srv/")
    return kept


def test_equal_errors_are_one_report_with_a_count() -> None:
    """And only the newest kinds are kept."""
    error = seen(fails)
    [one] = told(error, 1, 1, 1).all()
    assert (one.times, one.kind, one.words) == (3, "ValueError", "no such rate")
    assert one.traceback.endswith("ValueError: no such rate\n")
    assert [each.release for each in told(error, *range(20)).all()] == list(range(20 - reports.MAX_REPORTS, 20))


def test_reports_read_back_as_they_were_written() -> None:
    """What one worker writes is what the others read."""
    found = reports.decode(reports.encode("box", 7, 1.0, told(seen(fails), 1, 2).all()))
    assert found is not None
    assert (found["machine"], found["pid"], [each["release"] for each in found["reports"]]) == ("box", 7, [1, 2])


@given(st.binary(max_size=100) | st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner)
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_anything_else_is_no_report(data: bytes) -> None:
    """Whoever writes rubbish into the errors folder breaks nothing."""
    assert reports.decode(data) is None


@pytest.mark.parametrize("field", [("id", "1"), ("times", True), ("last", float("nan")), ("traceback", "x" * 10_000)])
def test_a_report_with_a_field_of_the_wrong_kind_is_not_one(field: tuple[str, object]) -> None:
    """Types and lengths are checked, since the values go on to people's terminals."""
    said = json.loads(reports.encode("box", 7, 1.0, told(seen(fails)).all()))
    said["reports"][0][field[0]] = field[1]
    assert reports.decode(json.dumps(said).encode()) is None
