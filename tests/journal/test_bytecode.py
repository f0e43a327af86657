"""Bytecode that is not of its source is found, and no other: as Python itself decides which it takes."""

from __future__ import annotations

import importlib.util
import os
import py_compile
import subprocess
import sys
from pathlib import Path

import pytest

from habanero_receiver.journal import bytecode

MODES = py_compile.PycInvalidationMode


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A module of one line, in the tests' own second."""
    file = tmp_path / "rates.py"
    file.write_text("RATES = [2]\n")
    return file


def replace(file: Path, text: str = "RATES = [3]\n") -> None:
    """Write other code, and set the time back: size and second are as they were."""
    before = file.stat()
    file.write_text(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def runs(file: Path, *words: str) -> str:
    """What an import by another Python gives."""
    command = [sys.executable, "-B", *words, "-c", "import rates; print(rates.RATES)"]
    done = subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


@pytest.mark.parametrize("mode", [MODES.TIMESTAMP, MODES.UNCHECKED_HASH])
def test_bytecode_of_other_source_is_found(file: Path, mode: py_compile.PycInvalidationMode) -> None:
    """It is what Python runs, and it is named; the same bytecode for its own source is not."""
    cached = Path(py_compile.compile(str(file), invalidation_mode=mode) or "")
    assert bytecode.foreign(file) is None
    replace(file)
    assert runs(file) == "[2]", "Python runs the old code"
    assert bytecode.foreign(file) == cached


def test_bytecode_that_python_checks_by_its_digest_is_never_foreign(file: Path) -> None:
    """Python looks into the source, and compiles it."""
    py_compile.compile(str(file), invalidation_mode=MODES.CHECKED_HASH)
    replace(file)
    assert runs(file) == "[3]"
    assert bytecode.foreign(file) is None


def test_bytecode_that_python_does_not_take_is_left_alone(file: Path) -> None:
    """Another size, another Python's, no bytecode at all, half of a header: Python compiles the source."""
    cached = Path(py_compile.compile(str(file), invalidation_mode=MODES.TIMESTAMP) or "")
    replace(file, "RATES = [3]  # longer\n")
    assert runs(file) == "[3]"
    assert bytecode.foreign(file) is None
    file.write_text("RATES = [2]\n")
    py_compile.compile(str(file), invalidation_mode=MODES.TIMESTAMP)
    replace(file)
    whole = cached.read_bytes()
    for data in (b"\0\0\0\0" + whole[4:], whole[:12], b""):
        cached.write_bytes(data)
        assert bytecode.foreign(file) is None
    cached.unlink()
    assert bytecode.foreign(file) is None


def test_bytecode_that_cannot_be_read_is_foreign(file: Path) -> None:
    """Python takes it, and fails: that is not the code of the source."""
    cached = Path(py_compile.compile(str(file), invalidation_mode=MODES.TIMESTAMP) or "")
    cached.write_bytes(cached.read_bytes()[:20])
    assert bytecode.foreign(file) == cached


def test_columns_that_were_left_out_are_no_other_code(file: Path) -> None:
    """Bytecode of a Python that was started with `-X no_debug_ranges` is the source's."""
    file.write_text("def rate(a):\n    return [a.b + inner(a[0]) for a in a]\n")
    command = [sys.executable, "-X", "no_debug_ranges", "-m", "py_compile", str(file)]
    subprocess.run(command, check=True, timeout=60)
    assert Path(importlib.util.cache_from_source(str(file))).exists()
    assert bytecode.foreign(file) is None


def test_other_file_names_and_levels_are_the_same_code(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytecode from a build in another folder is the source's; that of another optimization level is not looked at."""
    cached = importlib.util.cache_from_source(str(file))
    py_compile.compile(str(file), cfile=cached, dfile="/build/rates.py", invalidation_mode=MODES.TIMESTAMP)
    assert bytecode.foreign(file) is None
    py_compile.compile(str(file), optimize=2, invalidation_mode=MODES.TIMESTAMP)
    replace(file)
    Path(cached).unlink()
    assert bytecode.foreign(file) is None
