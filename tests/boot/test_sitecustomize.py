"""The `sitecustomize` that boots: it gives way to the next one, and no Python is worse off for finding it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from deployment import Deployment

import habanero_receiver

SITE = Path(habanero_receiver.__file__).parent / "_site"
SHOW = "import sys; m = sys.modules.get('sitecustomize'); print(m and m.__file__)"


@pytest.fixture
def app(tmp_path):
    deployment = Deployment(tmp_path, {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 1\n"})
    deployment.push({"shop.pricing": "PRICE = 2\n"})
    return deployment


def python(executable: str | Path, code: str, *path: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run code with our folder first on PYTHONPATH, and `path` after it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HABANERO", "PYTHON"))}
    clean["PYTHONDONTWRITEBYTECODE"] = "1"  # a Python 2 would leave its .pyc beside our file
    clean["PYTHONPATH"] = os.pathsep.join(map(str, (SITE, *path)))
    return subprocess.run(
        [str(executable), "-c", code], env={**clean, **environ}, capture_output=True, text=True, timeout=60
    )


def test_a_python_that_habanero_is_not_configured_for_is_as_before():
    """No output, no import of ours, and the module of that name is the one that would have been there."""
    code = "import sys; print([m for m in sys.modules if 'habanero' in m or 'cryptography' in m])"
    for environ in ({}, {"HABANERO_RUN": "1"}):
        done = python(sys.executable, code, **environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "[]\n" or environ
    plain = subprocess.run([sys.executable, "-c", SHOW], capture_output=True, text=True, check=True, timeout=60).stdout
    shown = python(sys.executable, SHOW).stdout
    assert shown == (plain if plain != "None\n" else f"{SITE / 'sitecustomize.py'}\n")


def test_the_next_sitecustomize_runs_as_if_it_were_the_only_one(app, tmp_path):
    """It is imported after the boot, under its own name and file, sees the path without us, and what it does stays."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "sitecustomize.py").write_text(
        "import sys, shop.pricing\n"
        "sys.chained = (__name__, __file__, shop.pricing.PRICE, any(place.endswith('_site') for place in sys.path))\n"
        "sys.path.append('/added')\n"
    )
    code = "import sys; print(sys.chained, sys.modules['sitecustomize'].__file__, sys.path[-1])"
    done = app.start("-c", code, PYTHONPATH=f"{theirs}{os.pathsep}{app.root}")
    file = str(theirs / "sitecustomize.py")
    assert done.stdout == f"('sitecustomize', {file!r}, 2, False) {file} /added\n"


def test_an_error_in_the_next_sitecustomize_is_reported_as_without_us(app, tmp_path):
    """Python shows it in a line and goes on; the overlay is there all the same."""
    for number, text in enumerate(["raise ValueError('theirs')", "import not_installed_anywhere"]):
        theirs = tmp_path / str(number)
        theirs.mkdir()
        (theirs / "sitecustomize.py").write_text(text)
        done = app.start("-c", "import shop.pricing; print(shop.pricing.PRICE)", PYTHONPATH=str(theirs))
        assert done.stdout == "2\n"
        assert "Error in sitecustomize" in done.stderr
        assert "theirs" in done.stderr or "not_installed_anywhere" in done.stderr


def test_a_python_without_habanero_starts_in_silence(app, tmp_path):
    """A child that is another interpreter, with nothing of ours installed, does not notice."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True, timeout=60)
    environ = app.environ(HABANERO_RUN="1")
    done = python(tmp_path / "venv" / "bin" / "python", "print('fine')", **environ | {"PYTHONPATH": str(SITE)})
    assert (done.stdout, done.stderr) == ("fine\n", "")


def old_pythons() -> list[str]:
    """Other interpreters of this machine, also ones that are far too old for habanero."""
    managed = sorted(Path.home().glob(".pyenv/versions/*/bin/python"))
    on_path = [found for name in ("python2", "python3") if (found := shutil.which(name))]
    return [str(path) for path in managed] + on_path


def test_pythons_of_any_age_start_in_silence(app):
    """The file is read by whatever Python inherits the environment: it must be valid, and quiet, in all of them."""
    pythons = old_pythons()
    if not pythons:
        pytest.skip("no other Python on this machine")
    for executable in pythons:
        if python(executable, "").returncode:
            continue  # a shim for a version that is not there
        done = python(executable, "print('fine')", **app.environ(HABANERO_RUN="1") | {"PYTHONPATH": str(SITE)})
        assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", ""), executable


def test_a_fault_of_ours_is_shown_and_passed_over(app, tmp_path):
    """The installation is broken: the app starts on the disk, with a line about it; or not at all, if required."""
    broken = tmp_path / "broken" / "cryptography"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('library is broken', name='cryptography')")
    path = f"{broken.parent}{os.pathsep}{app.root}"
    environ = app.environ(HABANERO_RUN="1") | {"PYTHONPATH": f"{SITE}{os.pathsep}{path}"}
    done = python(sys.executable, "import shop.pricing; print(shop.pricing.PRICE)", **environ)
    assert done.stdout == "1\n"
    assert "library is broken" in done.stderr
    done = python(sys.executable, "print('started')", **environ, HABANERO_BOOT="require")
    assert (done.returncode, done.stdout) == (2, "")
    assert "library is broken" in done.stderr
    assert "nothing was started" in done.stderr


def test_settings_that_cannot_be_used_end_the_start(app):
    """Python passes over an error of a sitecustomize; a wrong setting of who may change the code is no such thing."""
    environ = app.environ(HABANERO_RUN="1", HABANERO_TARGET="nonsense") | {"PYTHONPATH": str(SITE)}
    done = python(sys.executable, "print('started')", **environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error[bad-setting]: HABANERO_TARGET")
    assert "  help: " in done.stderr


def test_the_folder_holds_nothing_else():
    """What is on every child's path adds one name and no other."""
    assert [path.name for path in SITE.iterdir() if path.name != "__pycache__"] == ["sitecustomize.py"]
    assert sysconfig.get_paths()["stdlib"] not in str(SITE)
