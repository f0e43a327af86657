"""Sixty swaps of one module, and not one object, line-cache entry or memory of the engine more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.long_life import grows, slope

ROOT = Path(__file__).parents[2]
LIFE = """
import json, sys
from pathlib import Path
from benchmarks.long_life import Life

life = Life(Path(sys.argv[1]))
for n in range(1, 21):  # until the libraries' own caches are full
    life.swap(n)
before = life.counts()
for n in range(21, 81):
    life.swap(n)
after = life.counts()
exact = before.keys() - {"resident MB", "memory blocks"}
print(json.dumps({name: after[name] - before[name] for name in exact if after[name] != before[name]}))
"""


@pytest.mark.heavy
def test_nothing_is_left_of_sixty_swaps(tmp_path: Path) -> None:
    """What lives after a full collection is the same number of everything, some of the swaps undone in between.

    In a process of its own, since what other tests left behind goes when it likes.
    """
    command = [sys.executable, "-c", LIFE, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {}


def test_growth_is_told_from_noise() -> None:
    """One object more for each swap is growth; a count that goes up and down is none."""
    at = [n / 4 for n in range(40)]
    leak = slope(at, [100.0 + n * 250 for n in range(40)])
    noise = slope(at, [100.0 + (n * 7 % 5) for n in range(40)])
    assert grows("function", *leak) and grows("memory blocks", *leak)
    assert not grows("function", *noise)
    assert slope(at, [5.0] * 40) == (0.0, 0.0)
