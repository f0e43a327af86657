"""Judges one step, from what the live and the fresh process became. Pure.

equal     the live process is what a fresh one is, in all but kept state; and what it does is what a fresh one does,
          where no kept state is computed from what changed
refused   the swap was refused, or rolled back, and the process is exactly what it was; the reason must be true: where a
          fresh process imports all of the new sources, "the new code raised" is not, unless the engine names kept
          objects that the code ran on, and the sources say that what changed made each, by a statement that did not
stale     equal but for bindings that were kept as they were and that the swap's report names, each for itself, as stale
wrong     anything else
invalid   the new sources cannot be imported at all, and the swap did not notice; or a module that nothing imports was
          added, and Flask forbids what it does to an app that served already: told apart, never counted as equal
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from oracle.alarms import Entry, differing
from oracle.compare import compare
from oracle.difference import Difference, Moment
from oracle.kept import STALE as NAMED
from oracle.kept import USED
from oracle.snapshot import Graph
from oracle.step import Outcome, Swap, Tree
from oracle.unchanged import old_code, unchanged
from oracle.units import Edit, Path

_RAN_ON = re.compile(r"it ran on ([\w., ]+), kept although")
EQUAL, REFUSED, STALE, WRONG, INVALID = "equal", "refused", "stale", "wrong", "invalid"


@dataclass(slots=True)
class Step:
    """One swap, judged."""

    verdict: str
    reasons: list[str] = field(default_factory=list)
    """Of a refusal: what the engine said. Of a wrong step: what kinds of difference there are. Of a stale one: what."""
    differences: list[Difference] = field(default_factory=list)
    kept: list[tuple[Path, str]] = field(default_factory=list)
    named: tuple[Entry, ...] = ()
    """What the report names as stale."""
    differing: set[Entry] = field(default_factory=set)
    """What of that does differ."""


def judge(
    trees: list[Tree],
    live: Outcome,
    fresh: list[Outcome],
    again: list[Outcome] | None = None,
    outside: tuple[str, ...] = (),
) -> list[Step]:
    """Judges every swap of a live process. ``fresh`` holds one process for each tree after the first.

    ``again`` are second fresh processes: where two fresh processes differ, nothing can be said of the live one.
    ``outside`` are names, with their modules, whose values come from outside of the app; ``*`` is what lies below one.
    """
    if live.error:
        return [
            Step(WRONG, ["the first version does not run"], [Difference(("",), "error", _last_first(live.error), "")])
        ]
    steps: list[Step] = []
    moments = [Moment(live.imported, live.used)]
    earlier: dict[Path, str] = {}
    named_so_far: frozenset[Path] = frozenset()
    for index, swap in enumerate(live.swaps):
        new = fresh[index]
        if swap.broken:
            steps.append(Step(WRONG, ["the engine broke"], [Difference(("",), "broken", _last_first(swap.broken), "")]))
            break
        if swap.refused:
            steps.append(_judge_refusal(swap, moments[-1].after, new, _edit(trees, index)))
            break
        if new.error or new.failed_imports.keys() - live.failed_imports.keys():
            steps.append(Step(INVALID, ["the new sources cannot be imported"]))
            break
        if any("can no longer be called" in error for error in swap.failed_imports.values()):
            steps.append(Step(INVALID, ["a new module sets up an app that served already"]))
            break
        edit = _edit(trees, index)
        verdict = compare(swap.after, new.imported, moments, edit, swap.stale, earlier)
        kept = {path: reason for path, reason in verdict.kept if reason != USED}
        earlier.update(kept)
        named_so_far |= swap.stale
        found = verdict.differences + old_code(swap.after, new.codes, named_so_far)
        if again is not None:
            unstable = _unstable(new.imported, again[index].imported, edit)
            found = [d for d in found if d.path not in unstable]
        found = [d for d in found if not _is_outside("".join(d.path), outside)]
        if swap.result != new.result and not kept:
            found.extend(_results(swap.result, new.result))
        named = sorted("".join(path) for path, reason in kept.items() if reason == NAMED)
        kinds = sorted({d.what for d in found}) or named
        verdict_word = WRONG if found else STALE if named else EQUAL
        alarms = swap.entries, differing(swap.after, new.imported, swap.entries)
        steps.append(Step(verdict_word, kinds, found, verdict.kept, *alarms))
        if found:
            break  # what comes after it tells of the same
        moments.append(Moment(swap.after, swap.used))
    return steps


def _is_outside(place: str, names: tuple[str, ...]) -> bool:
    """Whether a place is one of these; a name that ends in a star stands for all below it as well."""
    return any(place.startswith(name[:-1]) if name.endswith("*") else place == name for name in names)


def _edit(trees: list[Tree], index: int) -> Edit:
    """The step from one tree to the next."""
    return Edit(*({n: (m.package, m.source) for n, m in tree.items()} for tree in trees[index : index + 2]))


def _judge_refusal(swap: Swap, before: Graph, fresh: Outcome, edit: Edit) -> Step:
    found = unchanged(before, swap.after)
    if found:
        return Step(WRONG, ["refused, yet changed"], found)
    true = fresh.error or fresh.failed_imports or all(_kept_to_blame(reason, edit) for reason in swap.refused)
    if swap.raised and not true:
        told = [Difference(("",), "reason", reason, "") for reason in swap.refused]
        return Step(WRONG, ["refused without a true reason"], told)
    return Step(REFUSED, swap.refused)


def _results(live: object, fresh: object) -> list[Difference]:
    """Where results differ; of a dictionary, entry by entry."""
    if not (isinstance(live, dict) and isinstance(fresh, dict)):
        return [Difference(("use",), "result", str(live), str(fresh))]
    differing = [key for key in live.keys() | fresh.keys() if live.get(key) != fresh.get(key)]
    return [Difference((f"use of {k}",), "result", str(live.get(k)), str(fresh.get(k))) for k in sorted(differing)]


def _kept_to_blame(reason: str, edit: Edit) -> bool:
    """Whether a reason names objects that were kept, and the sources say that each was made from what changed."""
    told = _RAN_ON.search(reason)
    if told is None:
        return False
    paths = [(module, f".{name}") for module, _, name in (word.rpartition(".") for word in told[1].split(", "))]
    return all(edit.same(path) and edit.depends(path) for path in paths)


def _unstable(one: Graph, other: Graph, edit: Edit) -> set[Path]:
    """Places that differ from one fresh process to the next."""
    moments = [Moment(one, one)]
    return {d.path for d in compare(one, other, moments, edit, frozenset()).differences}


def _last_first(text: str) -> str:
    """A traceback with what was raised before where."""
    lines = text.strip().splitlines()
    return "\n".join([*lines[-1:], *lines[-12:-1]])
