"""Problems that keep a source from compiling, named with their place."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from habanero_py.errors import SyntaxFoundError
from habanero_py.syntax import SyntaxProblem, check, check_source, from_build, parses


@dataclass(frozen=True)
class Text:
    path: str
    source: bytes


def test_good_sources_have_no_problems() -> None:
    """Nothing is reported for what compiles, odd escapes included: warnings are not errors here."""
    assert check([Text("a.py", b"x = 1\n"), Text("b.py", b"x = '\\d'\n"), Text("c.py", b"")]) == []


def test_a_problem_names_file_line_column_and_text() -> None:
    """As a person needs it to jump there."""
    (problem,) = check([Text("shop/cart.py", b"x = 1\ntotal = sum(\n"), Text("ok.py", b"")])
    assert (problem.path, problem.line, problem.column) == ("shop/cart.py", 2, 12)
    assert "never closed" in problem.message
    assert problem.text == "total = sum("


@pytest.mark.parametrize(
    "source",
    [
        b"x = \x00",
        b"# coding: no-such-coding\n",
        b"x = '\xff'\n",
        b"return 1\n",
        b"(" * 5000,
        b"-" * 100_000 + b"1\n",
        b"def f():\nreturn 1\n",
    ],
    ids=["null", "coding", "not utf-8", "return outside", "parentheses", "deep", "indentation"],
)
def test_whatever_the_compiler_raises_becomes_a_problem(source: bytes) -> None:
    """No source, however odd, raises out of the check; lines and columns count from 1."""
    problem = check_source(source, "odd.py")
    assert problem is not None
    assert problem.line >= 1
    assert problem.column >= 1
    assert problem.message


def test_parsing_alone_is_a_weaker_question() -> None:
    """A `return` outside of a function parses and does not compile."""
    assert parses(b"return 1\n")
    assert not parses(b"def f(:\n")


def test_what_a_builder_tells_is_the_same_kind_of_problem() -> None:
    """Missing places become 1, missing words become words."""
    told = {"message": "invalid syntax", "line": 3, "column": 7, "text": "x y\n"}
    assert from_build("a.py", told) == SyntaxProblem("a.py", 3, 7, "invalid syntax", "x y")
    assert from_build("a.py", {"line": None, "text": None}) == SyntaxProblem("a.py", 1, 1, "invalid syntax", "")


def test_the_error_carries_every_problem() -> None:
    """The first is named in the message, all are in the details for programs."""
    first, second = SyntaxProblem("a.py", 3, 7, "bad", "x y"), SyntaxProblem("b.py", 1, 1, "worse", "")
    error = SyntaxFoundError([first, second])
    assert (error.code, error.subject) == ("syntax", "a.py:3:7")
    assert error.problems == (first, second)
    assert error.details["problems"] == [first.to_json(), second.to_json()]
