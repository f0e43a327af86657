"""What running code could change: the objects that it reads, and that the app's own functions and classes in turn read.

It follows names, without running anything: a name of the code means what it is bound to in the live module or, for
code that is not there yet, what the new code's own statements and imports will bind it to.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from habanero_receiver.swap.building.units import Build, Import, Unit
from habanero_receiver.swap.kinds import function_of, is_a

_MAX_NAMES = 20_000


def roots_of(code: CodeType | None, namespace: Mapping[str, Any], is_own: Callable[[str], bool]) -> list[object]:
    """The objects whose containers running ``code`` can change."""
    reach = Reach(is_own)
    if code is not None:
        reach.follow(code, namespace)
    return reach.found


@dataclass(slots=True)
class Reach:
    """Collects what codes could change, each object once."""

    is_own: Callable[[str], bool]
    fresh: Mapping[str, Build] = field(default_factory=dict)
    """The new versions of modules, whose statements may not have run yet."""
    found: list[object] = field(default_factory=list)
    spoken: dict[str, tuple[ModuleType, set[str]]] = field(default_factory=dict)
    """The modules that code speaks of, with the names that it may read or bind in them by dots."""
    _seen: set[int] = field(default_factory=set)
    _by_name: dict[Any, dict[str, list[CodeType]]] = field(default_factory=dict)
    _imports: dict[Any, dict[str, Any]] = field(default_factory=dict)
    _waiting: list[tuple[CodeType, Mapping[str, Any], Mapping[str, list[CodeType]]]] = field(default_factory=list)

    def follow(self, code: CodeType, namespace: Mapping[str, Any]) -> None:
        """Takes in all that ``code`` could change when it runs with ``namespace`` as its globals."""
        self._queue([code], namespace, self._fresh_of(namespace.get("__name__")))
        self._walk()

    def follow_module(self, name: str) -> None:
        """Takes in all that importing a module for the first time could change."""
        build = self.fresh[name]
        self._queue((unit.code for unit in build.units), self._imported(name), {})
        self._walk()

    def _fresh_of(self, module: Any) -> Mapping[str, list[CodeType]]:
        if module in self._by_name:
            return self._by_name[module]
        found: dict[str, list[CodeType]] = {}
        build = self.fresh.get(module)
        for unit in build.units if build is not None else ():
            for name in unit.names:
                if unit.kind in ("function", "class"):
                    found.setdefault(name, []).append(unit.code)
        self._by_name[module] = found
        return found

    def _queue(
        self, codes: Iterable[CodeType], namespace: Mapping[str, Any], fresh: Mapping[str, list[CodeType]]
    ) -> None:
        for code in codes:
            if id(code) not in self._seen:
                self._seen.add(id(code))
                self._waiting.extend((inner, namespace, fresh) for inner in _codes(code))

    def _walk(self) -> None:
        while self._waiting and len(self._seen) < _MAX_NAMES:
            code, namespace, fresh = self._waiting.pop()
            for name in code.co_names:
                self._queue(fresh.get(name, ()), namespace, fresh)
                value = namespace.get(name, self._imported(namespace.get("__name__")).get(name))
                if value is not None:
                    self._take_named(value, (*code.co_names, *(c for c in code.co_consts if is_a(c, str))))

    def _take_named(self, value: Any, names: tuple[str, ...]) -> None:
        """Takes in a value, or of a module what code that speaks of ``names`` can reach in it by dots."""
        waiting, modules = [value], set[int]()
        while waiting:
            item = waiting.pop()
            if not is_a(item, ModuleType):
                self._take(item)
            elif id(item) not in modules:
                modules.add(id(item))  # of this code: another may speak of other names
                self.spoken.setdefault(item.__name__, (item, set()))[1].update(names)
                inside = [vars(item)[name] for name in names if name in vars(item)]
                own = self.is_own(item.__name__)  # of another's objects, its modules alone: what these hold is theirs
                waiting.extend(value for value in inside if own or is_a(value, ModuleType))

    def _imported(self, module: Any) -> Mapping[str, Any]:
        """What the imports of new code will bind, as far as it is loaded."""
        if module not in self._imports:
            build = self.fresh.get(module)
            items = [item for unit in build.units for item in unit.imports] if build is not None else []
            self._imports[module] = dict(map(_loaded, items))
        return self._imports[module]

    def _take(self, value: Any) -> None:
        if value is None or id(value) in self._seen:
            return
        self._seen.add(id(value))
        self.found.append(value)
        for function in self._own_functions(value):
            namespace = function.__globals__
            self._queue([function.__code__], namespace, self._fresh_of(namespace.get("__name__")))

    def _own_functions(self, value: Any) -> Iterator[FunctionType]:
        """The functions of the app that using ``value`` can call."""
        if is_a(value, MethodType):
            value = value.__func__
        if is_a(value, FunctionType):
            if self.is_own(value.__module__ or ""):
                yield value
            return
        for cls in (value if is_a(value, type) else type(value)).__mro__:
            if self.is_own(cls.__module__):
                for member in list(vars(cls).values()):
                    function = function_of(member)
                    if is_a(function, FunctionType):
                        yield function


def new_modules(
    units: Iterable[Unit], unloaded: Container[str], load: Callable[[str], Build]
) -> dict[str, Build]:
    """The builds of those of the ``unloaded`` modules that the statements will import, by way of others too."""
    found: dict[str, Build] = {}
    waiting = list(units)
    while waiting:
        for item in waiting.pop().imports:
            for name in (item.module, f"{item.module}.{item.name}"):
                if name in unloaded and name not in found:
                    found[name] = load(name)
                    waiting.extend(found[name].units)
    return found


def _loaded(item: Import) -> tuple[str, Any]:
    """The name that an import binds, and what to as things are; None if its module is not loaded."""
    if not item.name:
        plain = item.bound == item.module.partition(".")[0]
        return item.bound, sys.modules.get(item.bound if plain else item.module)
    module = sys.modules.get(item.module)
    named = sys.modules.get(f"{item.module}.{item.name}")
    return item.bound, vars(module).get(item.name, named) if module is not None else named


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if is_a(constant, CodeType):
            yield from _codes(constant)
