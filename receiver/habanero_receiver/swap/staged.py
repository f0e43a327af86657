"""A planned swap, and one that was carried out.

prepare   plan every module and find all that has to be touched; anything slow is here
commit    assignments first, all at once; then the statements that had to wait; an error undoes everything
undo      until it is sealed, a commit can be taken back
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from itertools import starmap
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from .adapters import in_use
from .building.units import Build, Unit, decode
from .classes.layouts import LayoutError
from .containers.handing import arrange_handed_on
from .dangling import refuse_dangling
from .errors import SwapFailedError, SwapRefusedError, SwapUndoError
from .finding.graph import Graph
from .finding.heap import instances_of
from .finding.live import reachable
from .finding.reach import new_modules
from .following.classvars import ClassVars, past_of
from .following.follow import Change, Following, Kept, changes_of, changes_since
from .following.importers import find_kept
from .following.suspects import Suspects
from .functions.heldcode import HeldCode, held_code
from .functions.patching import Patching
from .functions.unmade import name_unmade
from .guard import Guard
from .image import ModuleImage
from .order import in_import_order
from .plan import ModulePlan
from .planner import plan_leaving, plan_module
from .report import Refusal, SwapReport
from .showing.editions import Renaming, Version, renaming
from .showing.loader import exchange
from .showing.raised import note
from .showing.sources import LineCacheEntry, line_cache_entry, show
from .statements.anew import force, registered_again
from .statements.earlier import look_back
from .transaction import Transaction
from .undo import Step as LogStep
from .undo import UndoLog

if TYPE_CHECKING:
    from .engine import Swapper


class StagedSwap:
    """A planned swap: `commit` it at a safe point, or drop it."""

    def __init__(self, swapper: Swapper, overlay: dict[str, ModuleImage | None], generation: int) -> None:
        self.report = SwapReport()
        self.overlay = overlay
        self.plans: dict[str, ModulePlan] = {}
        self.wanted: dict[str, ModuleImage] = {}
        self.deleted: dict[str, ModuleType] = {}
        self.leaving: dict[str, ModulePlan] = {}
        """What becomes of what those registered elsewhere."""
        self.left: dict[str, Version] = {}
        """What each module that changes or goes away runs until then."""
        self._swapper = swapper
        self._generation = generation
        self._kept: dict[str, Kept] = {}
        self._classvars: list[ClassVars] = []
        """Attributes of classes that may change."""
        self._suspects = Suspects()
        self._held_code: list[HeldCode] = []
        self._patching = Patching()
        self._shown: dict[str, LineCacheEntry] = {}
        """What tracebacks show of each module afterwards: read here, so that the commit reads no source."""
        self._at: tuple[ModulePlan, Unit | None] | None = None
        """What the commit is running."""
        self._renamings: list[Renaming] = []
        self._loaders: list[tuple[LogStep, LogStep]] = []
        self._documented: dict[int, dict[str, str | None]] = {}
        self._living: list[object] = []
        """Objects of the kinds that adapters asked for."""
        self._graph = Graph(frozenset())
        self._guard = Guard({}, (), {}, swapper.is_own)

    def prepare(self, own_modules: frozenset[str]) -> None:
        """Plans every module, then finds all that has to be touched."""
        again = registered_again(self.plans.values(), own_modules - self.deleted.keys(), self._units_of)
        for name in again.keys() - self.plans.keys():
            self._swapper.plan_unchanged(self, name, own_modules)
        for name, paths in again.items():
            force(self.plans[name], paths)
        self._patching.index([*self.plans.values(), *self.leaving.values()], own_modules)
        for plan in self.plans.values():
            plan.alone = len(self.plans) == 1
            plan_module(plan)
        for plan in self.leaving.values():
            plan_leaving(plan)
        self._patching.find(self.plans.values())
        self._held_code = held_code(self.plans.values())
        self._kept, self._classvars = find_kept(self._swapper, self.plans, self.deleted, own_modules, self._suspects)
        name_unmade(self.plans.values(), self._kept.values(), self.report)
        for name, refusal in refuse_dangling(self.plans, self.deleted, own_modules, self.overlay, self._units_of):
            self.report.of(name).refused.append(refusal)
        for plan in self.plans.values():
            plan.migration.find()
        self._find_living()
        self._graph = Graph(own_modules)
        plans = {**self.leaving, **self.plans}
        self._guard = Guard(plans, self._patching.rederived, self._unloaded(), self._swapper.is_own)
        self._guard.look_ahead(self._graph)
        for name, plan in self.plans.items():
            self._shown[name] = line_cache_entry(plan.index.filename, self.wanted[name].source)
            self._loaders.extend(exchange(plan.module, self.wanted[name]))
            self._renamings.append(renaming(self.left[name], plan.index.codes(), plan.new, plan.edition))
        for name, module in self.deleted.items():
            living = [f.__code__ for f in reachable([vars(module)], own_modules) if isinstance(f, FunctionType)]
            self._renamings.append(renaming(self.left[name], living, None, None))

    def _unloaded(self) -> dict[str, Build]:
        """The modules that statements of the new code will import first."""
        units = [unit for plan in self.plans.values() for unit in plan.new.units if unit.imports]
        images = {name: image for name, image in self.overlay.items() if image is not None}
        unloaded = images.keys() - sys.modules.keys()
        return new_modules(units, unloaded, lambda name: decode(images[name].units, images[name].filename))

    def _runs(self) -> bool:
        """Whether statements of the new code run."""
        plans = (*self.leaving.values(), *self.plans.values())
        return bool(self._patching.rederived) or any(plan.steps or plan.early for plan in plans)

    def _find_living(self) -> None:
        """Searches the heap for what adapters will need, if statements will run."""
        documented = self._documented = self._patching.documented()
        if documented or self._patching.redefined or self._runs():
            kinds = [kind for adapter in in_use() for kind in adapter.kinds()]
            self._living = list(instances_of(kinds)) if kinds else []

    def commit(self) -> CommittedSwap:
        """Carries the plan out. Call it at a safe point: it is short, and the app must not run meanwhile.

        Raises SwapFailedError after putting everything back, if a statement of the new code raises; SwapUndoError if
        putting it back failed too; SwapRefusedError if the process moved since the plan was made, or if a living class
        turned out, after all, to be one that cannot take its new body: everything was put back then as well.
        """
        swapper = self._swapper
        with swapper.swap_lock:
            if swapper.generation != self._generation:
                self.report.of("").refused.append(
                    Refusal("swap", 0, "the process moved to another release since this was planned", "plan it again")
                )
                raise SwapRefusedError(self.report)
            log = UndoLog()
            try:
                self._commit(log)
            except BaseException as error:
                # now: its text is shown until it is undone
                said = note(self.plans.values(), self._at, error, self._kept)
                self._undo(log, error)
                if not isinstance(error, (Exception, SystemExit)):
                    raise
                if isinstance(error, LayoutError):
                    raise SwapRefusedError(self.report) from error
                raise SwapFailedError(said, self.report) from error
            finally:
                self._at = None
            return CommittedSwap(self.report, log, swapper.swap_lock, self._renamings)

    def _undo(self, log: UndoLog, error: BaseException) -> None:
        try:
            log.undo()
        except BaseException as undo_error:
            raise SwapUndoError(f"undoing failed: {undo_error!r}, after {error!r}", self.report) from undo_error

    def _commit(self, log: UndoLog) -> None:
        swapper = self._swapper
        log.note((swapper.publish, swapper.overlay))
        swapper.publish(self.overlay)
        moving = {name: plan for name, plan in self.plans.items() if plan.changing or plan.migration.module}
        before = {name: dict(vars(plan.module)) for name, plan in moving.items()}
        at_first = dict(before)
        order = list(in_import_order({name: plan.new.units for name, plan in self.plans.items()}))
        began = self._guard.stand(log, self._graph)
        work = Transaction(
            log, self._graph, began, self._own_modules(), in_use(), self._units_of, [*self._patching.redefined],
            copies=self._patching.copies, instances_of=self._instances_of, report=self.report, found=self._living,
            documented=self._documented, classvars=self._classvars, former=at_first,
        )  # fmt: skip
        if self.plans:
            work.arrange = partial(arrange_handed_on, next(iter(self.plans.values())).scope, work)
        runs = self._runs()
        if runs:
            steps = [step for plan in self.plans.values() for step in plan.steps]
            work.forms = look_back(steps, [kind for adapter in work.adapters for kind in adapter.compared()])
            for adapter in work.adapters:
                adapter.begin(work)
        for item in self._classvars:
            item.look()
        copied = self._patching.copies.of_classes()
        self._assign(log)
        self._run(work, order, before)
        for name, module in self.deleted.items():
            self._forget(log, name, module)
        for copy in copied:
            copy.follow(log)
        if runs or work.redefined or work.reshaped or work.documented:
            for adapter in work.adapters:
                adapter.finish(work)
        for name in order:
            self.plans[name].migration.run(log, at_first.get(name, {}))
        swapper.adopt(self, log)

    def _instances_of(self, cls: type) -> Iterable[object]:
        """The living instances of a class, as they were found while planning if it was planned."""
        plans = [plan for plan in self.plans.values() if cls in plan.migration.filled]
        return plans[0].migration.instances_of(cls) if plans else instances_of([cls])

    def _run(self, work: Transaction, order: Sequence[str], before: dict[str, dict[str, Any]]) -> None:
        """Runs the statements, imported modules first; what follows from each module's is there before the next."""
        following = Following(self._kept, self._suspects, work, self.report, past_of(self._classvars))
        for rederive in self._patching.rederived:
            rederive(work)
        self._follow(following, before)
        for plan in self.leaving.values():  # first: a registry may refuse a second entry of one name
            for step in plan.steps:
                step(work)
        for name in order:
            for step in self.plans[name].steps:
                unit: Unit | None = getattr(step, "unit", None)
                if unit is not None and not self.plans[name].follows.isdisjoint(unit.reads):
                    self._follow(following, before)
                self._at = (self.plans[name], unit)
                step(work)
            self._at = None
            if self.plans[name].steps:
                self._follow(following, before)
        for held in self._held_code:
            held(work)
        self._suspects.clear_caches(work.log)
        self._suspects.name(self.report)

    def _follow(self, following: Following, before: dict[str, dict[str, Any]]) -> None:
        """Lets everything follow what changed against ``before``, and makes that the state to compare with."""
        while changes := [
            *changes_since(before),
            *changes_of(self._classvars),
            *starmap(Change, self._suspects.follow(following.work)),
        ]:
            before.update({name: dict(vars(self.plans[name].module)) for name in before})
            following.follow(changes)
            before.update({name: dict(vars(self.plans[name].module)) for name in before})

    def _own_modules(self) -> dict[str, ModuleType]:
        return {name: module for name, module in list(sys.modules.items()) if self._swapper.is_own(name)}

    def _units_of(self, name: str) -> Sequence[Unit]:
        if name in self.plans:
            return self.plans[name].new.units
        module = sys.modules.get(name)
        return () if module is None else self._swapper.units_of(name, module)

    def _assign(self, log: UndoLog) -> None:
        """Everything that runs no code of the app, as one: no other thread sees a part of it."""
        steps, inverses = [*self._patching.steps], [*self._patching.inverses]
        for step, inverse in self._patching.young():
            steps.append(step)
            inverses.append(inverse)
        for plan in self.plans.values():
            namespace = vars(plan.module)
            for owner, name, value in plan.assignments:
                old = vars(owner).get(name, _ABSENT)
                put: Any = type.__setattr__ if isinstance(owner, type) else setattr
                steps.append((put, owner, name, value))
                inverses.append((put, owner, name, old) if old is not _ABSENT else (type.__delattr__, owner, name))
            for held, name, value in _bindings(namespace, plan.early):
                steps.append((held.__setitem__, name, value))
                old_value = held.get(name, _ABSENT)
                restore: LogStep = (held.pop, name, None)
                inverses.append(restore if old_value is _ABSENT else (held.__setitem__, name, old_value))
            show(log, self._shown[plan.module.__name__])
        for item in self._renamings:
            item.before(log)
        for step, inverse in (*self._loaders, *(pair for item in self._renamings for pair in item.pairs)):
            steps.append(step)
            inverses.append(inverse)
        log.do_all(steps, inverses)

    def _forget(self, log: UndoLog, name: str, module: ModuleType) -> None:
        log.delete_item(sys.modules, name)
        parent, _, child = name.rpartition(".")
        if parent in sys.modules and vars(sys.modules[parent]).get(child) is module:
            log.delete_item(vars(sys.modules[parent]), child)


def _bindings(namespace: dict[str, Any], early: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, Any]]:
    """What is bound, in which mapping: annotations go where those of the module are."""
    for name, value in early.items():
        if name == "__annotations__" and name in namespace:
            yield from ((namespace[name], variable, annotation) for variable, annotation in value.items())
        else:
            yield namespace, name, value


_ABSENT = object()


class CommittedSwap:
    """A swap that was carried out and can still be taken back."""

    def __init__(
        self,
        report: SwapReport,
        log: UndoLog,
        swap_lock: AbstractContextManager[object],
        renamings: Sequence[Renaming] = (),
    ) -> None:
        self.report = report
        self._log: UndoLog | None = log
        self._swap_lock = swap_lock
        self._renamings = renamings

    def undo(self) -> None:
        """Puts everything back as it was. Raises SwapUndoError if that fails; does nothing when done already."""
        log, self._log = self._log, None
        if log is not None:
            try:
                with self._swap_lock:
                    log.undo()
            except BaseException as error:
                raise SwapUndoError(f"undoing failed: {error!r}", self.report) from error

    def seal(self) -> None:
        """Forgets how to take it back, and frees what was kept for that."""
        if self._log is not None:
            for item in self._renamings:
                item.seal()
        self._log, self._renamings = None, ()
