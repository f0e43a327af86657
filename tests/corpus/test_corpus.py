"""The whole corpus against the engine, in the interpreter that runs the tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CATEGORIES = sorted(path.name for path in (HERE / "cases").iterdir() if path.is_dir())


def run(tmp_path: Path, *options: str) -> list[dict[str, object]]:
    """The results of the runner, case by case."""
    out = tmp_path / "results.json"
    command = [sys.executable, str(HERE / "run.py"), "--python", sys.executable, "--jobs", "2", "--json", str(out)]
    subprocess.run([*command, *options], check=True, stdout=subprocess.DEVNULL, timeout=110)
    results: list[dict[str, object]] = json.loads(out.read_text())["results"]
    return results


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_case_of_the_contract_passes(category: str, tmp_path: Path) -> None:
    """Each case holds when its change goes the way of a release; a case that is skipped did not pass."""
    results = run(tmp_path, "--engine", str(HERE / "driver.py"), "--cases", f"{category}/*")
    failed = {str(r["id"]): f"{r['status']} in {r['stage']}: {r['message']}" for r in results if r["status"] != "pass"}
    assert results
    assert not failed


def test_every_refusal_is_told(tmp_path: Path) -> None:
    """What cannot be taken is refused with an error, never silently left undone."""
    results = run(tmp_path, "--engine", str(HERE / "driver.py"), "--cases", "atomicity/*")
    refused = [r for r in results if r["expect"] == "refuse"]
    assert refused
    assert [r["id"] for r in refused if not r["raised"]] == []


def test_an_engine_that_does_nothing_passes_no_case(tmp_path: Path) -> None:
    """The cases can tell: without an engine every one of them fails."""
    results = run(tmp_path, "--engine", "noop", "--cases", "functions/*")
    assert [r["id"] for r in results if r["status"] == "pass" and r["expect"] == "swap"] == []
