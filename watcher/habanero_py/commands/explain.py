"""`explain`: what a code means, why it comes up and what to do, as docs/errors.md has it.

The page is the one source: the tests hold it against the tables of codes, and it is installed with the command.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from habanero_py import events as e
from habanero_py.codes import COMMAND_CODES
from habanero_py.errors import ToolError, UsageError
from habanero_py.settings import nearest
from habanero_receiver.errors import CODES

_ROW = re.compile(r"^\| `([a-z0-9-]+)` \| ([0-9-]+) \| ([0-9]) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
_SECTION = re.compile(r"^### `([a-z0-9-]+)`\n\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
_AS_ABOVE = "As above."


def explain(code: str, emit: Callable[[e.Event], None]) -> int:
    """Tells one code; UsageError `unknown-code` with the nearest one."""
    info = COMMAND_CODES.get(code) or CODES.get(code)
    if info is None:
        raise UsageError(
            "unknown-code",
            f"no error has the code {code}",
            subject=code,
            help=nearest(code, [*CODES, *COMMAND_CODES]) or "docs/errors.md lists them all",
        )
    text = page()
    meaning, advice = "", ""
    for row in _ROW.finditer(text):
        advice = advice if row[5].strip() == _AS_ABOVE else row[5].strip()
        if row[1] == code:
            meaning = row[4].strip()
            break
    causes = {section[1]: section[2].strip() for section in _SECTION.finditer(text)}
    emit(e.Explained(code, info.title, info.status or None, info.exit, meaning, advice, causes.get(code)))
    return 0


def page() -> str:
    """docs/errors.md, from the repository or as it was installed."""
    here = Path(__file__).resolve().parents[1]
    for file in (here.parents[1] / "docs" / "errors.md", here / "errors.md"):
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise ToolError(
        "unknown-code",
        "the page of the error codes was not installed",
        help="install habanero-py anew; docs/errors.md in its repository is the same page",
    )
