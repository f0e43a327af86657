"""Finds what keeps a source from compiling, in this interpreter or as another one told it.

Pure. It compiles and never runs. What it says holds for the Python that this process runs on: when the server's is
another version, the builder's word counts (`habanero_py.builder`), which reports the same `SyntaxProblem`. The rule it
upholds: a file that does not compile is named with its line before any test runs and before anything is signed.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Protocol

_BEYOND_THE_COMPILER = (ValueError, RecursionError, MemoryError, OverflowError)
"""What `compile` raises beside SyntaxError: null bytes (3.11), nesting too deep, numbers too large."""


@dataclass(frozen=True, slots=True)
class SyntaxProblem:
    """Why one file does not compile. `line` and `column` count from 1; `text` is that line, without its end."""

    path: str
    line: int
    column: int
    message: str
    text: str

    def to_json(self) -> dict[str, object]:
        """The fields under their names."""
        return asdict(self)


class Source(Protocol):
    """What is checked: bytes, and the path that names them to a person."""

    @property
    def path(self) -> str:
        """Where the source lies, as a person should read it."""

    @property
    def source(self) -> bytes:
        """The text as it lies on disk, in whatever encoding it declares."""


def check(sources: Iterable[Source]) -> list[SyntaxProblem]:
    """One problem for each source that this interpreter cannot compile, in the order given."""
    found = []
    for source in sources:
        problem = check_source(source.source, source.path)
        if problem is not None:
            found.append(problem)
    return found


def check_source(source: bytes, path: str) -> SyntaxProblem | None:
    """The first problem of one source, or None when it compiles."""
    return _try(source, path, 0)


def parses(source: bytes) -> bool:
    """Whether the source is a whole text for this interpreter: half of `check`'s cost, for half of its answer."""
    return _try(source, "<source>", ast.PyCF_ONLY_AST) is None


def from_build(path: str, error: Mapping[str, object]) -> SyntaxProblem:
    """A problem that another interpreter's build told: message, line, column and text, each possibly missing."""
    return SyntaxProblem(
        path,
        _at_least_one(error.get("line")),
        _at_least_one(error.get("column")),
        str(error.get("message") or "invalid syntax"),
        str(error.get("text") or "").rstrip("\r\n"),
    )


def _try(source: bytes, path: str, flags: int) -> SyntaxProblem | None:
    try:
        # A warning about an odd escape is the gate's business; with -W error it would pass for a syntax error here.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, path, "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        place = {"message": error.msg, "line": error.lineno, "column": error.offset, "text": error.text}
        return from_build(path, place)
    except _BEYOND_THE_COMPILER as error:
        return SyntaxProblem(path, 1, 1, str(error) or type(error).__name__, "")
    return None


def _at_least_one(value: object) -> int:
    return max(value, 1) if isinstance(value, int) else 1
