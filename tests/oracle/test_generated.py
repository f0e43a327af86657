"""After a swap a process is what a fresh one would be: on made-up apps and edits, a bounded part of ``make oracle``."""

from __future__ import annotations

from collections import Counter

import pytest
from oracle.generate import generated
from oracle.judge import EQUAL, INVALID, STALE, WRONG, Step
from oracle.kinds import KINDS, NUMBERS, VARIANTS, Statement
from oracle.step import Processes, Tree

LIBRARIES = ("click", "fastapi.responses", "flask", "pydantic")


@pytest.mark.timeout(600)  # many processes, one after the other, beside other tests
@pytest.mark.parametrize(("frameworks", "count", "start"), [(False, 16, 6), (True, 6, 4)])
def test_a_swapped_app_is_what_a_fresh_one_would_be(count: int, start: int, *, frameworks: bool) -> None:
    """No step is wrong: each is equal to a fresh import but for what its report names, or refused with nothing changed.

    Most are equal, so that neither refusals nor reports stand in for it.
    """
    verdicts: Counter[str] = Counter()

    def note(history: list[Tree], steps: list[Step]) -> None:
        for step in steps:
            verdicts[step.verdict] += 1
            told = "\n".join(map(str, step.differences))
            assert step.verdict not in (WRONG, INVALID), f"{step.reasons}\n{told}\n{_sources(history)}"

    with Processes(preload=LIBRARIES if frameworks else ()) as processes:
        generated(processes, count, start, note, frameworks=frameworks)
    assert verdicts[EQUAL] + verdicts[STALE] >= 0.8 * verdicts.total(), verdicts
    assert verdicts[EQUAL] >= 0.7 * verdicts.total(), verdicts


def test_what_a_kind_writes_compiles() -> None:
    """Each kind of statement gives source that compiles and speaks of its name."""
    for name, kind in KINDS.items():
        for number in range(VARIANTS):
            text = kind.write(Statement(name, "it", (number,) * NUMBERS, ("'literal'", "other")))
            compile(text, name, "exec")
            assert "it" in text


def _sources(history: list[Tree]) -> str:
    return "\n".join(f"# {module.path}\n{module.source.decode()}" for tree in history for module in tree.values())
