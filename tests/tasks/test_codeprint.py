"""Which edits make a loop begin again, and which do not."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from habanero_receiver.tasks.codeprint import Codeprint, codeprint

LOOP = '''
async def loop(state, every=5):
    """Counts."""
    while True:
        step = lambda: state.n + 1
        state.n = step()
        await wait(every)
'''


def compiled(source: str, name: str = "loop") -> Any:
    """What a source's statements bind to a name."""
    names: dict[str, Any] = {"functools": functools}
    exec(compile(source, "loop.py", "exec"), names)
    return names[name]


def after(source: str, *edit: str) -> tuple[Codeprint, Codeprint]:
    """The prints of a function before and after it took an edited source's code over, as a swap does it."""
    function = compiled(source)
    before = codeprint(function)
    new = compiled(source.replace(*edit))
    function.__code__, function.__defaults__ = new.__code__, new.__defaults__
    return before, codeprint(function)


@pytest.mark.parametrize(
    "edit",
    [
        ("\nasync", "\n\n\n# a comment\nasync"),
        ('"""Counts."""', '"""Counts, and waits."""'),
        ("    while True:", "    # for ever\n    while True:"),
        ("step = lambda: state.n + 1", "step = lambda: (state.n\n            + 1)"),
    ],
    ids=["shifted", "docstring", "comment", "layout"],
)
def test_what_runs_the_same_is_no_change(edit: tuple[str, str]) -> None:
    """A loop is not disturbed for what no one could notice."""
    before, now = after(LOOP, *edit)
    assert before == now


@pytest.mark.parametrize(
    "edit",
    [
        ("state.n + 1", "state.n + 2"),
        ("wait(every)", "pause(every)"),
        ("every=5", "every=6"),
        ("every=5", "every=5.0"),
        ("while True:", "for _ in (1, 2):"),
    ],
    ids=["inner", "name", "default", "kind-of-default", "shape"],
)
def test_what_runs_otherwise_is_a_change(edit: tuple[str, str]) -> None:
    """The loop's own code, what is made inside it, and its defaults count."""
    before, now = after(LOOP, *edit)
    assert before != now


WRAPPED = """
def every(seconds):
    def decorate(function):
        count = 0
        def loop(state):
            nonlocal count
            count += 1
            return function(state, seconds)
        return loop
    return decorate

def body(state, seconds):
    return 1

loop = every(5)(body)
"""


def test_functions_that_it_closes_over_count_and_values_do_not() -> None:
    """A decorator's wrapped function is the loop; a number that the loop counts in its closure is its state."""
    loop = compiled(WRAPPED)
    before = codeprint(loop)
    loop(None)
    assert codeprint(loop) == before
    body = next(cell.cell_contents for cell in loop.__closure__ if callable(cell.cell_contents))
    body.__code__ = compiled(WRAPPED.replace("return 1", "return 2"), "body").__code__
    assert codeprint(loop) != before


def test_another_function_object_is_another_loop() -> None:
    """A decorator that ran again made a new wrapper: the one that runs is not it, however alike."""
    assert codeprint(compiled(WRAPPED)) != codeprint(compiled(WRAPPED))


def test_methods_partials_and_objects_are_looked_into() -> None:
    """Whatever can be called is followed to the functions that it is made of."""
    source = "class Loop:\n    def run(self): return 1\n    def __call__(self): return self.run()\n"
    item = compiled(source, "Loop")()
    for loop in (item.run, functools.partial(item.run), item):
        before = codeprint(loop)
        assert codeprint(loop) == before
    assert codeprint(item.run) == codeprint(item.run)
    assert codeprint(item.run) != codeprint(type(item)().run)
    before, partial_before = codeprint(item), codeprint(partial := functools.partial(item.run))
    new = compiled(source.replace("1", "2").replace("self.run()", "self.run() + 1"), "Loop")
    type(item).run.__code__, type(item).__call__.__code__ = new.run.__code__, new.__call__.__code__
    assert codeprint(item) != before and codeprint(partial) != partial_before


def test_a_closure_that_leads_round_in_a_circle_ends() -> None:
    """A function that closes over itself is looked at once."""
    source = "def make():\n    def loop(): return loop\n    return loop\nloop = make()\n"
    loop = compiled(source)
    assert codeprint(loop) == codeprint(loop)
