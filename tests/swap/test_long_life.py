"""A hundred swaps of one module, and not one object, line-cache entry or memory of the engine more."""

from __future__ import annotations

from pathlib import Path

from benchmarks.long_life import Life, grows, slope

SETTLED = 25
"""Swaps after which the libraries' own caches are full. Odd versions have another field, so counts are of even ones."""


def test_nothing_is_left_of_a_hundred_swaps(tmp_path: Path) -> None:
    """What lives after a full collection is the same number of everything, some of the swaps undone in between."""
    life = Life(tmp_path)
    try:
        for n in range(1, SETTLED):
            life.swap(n)
        before = life.counts()
        for n in range(SETTLED, SETTLED + 106):
            life.swap(n)
        after = life.counts()
    finally:
        life.close()
    exact = before.keys() - {"resident MB", "memory blocks"}
    assert {name: after[name] - before[name] for name in exact if after[name] != before[name]} == {}


def test_growth_is_told_from_noise() -> None:
    """One object more for each swap is growth; a count that goes up and down is none."""
    at = [n / 4 for n in range(40)]
    leak = slope(at, [100.0 + n * 250 for n in range(40)])
    noise = slope(at, [100.0 + (n * 7 % 5) for n in range(40)])
    assert grows("function", *leak)
    assert not grows("function", *noise)
    assert slope(at, [5.0] * 40) == (0.0, 0.0)
