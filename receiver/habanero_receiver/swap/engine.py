"""Moves a live process from one version of its modules to another, whole or not at all.

    stage    plan every module of the release; anything slow, and nearly anything that can fail, is here
    commit   assignments first, all at once; then the statements that had to wait; an error undoes everything
    undo     until it is sealed, a commit can be taken back

A swap goes to a full overlay: what each loaded module runs is compared with what it should run, so a live push, a
catch-up after boot, several releases at once and a rollback are the same. Nothing here knows of networks or keys.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any

from .build import Build, Unit, decode
from .build import build as build_source
from .diff import same_behaviour
from .errors import SwapFailedError, SwapRefusedError, SwapUndoError
from .follow import Kept, changes_since, follow
from .functions import ClosureError, patch
from .image import ModuleImage
from .live import FunctionIndex, reachable, search_heap, youngest_functions
from .order import in_import_order
from .plan import ModulePlan, Patch
from .planner import plan_module
from .registry import roots_of
from .report import Refusal, SwapReport
from .sources import show
from .steps import Scope
from .undo import Imports, Snapshot, UndoLog
from .undo import Step as LogStep

Overlay = Mapping[str, ModuleImage | None]
"""The modules that replace those of the base, by name; None for one that is deleted."""


def _publish_nothing(_: Overlay) -> None:
    """For engines whose modules are imported from elsewhere."""


class Swapper:
    """Knows what each of the app's modules runs, and moves them to other versions.

    ``base``       looks up the version of a module that the app was deployed with; None if there is none
    ``top_level``  the names of the app's own top-level packages and modules; nothing else is ever touched
    ``publish``    tells the importer of a new overlay, so that modules imported from now on come from it
    """

    def __init__(
        self,
        base: Callable[[str], ModuleImage | None],
        top_level: Collection[str],
        publish: Callable[[Overlay], None] = _publish_nothing,
    ) -> None:
        self.base = base
        self.top_level = frozenset(top_level)
        self.publish = publish
        self.overlay: Overlay = {}
        self._running: dict[str, tuple[ModuleType, ModuleImage, Build]] = {}
        self._swapping = threading.Lock()
        self._generation = 0

    def is_own(self, name: str) -> bool:
        """Whether a module is one of the app's own."""
        return name.partition(".")[0] in self.top_level

    def stage(self, overlay: Overlay) -> StagedSwap:
        """Plans the way to ``overlay``. Slow work is here; nothing live changes. Any thread may call it.

        Raises SwapRefusedError if the live process cannot take it, with every reason.
        """
        with self._swapping:
            return self._stage(overlay)

    def _stage(self, overlay: Overlay) -> StagedSwap:
        staged = StagedSwap(self, dict(overlay), self._generation)
        loaded = {name: module for name, module in sys.modules.items() if self.is_own(name)}
        own_modules = frozenset(loaded)
        for name in sorted(self._candidates(overlay, loaded)):
            module = loaded[name]
            wanted = overlay[name] if name in overlay else self.base(name)
            running = self._image_of(name, module)
            if wanted is None:
                if running is not None:
                    staged.deleted[name] = module
                    staged.report.of(name).removed.append("module")
            elif running is None or not wanted.same_version(running):
                self._add_plan(staged, name, module, running, wanted, own_modules)
        staged.prepare(own_modules)
        if staged.report.refusals():
            raise SwapRefusedError(staged.report)
        return staged

    def _candidates(self, overlay: Overlay, loaded: Mapping[str, ModuleType]) -> set[str]:
        """Loaded modules that may have to change: all others run the base and shall."""
        moved = {name for name, module in loaded.items() if _loader_image(module) is not None}
        return {name for name in {*overlay, *self._running, *moved} if name in loaded}

    def _image_of(self, name: str, module: ModuleType) -> ModuleImage | None:
        known = self._running.get(name)
        if known is not None and known[0] is module:
            return known[1]
        return _loader_image(module) or self.base(name)

    def _add_plan(
        self,
        staged: StagedSwap,
        name: str,
        module: ModuleType,
        running: ModuleImage | None,
        wanted: ModuleImage,
        own_modules: frozenset[str],
    ) -> None:
        report = staged.report.of(name)
        if running is None:
            report.refused.append(Refusal("module", 1, "what the live module was made from is not known", "restart"))
            return
        if running.package != wanted.package:
            report.refused.append(
                Refusal("module", 1, "a live module cannot become a package, nor a package a module", "restart")
            )
            return
        filename = module.__file__ or running.filename
        scope = Scope(vars(module), own_modules, self.is_own)
        staged.wanted[name] = wanted
        staged.plans[name] = ModulePlan(
            module, self._build_of(name, running, filename), decode(wanted.code, filename), FunctionIndex(filename),
            scope, report,
        )  # fmt: skip

    def _build_of(self, name: str, image: ModuleImage, filename: str) -> Build:
        known = self._running.get(name)
        return known[2] if known is not None and known[1] is image else decode(image.code, filename)

    def units_of(self, name: str, module: ModuleType) -> tuple[Unit, ...]:
        """The units that a live module of the app was made from; none if its source is not known."""
        image = self._image_of(name, module)
        return () if image is None else self._build_of(name, image, module.__file__ or image.filename).units

    def adopt(self, staged: StagedSwap) -> LogStep:
        """Takes over what a commit made true; returns the inverse. Called by the commit alone."""
        before = (dict(self._running), self.overlay)
        self._generation += 1
        self.overlay = staged.overlay
        for name, plan in staged.plans.items():
            self._running[name] = (plan.module, staged.wanted[name], plan.new)
        for name in staged.deleted:
            self._running.pop(name, None)
        return (self._go_back, *before)

    def _go_back(self, running: dict[str, tuple[ModuleType, ModuleImage, Build]], overlay: Overlay) -> None:
        self._generation += 1
        self._running, self.overlay = running, overlay

    @property
    def generation(self) -> int:
        """How often the process moved: a plan made before the last move is void."""
        return self._generation


