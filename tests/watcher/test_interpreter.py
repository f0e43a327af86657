"""A Python that makes the server's bytecode is found by running candidates, never by its name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from habanero_py import interpreter
from habanero_py.errors import ToolError
from habanero_py.interpreter import Probe, candidates, find_python, own, probe
from habanero_receiver.release.statement import PythonTag

SERVER = PythonTag("cpython", "cpython-399", 12345, 0)


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def says(path: Path, tag: PythonTag, version: str = "3.99.1") -> Path:
    """A program that answers a probe as an interpreter of `tag` would."""
    return program(path, f"""echo '["{tag.implementation}", "{tag.cache_tag}", {tag.magic}, "{version}"]'""")


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An empty home and an empty PATH; this machine's own folders are not looked at."""
    monkeypatch.setattr(interpreter, "_FOLDERS", tuple(f for f in interpreter._FOLDERS if f[0]))
    (tmp_path / "bin").mkdir()
    yield {"HOME": str(tmp_path), "PATH": str(tmp_path / "bin")}


def test_our_own_interpreter_is_taken_when_it_fits() -> None:
    """No search and no process for the common case; the optimize level is the build's matter."""
    current = PythonTag.current()
    assert find_python(current, {}) == Path(sys.executable)
    assert own().builds_for(PythonTag(current.implementation, current.cache_tag, current.magic, 2))


def test_a_probe_asks_the_interpreter_itself() -> None:
    """What a real Python says of itself is what we know of ours."""
    assert probe(Path(sys.executable)) == own()


def test_one_on_path_is_found(environ: dict[str, str], tmp_path: Path) -> None:
    """By its version's name or a general one."""
    python = says(tmp_path / "bin/python3", SERVER)
    assert find_python(SERVER, environ) == python


@pytest.mark.parametrize(
    "where",
    [
        ".local/share/uv/python/cpython-3.99.1-linux/bin/python3.99",
        ".pyenv/versions/3.99.1/bin/python3.99",
        ".asdf/installs/python/3.99.1/bin/python3",
        ".local/share/mise/installs/python/3.99/bin/python",
    ],
)
def test_version_managers_folders_are_looked_at(environ: dict[str, str], tmp_path: Path, where: str) -> None:
    """Without the manager itself on PATH."""
    python = says(tmp_path / where, SERVER)
    assert find_python(SERVER, environ) == python


def test_a_managers_folder_can_be_elsewhere(environ: dict[str, str], tmp_path: Path) -> None:
    """PYENV_ROOT and its like are followed."""
    python = says(tmp_path / "else/versions/3.99.1/bin/python3.99", SERVER)
    assert find_python(SERVER, {**environ, "PYENV_ROOT": str(tmp_path / "else")}) == python


def test_shims_that_fail_are_passed_over(environ: dict[str, str], tmp_path: Path) -> None:
    """A shim has the right name and no such version behind it; the real one is found further on."""
    shim = 'echo "pyenv: python3.99: command not found" >&2; exit 127'
    program(tmp_path / "bin/python3.99", shim)
    python = says(tmp_path / ".pyenv/versions/3.99.1/bin/python3.99", SERVER)
    assert find_python(SERVER, environ) == python


def test_the_right_name_with_other_bytecode_is_refused(environ: dict[str, str], tmp_path: Path) -> None:
    """A release candidate has another magic number: its bytecode would crash the server's process."""
    says(tmp_path / "bin/python3.99", PythonTag("cpython", "cpython-399", 12344, 0), "3.99.0rc1")
    says(tmp_path / "bin/python3", PythonTag("pypy", "cpython-399", 12345, 0))
    with pytest.raises(ToolError) as caught:
        find_python(SERVER, environ)
    tried = "\n".join(caught.value.details["tried"])  # type: ignore[arg-type]  # a list of lines
    assert "3.99.0rc1, magic 12344" in tried
    assert "pypy" in tried


def test_not_found_says_what_was_tried_and_what_to_install(environ: dict[str, str], tmp_path: Path) -> None:
    """The server's version, the candidates with their answers, and a command."""
    program(tmp_path / "bin/python3.99", "echo nonsense; echo broken >&2; exit 0")
    with pytest.raises(ToolError, match=r"the server runs cpython 3\.99 \(magic 12345\)") as caught:
        find_python(SERVER, environ)
    assert caught.value.code == "python-not-found"
    assert "uv python install 3.99" in caught.value.help
    assert caught.value.details["tried"] == [f"{tmp_path}/bin/python3.99: exit 0: broken"]


def test_a_candidate_that_hangs_costs_its_time_limit(tmp_path: Path) -> None:
    """And is ended."""
    found = probe(program(tmp_path / "python3.99", "exec sleep 600"), timeout_s=0.2)
    assert found.magic == -1
    assert "timed out" in found.problem


def test_what_cannot_be_run_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    """A broken program on PATH must not end a search."""
    broken = tmp_path / "python3"
    broken.write_text("#!/no/such/interpreter\n")
    broken.chmod(0o755)
    assert probe(broken) == Probe(broken, problem=probe(broken).problem)
    assert "cannot be run" in probe(broken).problem


def test_each_file_is_tried_once_and_the_newest_version_first(environ: dict[str, str], tmp_path: Path) -> None:
    """Links to one program are one program; 3.99.10 comes before 3.99.9."""
    old, new = (says(tmp_path / f".pyenv/versions/{v}/bin/python3.99", SERVER) for v in ("3.99.9", "3.99.10"))
    for folder in (old.parent, new.parent):
        (folder / "python3").symlink_to("python3.99")
    (tmp_path / "bin/python3.99").mkdir()
    (tmp_path / "bin/python3").write_text("not a program")
    assert list(candidates(SERVER, environ)) == [new, old]


def test_another_implementations_programs_have_its_name(environ: dict[str, str], tmp_path: Path) -> None:
    """PyPy is looked for as pypy3.11."""
    pypy = PythonTag("pypy", "pypy311", 413, 0)
    python = says(tmp_path / "bin/pypy3.11", pypy, "3.11.9")
    assert find_python(pypy, environ) == python
