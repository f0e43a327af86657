"""Moves a live process from one version of its modules to another, whole or not at all.

A swap goes to a full overlay: what each loaded module runs is compared with what it should run, so a live push, a
catch-up after boot, several releases at once and a rollback are the same. This file knows what runs and what should;
how to get there is planned and done in `staged`. Nothing here knows of networks or keys.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Mapping
from types import ModuleType

from .building.compiler import build as build_source
from .building.units import Build, Unit, decode
from .errors import SwapRefusedError
from .finding.live import FunctionIndex
from .image import ModuleImage
from .plan import ModulePlan
from .report import Refusal
from .showing.editions import Version, edition_name, edition_of, names_of
from .staged import CommittedSwap, StagedSwap
from .statements.scope import Scope
from .undo import UndoLog

__all__ = ["CommittedSwap", "Overlay", "StagedSwap", "Swapper", "image_from_source"]

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
        self.swap_lock = threading.RLock()
        """Guards what runs: held for a plan, for a commit and for an undo."""
        self._generation = 0

    def is_own(self, name: str) -> bool:
        """Whether a module is one of the app's own."""
        return name.partition(".")[0] in self.top_level

    def stage(self, overlay: Overlay) -> StagedSwap:
        """Plans the way to ``overlay``. Slow work is here; nothing live changes. Any thread may call it.

        Raises SwapRefusedError if the live process cannot take it, with every reason.
        """
        with self.swap_lock:
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
                    staged.leaving[name] = self._plan(staged, name, module, running, None, own_modules)
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
        staged.wanted[name] = wanted
        staged.plans[name] = self._plan(staged, name, module, running, wanted, own_modules)

    def _plan(
        self,
        staged: StagedSwap,
        name: str,
        module: ModuleType,
        running: ModuleImage,
        wanted: ModuleImage | None,
        own_modules: frozenset[str],
    ) -> ModulePlan:
        """An empty plan; of a module that goes away if nothing is ``wanted``."""
        filename = module.__file__ or running.filename
        scope = Scope(vars(module), own_modules, self.is_own)
        source = wanted.source if wanted is not None else b""
        new = Build(None, ())
        if wanted is not None:
            new = decode(wanted.units, edition_name(filename, source))  # it gets the true name when it is current
        index = FunctionIndex(filename, names_of(filename))
        left = staged.left[name] = self._version(name, module, running)
        edition, sources = edition_of(new, filename, source), (running.source, source)
        return ModulePlan(module, left.build, new, index, scope, staged.report.of(name), edition, sources)

    def plan_unchanged(self, staged: StagedSwap, name: str, own_modules: frozenset[str]) -> None:
        """Plans a module that goes on as it is, of which some statements are to run again."""
        module = sys.modules[name]
        running = self._image_of(name, module)
        if running is not None:
            self._add_plan(staged, name, module, running, running, own_modules)

    def _version(self, name: str, module: ModuleType, image: ModuleImage) -> Version:
        filename = module.__file__ or image.filename
        return Version(filename, image.source, self._build_of(name, image, filename))

    def _build_of(self, name: str, image: ModuleImage, filename: str) -> Build:
        known = self._running.get(name)
        return known[2] if known is not None and known[1] is image else decode(image.units, filename)

    def units_of(self, name: str, module: ModuleType) -> tuple[Unit, ...]:
        """The units that a live module of the app was made from; none if its source is not known."""
        image = self._image_of(name, module)
        return () if image is None else self._build_of(name, image, module.__file__ or image.filename).units

    def adopt(self, staged: StagedSwap, log: UndoLog) -> None:
        """Takes over what a commit made true. Called by the commit alone."""
        log.note((self._go_back, dict(self._running), self.overlay))
        self._generation += 1
        self.overlay = staged.overlay
        for name, plan in staged.plans.items():
            self._running[name] = (plan.module, staged.wanted[name], plan.new)
        for name in staged.deleted:
            self._running.pop(name, None)

    def _go_back(self, running: dict[str, tuple[ModuleType, ModuleImage, Build]], overlay: Overlay) -> None:
        self._generation += 1
        self._running, self.overlay = running, overlay

    @property
    def generation(self) -> int:
        """How often the process moved: a plan made before the last move is void."""
        return self._generation


def image_from_source(name: str, package: bool, filename: str, path: str, source: bytes) -> ModuleImage:
    """The image of a module whose source lies here, built by this very interpreter. Raises SyntaxError."""
    return ModuleImage(name, package, filename, source, *build_source(source, name, path, package))


def _loader_image(module: ModuleType) -> ModuleImage | None:
    """The image that the overlay's importer made the module from, if it did."""
    image = getattr(getattr(module.__spec__, "loader", None), "image", None)
    return image if isinstance(image, ModuleImage) else None
