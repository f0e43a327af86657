"""A few seconds of what `make fuzz` does for minutes, with the same dice each time."""

from __future__ import annotations

import math

import pytest
from fuzz import judged, mutations, watch


@pytest.fixture(scope="module", autouse=True)
def _listening() -> None:
    watch.install()


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_inputs_are_refused_or_what_was_signed(seed: int) -> None:
    """Envelopes, entries, bodies, statements, manifests and headers: known codes, nothing unmarshalled or changed."""
    run = judged.Run(seed)
    run.go(2_500, math.inf)
    assert run.tally.violations == []
    assert sum(run.tally.tried.values()) == 2_500
    assert len(run.tally.codes) > 20 and run.tally.codes["unauthorized"] > 50


def test_a_broken_judge_would_be_found() -> None:
    """The run notices another exception, a forbidden event, and a payload that nobody signed."""
    run = judged.Run(1)

    def crashes(data: bytes) -> str:
        raise KeyError("x")

    def compiles(data: bytes) -> str:
        compile("1", "x", "eval")
        return ""

    for judge in (crashes, compiles, lambda data: "sha256:" + "0" * 64):
        run._try("envelope", b"{}", judge)
    crash, event, payload = run.tally.violations
    assert "KeyError" in crash and "compile" in event and "another payload" in payload


def test_the_same_dice_make_the_same_inputs() -> None:
    """A failure can be run again by its seed."""
    from random import Random

    first, second = Random(7), Random(7)
    for _ in range(200):
        assert mutations.mutate(first, b'{"a":[1,2]}', [b"xyz"]) == mutations.mutate(second, b'{"a":[1,2]}', [b"xyz"])
        value = {"a": [1, {"b": "c"}], "d": "e"}
        assert mutations.restructure(first, value) == mutations.restructure(second, value)
        assert value == {"a": [1, {"b": "c"}], "d": "e"}
