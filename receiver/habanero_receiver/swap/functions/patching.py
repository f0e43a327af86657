"""Finds the living functions of changed code and works out, before the commit, what each is to become.

Structure first, the heap only for code that structure does not lead to; see `live`. What cannot take its new code is
refused, or, where it is a closure that the app goes on well with, named in the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from types import CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.diff import pair_code, same_behaviour
from habanero_receiver.swap.finding.heap import Newborn, search_all, search_for, youngest_functions
from habanero_receiver.swap.finding.live import reachable
from habanero_receiver.swap.following.caches import Cache
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan, Patch
from habanero_receiver.swap.undo import Step

from .closures import Rederive, called, rederivation
from .copies import Copies
from .moves import KINDS, ClosureError, patch

_MAX_INDEXED = 10_000
"""How many objects a module is searched for its functions; what is not met by then is looked for on the heap."""


def _born_otherwise(plan: ModulePlan) -> Iterator[Patch]:
    """Functions inside others whose code is as it was, and whose defaults read a constant that may change."""
    known = {(item.pair.old.co_qualname, item.pair.old.co_firstlineno) for item in plan.patches}
    for match in plan.matches if plan.births.moving else ():
        if match.old is not None and match.new is not None and match.same:
            for pair in pair_code(match.old.code, match.new.code):
                place = pair.old.co_qualname, pair.old.co_firstlineno
                if pair.nested and place not in known and plan.births.may_differ(pair):
                    yield Patch(pair, match.new, False, {})


class Patching:
    """All patches of one swap: flat lists of assignments and their inverses."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.inverses: list[Step] = []
        self.rederived: list[Rederive] = []
        self.redefined: list[FunctionType] = []
        """Functions that became another kind, of generator or coroutine, by a change of their bodies alone."""
        self._nested: dict[str, list[tuple[ModulePlan, Patch]]] = {}
        self._newborn: Newborn | None = None
        self._clears: list[Step] = []
        self.copies = Copies()
        self._caches: dict[int, Any] = {}
        """`functools` caches that structure leads to, by the function whose results they hold."""

    def index(self, plans: Iterable[ModulePlan], own_modules: frozenset[str]) -> None:
        """Notes what structure leads to from each module."""
        for plan in plans:
            for item in reachable([vars(plan.module)], own_modules, _MAX_INDEXED):
                self.copies.add(item)
                if is_a(item, FunctionType):
                    plan.index.add(item)
                elif is_a(item, type):
                    plan.classes.add(item)
                elif is_a(item, Cache):
                    self._caches[id(item.__wrapped__)] = item

    def find(self, plans: Iterable[ModulePlan]) -> None:
        """Works out what becomes of every function that the plans' patches are for."""
        plans = list(plans)
        for plan in plans:
            plan.patches.extend(_born_otherwise(plan))
            plan.patches = [item for item in plan.patches if item.pair.changed or plan.births.differ(item.pair)]
        files = {n for plan in plans for item in plan.patches if item.pair.nested for n in plan.index.names}
        self._newborn = Newborn(partial(youngest_functions, frozenset(files))) if files else None
        self._search(plans)
        for plan in plans:
            for item in plan.patches:
                for function in plan.index.of(item.pair.old):
                    self._plan(plan, item, function)
                if item.pair.nested:
                    for name in plan.index.names:
                        self._nested.setdefault(name, []).append((plan, item))
        self.steps.extend(self._clears)  # last: what they free may run code of the app
        self.inverses.extend(self._clears)

    def _search(self, plans: list[ModulePlan]) -> None:
        """Looks for what structure does not lead to, once for all modules."""
        codes: dict[int, CodeType] = {}
        lost = False
        for plan in plans:
            for item in plan.patches:
                if item.pair.nested:
                    living = plan.index.living(item.pair.old)
                    codes.update((id(code), code) for code in living)
                    lost = lost or not living
                else:
                    lost = lost or not plan.index.of(item.pair.old)
            for step in plan.steps:  # slots, C code or weak references may hold its function
                owners = getattr(step, "living", list)
                lost = lost or (owners is not list and not owners())
        indexes = [plan.index for plan in plans]
        if lost:
            search_all(indexes)
        elif codes:
            search_for(codes.values(), indexes)

    def _plan(self, plan: ModulePlan, item: Patch, function: FunctionType) -> None:
        old, new = item.pair.old, item.pair.new
        try:
            pairs = self._pairs(plan, item, function)
        except ClosureError as error:
            self._without_patch(plan, item, function, error)
            return
        self.steps.extend(step for step, _ in pairs)
        self.inverses.extend(inverse for _, inverse in pairs)
        cache = self._caches.get(id(function))
        if cache is not None and not same_behaviour(old, new):
            self._clears.append((cache.cache_clear,))  # what the old code answered; taken back, it starts empty as well
        if new.co_qualname not in plan.report.patched and not same_behaviour(old, new):
            plan.report.patched.append(new.co_qualname)

    def _pairs(self, plan: ModulePlan, item: Patch, function: FunctionType) -> list[tuple[Step, Step]]:
        """The steps for one function and for what copied from it. Raises ClosureError."""
        pairs = patch(function, item.pair.new, item.cells)
        renewal = plan.births.renew(item.pair, function)
        if renewal.unknown:
            plan.report.note_stale(called(function), "; ".join(renewal.unknown))
        if renewal.pairs or (item.pair.old.co_flags ^ item.pair.new.co_flags) & KINDS:
            self.redefined.append(function)
        pairs.extend(renewal.pairs)
        return pairs + self.copies.following(pairs)

    def _without_patch(self, plan: ModulePlan, item: Patch, function: FunctionType, error: ClosureError) -> None:
        if not item.pair.nested:
            if item.must:
                plan.refuse(item.unit, f"{function.__qualname__}: {error}")
            return  # the statement that made it runs again
        again = rederivation(function, item.pair, plan.births, plan.report)
        if again is None:
            plan.report.note_stale(called(function), f"it keeps its old code: {error}")
        else:
            self.rederived.append(again)
            plan.report.run.append(f"{again.outer.co_qualname} for {function.__qualname__}")

    def documented(self) -> dict[int, dict[str, str | None]]:
        """The docstrings that change, by the function's identity."""
        changes = (
            (step[1], {"old": inverse[3], "new": step[3]})
            for step, inverse in zip(self.steps, self.inverses, strict=True)
            if step[0] is setattr and step[2] == "__doc__" and is_a(step[1], FunctionType)
        )
        return {id(function): change for function, change in changes if change["old"] != change["new"]}

    def young(self) -> Iterator[tuple[Step, Step]]:
        """The assignments, with inverses, for closures that were made after the search. Takes well under 1 ms."""
        if self._newborn is None:
            return
        done = {id(step[1]) for step in self.steps if len(step) > 1}
        done.update(id(again.function) for again in self.rederived)
        for function in self._newborn.found():
            if id(function) in done:
                continue
            for plan, item in self._nested[function.__code__.co_filename]:
                if function.__code__ is item.pair.old or function.__code__ == item.pair.old:
                    try:
                        yield from self._pairs(plan, item, function)
                    except ClosureError as error:
                        plan.report.note_stale(called(function), f"it keeps its old code: {error}")
                    break
