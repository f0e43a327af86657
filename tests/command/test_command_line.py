"""The command as a person types it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from habanero_py import __main__ as entry
from habanero_py.cli import main

COMMANDS = {"init", "watch", "push", "status", "log", "rollback", "doctor", "run", "demo"}


def test_help_names_every_command(capsys) -> None:
    """And ends with 0."""
    assert main(["--help"]) == 0
    words = {line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")}
    assert words >= COMMANDS
    assert main(["--version"]) == 0


@pytest.mark.parametrize("words", [["nosuch"], ["push", "--nosuch"], ["rollback", "x"], ["rollback", "--", "-1"]])
def test_a_wrong_command_line_is_exit_code_2(words: list[str], capsys) -> None:
    """It says what was wrong, on standard error."""
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err


def test_init_then_doctor(tmp_path: Path, monkeypatch, capsys) -> None:
    """A project is set up from nothing but an address; doctor then says that no server answers: exit code 8."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/__init__.py").write_text("")
    (tmp_path / "pyproject.toml").write_text("")
    assert main(["init", "--url", "http://127.0.0.1:9/_habanero", "--gate", "true"]) == 0
    said = capsys.readouterr().out
    assert "HABANERO_TRUSTED_KEYS=" in said
    assert "receiver.mount(app)" in said
    assert main(["doctor"]) == 8
    said = capsys.readouterr().out
    assert "FAIL server" in said or "✖ server" in said


def test_init_makes_a_project_of_a_folder(tmp_path: Path, monkeypatch, capsys) -> None:
    """Without a pyproject.toml anywhere above, one is made here."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("")
    assert main(["init", "--url", "http://127.0.0.1:9/_habanero"]) == 0
    assert "HABANERO_MODULES=app" in capsys.readouterr().out
    assert (tmp_path / "pyproject.toml").is_file()


def test_json_is_one_object_a_line_for_failures_too(tmp_path: Path, monkeypatch, capsys) -> None:
    """A program reads the code; standard error stays empty."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.habanero]\nwhatch = []\n")
    assert main(["push", "--once", "--json"]) == 2
    said = capsys.readouterr()
    event = json.loads(said.out)
    assert (event["v"], event["event"], event["code"], event["exit"]) == (1, "refused", "unknown-setting", 2)
    assert event["help"] == "did you mean watch?"
    assert said.err == ""


def test_an_error_has_its_form(tmp_path: Path, monkeypatch, capsys) -> None:
    """error[code]: message, then help; no stack."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    assert main(["status"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error[no-target]: ")
    assert "  help: habanero-py init production" in said
    assert "Traceback" not in said


def test_verbose_shows_where_it_came_from(tmp_path: Path, monkeypatch, capsys) -> None:
    """Only when asked."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("")
    main(["status", "-v"])
    assert "Traceback" in capsys.readouterr().err


def test_a_server_needs_only_run(monkeypatch, capsys) -> None:
    """Without the laptop's libraries every other command says what to install; `run` starts the program."""
    found = entry.importlib.util.find_spec
    monkeypatch.setattr(entry.importlib.util, "find_spec", lambda name: None if name == "click" else found(name))
    assert entry.main(["push"]) == 2
    assert "pip install 'habanero-py[watch]'" in capsys.readouterr().err
    assert entry.main(["run", "--help"]) == 0


def test_run_imports_nothing_of_the_laptop() -> None:
    """Taken to the receiver before the command line is loaded."""
    code = (
        "import sys; from habanero_py.__main__ import main; main(['run', '--help']); "
        "print(sorted({'click', 'httpx', 'rich', 'watchfiles'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