def image_from_source(name: str, package: bool, filename: str, path: str, source: bytes) -> ModuleImage:
    """The image of a module whose source lies here, built by this very interpreter. Raises SyntaxError."""
    return ModuleImage(name, package, filename, source, build_source(source, name, path, package))


def _loader_image(module: ModuleType) -> ModuleImage | None:
    """The image that the overlay's importer made the module from, if it did."""
    image = getattr(getattr(module.__spec__, "loader", None), "image", None)
    return image if isinstance(image, ModuleImage) else None


class StagedSwap:
    """A planned swap: `commit` it at a safe point, or drop it."""

    def __init__(self, swapper: Swapper, overlay: dict[str, ModuleImage | None], generation: int) -> None:
        self.report = SwapReport()
        self.overlay = overlay
        self.plans: dict[str, ModulePlan] = {}
        self.wanted: dict[str, ModuleImage] = {}
        self.deleted: dict[str, ModuleType] = {}
        self._swapper = swapper
        self._generation = generation
        self._kept: dict[str, Kept] = {}
        self._steps: list[LogStep] = []
        self._inverses: list[LogStep] = []
        self._nested: dict[str, list[Patch]] = {}

    def prepare(self, own_modules: frozenset[str]) -> None:
        """Plans every module, then finds all that has to be touched."""
        for plan in self.plans.values():
            for item in reachable([vars(plan.module)], own_modules):
                if isinstance(item, FunctionType):
                    plan.index.add(item)
        for plan in self.plans.values():
            try:
                plan_module(plan)
            except Exception as error:  # the user's code, run while planning, may raise anything
                plan.report.refused.append(
                    Refusal("module", 1, f"running its new code raised {type(error).__name__}: {error}", "fix it")
                )
        self._find_functions()
        self._find_kept(own_modules)

    def _find_functions(self) -> None:
        lost = [plan for plan in self.plans.values() if any(_must_search(plan, p) for p in plan.patches)]
        if lost:
            search_heap([plan.index for plan in lost])
        for plan in self.plans.values():
            for item in plan.patches:
                for function in plan.index.of(item.pair.old):
                    self._patch(plan, item, function)
                if item.pair.nested:
                    self._nested.setdefault(plan.index.filename, []).append(item)

    def _patch(self, plan: ModulePlan, item: Patch, function: FunctionType) -> None:
        try:
            pairs = patch(function, item.pair.new, item.cells)
        except ClosureError as error:
            if not item.pair.nested and item.must:
                plan.refuse(item.unit, f"{function.__qualname__}: {error}")
            elif item.must:
                plan.report.stale.append(f"{function.__qualname__}: {error}")
            return
        self._steps.extend(step for step, _ in pairs)
        self._inverses.extend(inverse for _, inverse in pairs)
        if item.pair.new.co_qualname not in plan.report.patched and _does_more(item):
            plan.report.patched.append(item.pair.new.co_qualname)

    def _find_kept(self, own_modules: frozenset[str]) -> None:
        """The modules whose kept units may follow what this swap changes: those swapped, and their importers."""
        swapper = self._swapper
        for name, plan in self.plans.items():
            self._kept[name] = Kept(name, plan.scope, tuple(plan.kept))
        changing = {
            id(value)
            for plan in self.plans.values()
            for name in plan.changing
            if (value := vars(plan.module).get(name)) is not None
        }
        for name in own_modules - set(self.plans) - set(self.deleted):
            module = sys.modules.get(name)
            if module is not None and not changing.isdisjoint(map(id, list(vars(module).values()))):
                scope = Scope(vars(module), own_modules, swapper.is_own)
                self._kept[name] = Kept(name, scope, swapper.units_of(name, module))

    def commit(self) -> CommittedSwap:
        """Carries the plan out. Call it at a safe point: it is short, and the app must not run meanwhile.

        Raises SwapFailedError after putting everything back, if a statement of the new code raises; SwapUndoError if
        putting it back failed too; SwapRefusedError if the process moved since the plan was made.
        """
        swapper = self._swapper
        if swapper.generation != self._generation:
            self.report.of("").refused.append(
                Refusal("swap", 0, "the process moved to another release since this was planned", "plan it again")
            )
            raise SwapRefusedError(self.report)
        log = UndoLog()
        try:
            self._commit(log)
        except BaseException as error:
            try:
                log.undo()
            except BaseException as undo_error:
                raise SwapUndoError(f"undoing failed: {undo_error!r}, after {error!r}", self.report) from undo_error
            if not isinstance(error, (Exception, SystemExit)):
                raise
            raise SwapFailedError(f"{type(error).__name__}: {error}", self.report) from error
        return CommittedSwap(self.report, log)

    def _commit(self, log: UndoLog) -> None:
        swapper = self._swapper
        log.note((swapper.publish, swapper.overlay))
        swapper.publish(self.overlay)
        before = {name: dict(vars(plan.module)) for name, plan in self.plans.items() if plan.changing}
        if any(plan.steps for plan in self.plans.values()):
            self._guard(log)
        self._assign(log)
        for name in in_import_order(self.plans):
            for step in self.plans[name].steps:
                step(log)
        for name, module in self.deleted.items():
            self._forget(log, name, module)
        follow(changes_since(before), self._kept, log, self.report)
        log.note(swapper.adopt(self))

    def _guard(self, log: UndoLog) -> None:
        """Copies all that the statements about to run can reach."""
        swapper = self._swapper
        roots: list[object] = [vars(plan.module) for plan in self.plans.values()]
        for plan in self.plans.values():
            for step in plan.steps:
                unit = getattr(step, "unit", None)
                if unit is not None:
                    roots.extend(roots_of(unit.code, vars(plan.module), swapper.is_own))
        own = next(iter(self.plans.values())).scope.own_modules
        log.note((Imports(swapper.is_own).restore,))
        log.note((Snapshot(roots, own).restore,))

    def _assign(self, log: UndoLog) -> None:
        """Everything that runs no code of the app, as one: no other thread sees a part of it."""
        steps, inverses = [*self._steps], [*self._inverses]
        for young, item in self._young():
            with suppress(ClosureError):  # as for the older ones: the plan's report names it
                for step, inverse in patch(young, item.pair.new, item.cells):
                    steps.append(step)
                    inverses.append(inverse)
        for plan in self.plans.values():
            namespace = vars(plan.module)
            for owner, name, value in plan.assignments:
                old = vars(owner).get(name)
                put: Any = type.__setattr__ if isinstance(owner, type) else setattr
                steps.append((put, owner, name, value))
                inverses.append((put, owner, name, old))
            for name, value in plan.early.items():
                if name == "__annotations__":
                    value = {**namespace.get(name, {}), **value}  # merged, as the statement would
                steps.append((namespace.__setitem__, name, value))
                old_value = namespace.get(name, _ABSENT)
                restore: LogStep = (namespace.pop, name, None)
                inverses.append(restore if old_value is _ABSENT else (namespace.__setitem__, name, old_value))
            show(log, plan.index.filename, self.wanted[plan.module.__name__].source)
        log.do_all(steps, inverses)

    def _young(self) -> list[tuple[FunctionType, Patch]]:
        """Closures that were made after the search, with what they are to become."""
        found = []
        if self._nested:
            for function in youngest_functions(frozenset(self._nested)):
                for item in self._nested[function.__code__.co_filename]:
                    if function.__code__ is item.pair.old or function.__code__ == item.pair.old:
                        found.append((function, item))
                        break
        done = {id(step[1]) for step in self._steps}
        return [(function, item) for function, item in found if id(function) not in done]

    def _forget(self, log: UndoLog, name: str, module: ModuleType) -> None:
        log.delete_item(sys.modules, name)
        parent, _, child = name.rpartition(".")
        if parent in sys.modules and vars(sys.modules[parent]).get(child) is module:
            log.delete_item(vars(sys.modules[parent]), child)


_ABSENT = object()


def _must_search(plan: ModulePlan, item: Patch) -> bool:
    return item.pair.nested or not plan.index.of(item.pair.old)


def _does_more(item: Patch) -> bool:
    """Whether the code does anything else than it did; if not, only its place in the source moved."""
    return not same_behaviour(item.pair.old, item.pair.new)


class CommittedSwap:
    """A swap that was carried out and can still be taken back."""

    def __init__(self, report: SwapReport, log: UndoLog) -> None:
        self.report = report
        self._log: UndoLog | None = log

    def undo(self) -> None:
        """Puts everything back as it was. Raises SwapUndoError if that fails; does nothing when done already."""
        log, self._log = self._log, None
        if log is not None:
            try:
                log.undo()
            except BaseException as error:
                raise SwapUndoError(f"undoing failed: {error!r}", self.report) from error

    def seal(self) -> None:
        """Forgets how to take it back, and frees what was kept for that."""
        self._log = None
