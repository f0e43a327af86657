"""Errors that only the developer's side can raise.

    HabaneroError            everything that either side raises on purpose
    ├── ...                  see `habanero_receiver.errors`
    ├── UsageError           the command line asks for what cannot be: the person at the keyboard
    ├── GateError            the user's test command could not be run, or did not pass
    └── ToolError            something this machine must have for a push is missing or broke
        └── SyntaxFoundError the sources do not compile, told by the compiler that counts

The rule it upholds: every one of them is raised before anything was signed or sent, so what runs on the server is
untouched whichever it is.
"""

from __future__ import annotations

from collections.abc import Iterable

from habanero_receiver.errors import HabaneroError

from .syntax import SyntaxProblem


class UsageError(HabaneroError):
    """The command line asks for something that cannot be done."""


class GateError(HabaneroError):
    """The gate could not be run, or it did not pass."""


class ToolError(HabaneroError):
    """A program or file that this machine must have for a push is missing or broke."""


class SyntaxFoundError(ToolError):
    """Modules that do not compile. `problems` has one entry for each, never none."""

    def __init__(self, problems: Iterable[SyntaxProblem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(
            "syntax",
            f"{first.message}; nothing was built or sent",
            subject=f"{first.path}:{first.line}:{first.column}",
            details={"problems": [problem.to_json() for problem in self.problems]},
        )
