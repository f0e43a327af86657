"""The launcher: `python -m habanero_receiver run -- command`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from deployment import Deployment

from habanero_receiver import __main__ as command
from habanero_receiver import run

ENVIRON = "import json, os, sys; print(json.dumps([os.getpid(), dict(os.environ), sys.argv]))"


@pytest.fixture
def app(tmp_path):
    deployment = Deployment(tmp_path, {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 1\n"})
    deployment.push({"shop.pricing": "PRICE = 2\n"})
    return deployment


def launch(app: Deployment, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "habanero_receiver", *words],
        cwd=app.root, env=app.environ(**more), capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_run_becomes_the_command(app):
    """Same process number, arguments untouched, exit code handed on: a supervisor sees the server and nothing else."""
    words = [sys.executable, "-m", "habanero_receiver", "run", "--", sys.executable, "-c", ENVIRON, "--", "-x", "a b"]
    with subprocess.Popen(words, cwd=app.root, env=app.environ(), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid, _, argv = json.loads(process.stdout.read())
    assert pid == process.pid
    assert argv == ["-c", "--", "-x", "a b"]
    assert launch(app, "run", "--", sys.executable, "-c", "raise SystemExit(42)").returncode == 42
    assert launch(app, "run", sys.executable, "-c", "raise SystemExit(43)").returncode == 43


def test_run_writes_out_what_depends_on_the_folder(app):
    """Bucket, packages, root and the file of keys are absolute, so that a child elsewhere finds the same ones."""
    app.write("pyproject.toml", '[tool.habanero]\nwatch = ["shop"]\n')
    app.write("keys", app.key.line).chmod(0o600)
    more = {
        "HABANERO_BUCKET": "",
        "HABANERO_MODULES": "",
        "HABANERO_TRUSTED_KEYS": "",
        "HABANERO_TRUSTED_KEYS_FILE": "keys",
    }
    done = launch(app, "run", "--", sys.executable, "-c", ENVIRON, PYTHONPATH="/one", **more)
    environ = json.loads(done.stdout)[1]
    assert environ["HABANERO_BUCKET"] == f"file://{app.root}/.habanero/bucket"
    assert environ["HABANERO_MODULES"] == "shop"
    assert environ["HABANERO_ROOT"] == str(app.root)
    assert environ["HABANERO_TRUSTED_KEYS_FILE"] == str(app.root / "keys")
    assert environ["PYTHONPATH"].split(os.pathsep)[1:] == ["/one"]
    assert Path(environ["PYTHONPATH"].split(os.pathsep)[0], "sitecustomize.py").is_file()


def test_run_in_run_changes_nothing_more(app):
    """A server started through two launchers boots as through one."""
    launcher = [sys.executable, "-m", "habanero_receiver", "run", "--"]
    done = launch(app, "run", "--", *launcher, sys.executable, "-c", ENVIRON)
    environ = json.loads(done.stdout)[1]
    assert environ["PYTHONPATH"].count("_site") == 1


def test_without_trusted_keys_the_command_starts_as_it_is(app):
    """Off is off: a line says so, and the environment is untouched."""
    done = launch(app, "run", "--", sys.executable, "-c", ENVIRON, HABANERO_TRUSTED_KEYS="")
    environ = json.loads(done.stdout)[1]
    assert "HABANERO_RUN" not in environ
    assert "PYTHONPATH" not in environ
    assert "HABANERO_TRUSTED_KEYS" in done.stderr


def test_settings_that_cannot_be_used_start_nothing(app):
    """The error names the setting and what to write, with the exit code of a wrong configuration."""
    done = launch(app, "run", "--", sys.executable, "-c", "print('started')", HABANERO_THRESHOLD="9")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error[threshold]: 9 have to sign")
    assert "Traceback" not in done.stderr


def test_a_command_that_is_not_there_is_named(app):
    """Not a traceback of ours: the word that could not be started."""
    done = launch(app, "run", "--", "no-such-command-anywhere")
    assert done.returncode == 2
    assert done.stderr.startswith("error[command-not-found]: no-such-command-anywhere")


@pytest.mark.parametrize("words", [[], ["--"], ["--reload"]])
def test_run_without_a_command_explains_itself(capsys, words):
    """Nothing to start is a mistake in the call, answered with how to call it."""
    assert run.main(words) == 2
    assert "usage: habanero-py run -- command" in capsys.readouterr().err


def test_help_is_no_error(capsys):
    """Asked for, usage goes to standard output with exit code 0; not asked for, to standard error with 2."""
    assert run.main(["--help"]) == command.main(["--help"]) == 0
    assert capsys.readouterr().out.count("usage: ") == 2
    assert command.main([]) == command.main(["start"]) == 2
    assert capsys.readouterr().err.count("usage: python -m habanero_receiver run") == 2
