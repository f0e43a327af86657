"""explain: an error code's entry of docs/errors.md on the terminal."""

from __future__ import annotations

import pytest

from habanero_py import events as e
from habanero_py.cli import main
from habanero_py.codes import COMMAND_CODES
from habanero_py.commands.explain import _SECTION, explain, page
from habanero_py.errors import UsageError
from habanero_receiver.errors import CODES


@pytest.mark.parametrize("code", [*CODES, *COMMAND_CODES])
def test_every_code_is_explained(code: str) -> None:
    """What it means and what to do, in words of its own; never a reference to the row above."""
    told: list[e.Event] = []
    assert explain(code, told.append) == 0
    [said] = told
    assert isinstance(said, e.Explained)
    assert said.meaning
    assert said.advice
    assert said.advice != "As above."


def test_every_section_of_causes_is_of_a_code() -> None:
    """A renamed code takes its section along."""
    sections = {section[1] for section in _SECTION.finditer(page())}
    assert sections
    assert sections <= CODES.keys() | COMMAND_CODES.keys()


def test_it_needs_no_project_and_no_server(tmp_path, monkeypatch, capsys) -> None:
    """Title, causes and help, on the command line."""
    monkeypatch.chdir(tmp_path)
    assert main(["explain", "base-mismatch"]) == 0
    out = capsys.readouterr().out
    assert "Made for other deployed code" in out
    assert "A deployment happened between" in out
    assert "help: Bring your checkout" in out


def test_an_unknown_code_gets_the_nearest_one(capsys) -> None:
    """Exit code 2."""
    with pytest.raises(UsageError) as error:
        explain("base-missmatch", lambda event: None)
    assert "base-mismatch" in error.value.help
    assert main(["explain", "base-missmatch"]) == 2
