"""Brings what living closures were born with, defaults and annotations, in line with how their ``def`` is written now.

A closure takes over what is written otherwise, as far as it still has what was written before: what was set otherwise
since, or copied from a function that it wraps, stays. What is computed from variables of the function around it cannot
be known again: it stays and is named.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from habanero_receiver.swap.diff import CodePair
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import Step

from .copies import is_copied
from .definitions import UNKNOWN, Definition, as_text, definition_of, definitions, names_in
from .moves import ClosureError, is_plain


@dataclass(frozen=True, slots=True)
class Births:
    """What the functions inside functions of one module are born with, by its old source and its new one."""

    sources: tuple[bytes, bytes]
    scope: dict[str, Any]
    """The live module's names."""
    early: Mapping[str, Any]
    """What names of the module will mean, as far as that is known while planning."""
    late: Callable[[], set[str]]
    """The names whose meaning is known only in the commit."""
    _known: list[Mapping[tuple[str, int], list[Definition]]] = field(default_factory=list)

    @property
    def moving(self) -> set[str]:
        """The names of plain values of the module that may be bound to others."""
        return {name for name in {*self.early, *self.late()} if name in self.scope and is_plain(self.scope[name])}

    def may_differ(self, pair: CodePair) -> bool:
        """Whether functions of the pair can be born otherwise: a quick look, before sources are parsed."""
        return pair.remade or (pair.outer is not None and not self.moving.isdisjoint(pair.outer.co_names))

    def differ(self, pair: CodePair) -> bool:
        """Whether functions of the pair are born otherwise: as they are written, or by what that reads."""
        before, after = self._written(pair)
        if before is None or after is None:
            return False
        if (before.shape, before.as_text) != (after.shape, after.as_text):
            return True
        return not self.moving.isdisjoint(name for value in after.defaults().values() for name in names_in(value))

    def renew(self, pair: CodePair, function: FunctionType, made: FunctionType | None = None) -> Renewal:
        """Works out what a living function of the pair becomes.

        ``made`` is one that its maker gave again: it has all values. Raises ClosureError if the new code wants a
        default that there is no way to tell.
        """
        before, after = self._written(pair)
        if before is None or after is None or not self.differ(pair):
            return Renewal((), ())
        return _Closure(self, before, after, pair.new, function, made).renewal()

    def _written(self, pair: CodePair) -> tuple[Definition | None, Definition | None]:
        if not self.may_differ(pair):
            return None, None
        if not self._known:
            try:
                self._known.extend(definitions(source) for source in self.sources)
            except SyntaxError:  # it runs, but is not what this interpreter parses
                self._known.extend(({}, {}))
        return definition_of(pair.old, self._known[0]), definition_of(pair.new, self._known[1])


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a living function becomes: the steps with their inverses, and what cannot be told, in words."""

    pairs: tuple[tuple[Step, Step], ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Closure:
    births: Births
    before: Definition
    after: Definition
    code: CodeType
    function: FunctionType
    made: FunctionType | None

    def renewal(self) -> Renewal:
        unknown: list[str] = []
        function, made, code = self.function, self.made, self.code
        values = self.parts(
            "default", _defaults(function), {} if made is None else _defaults(made),
            self.before.defaults(), self.after.defaults(), unknown,
        )  # fmt: skip
        annotations = function.__annotations__
        if not is_copied(function, "__annotations__"):
            annotations = self.parts(
                "annotation", annotations, {} if made is None else made.__annotations__,
                self.before.annotations(), self.after.annotations(), unknown,
            )  # fmt: skip
        positional = tuple(values[n] for n in code.co_varnames[: code.co_argcount] if n in values)
        names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
        by_name = {n: values[n] for n in names if n in values}
        pairs: list[tuple[Step, Step]] = []
        for name, value in (
            ("__defaults__", positional or None), ("__kwdefaults__", by_name or None), ("__annotations__", annotations),
        ):  # fmt: skip
            old = getattr(function, name)
            if not _same_parts(old, value):
                pairs.append(((setattr, function, name, value), (setattr, function, name, old)))
        return Renewal(tuple(pairs), tuple(unknown))

    def parts(
        self,
        what: str,
        held: Mapping[str, Any],
        made: Mapping[str, Any],
        was: Mapping[str, ast.expr],
        now: Mapping[str, ast.expr],
        unknown: list[str],
    ) -> dict[str, Any]:
        """The values for what is written now, by parameter; what cannot be told is noted in ``unknown``."""
        texts = what == "annotation"
        found: dict[str, Any] = {}
        for name, written in now.items():
            value = made.get(name, UNKNOWN)
            if name in held and name in was and self.alike(was[name], written, texts=texts):
                value = held[name]
            elif value is UNKNOWN:
                value = self.value(self.after, written, texts=texts)
            if name in held and name in was:
                old = self.value(self.before, was[name], texts=texts)
                if value is UNKNOWN or (old is UNKNOWN and name not in made):
                    if value is not held[name]:
                        unknown.append(f"the {what} of {name} is computed where it is made")
                    value = held[name]
                elif old is not UNKNOWN and not _same(held[name], old):
                    value = held[name]
            elif name in held:
                value = held[name]
            elif value is UNKNOWN and not texts:
                raise ClosureError(f"its new code wants a default for {name}, which is computed where it is made")
            elif value is UNKNOWN:
                unknown.append(f"the {what} of {name} is computed where it is made")
                continue
            found[name] = value
        return found

    def alike(self, one: ast.expr, other: ast.expr, *, texts: bool) -> bool:
        if not texts and not self.births.moving.isdisjoint(names_in(other)):
            return False
        return ast.dump(one) == ast.dump(other) and not (texts and self.before.as_text != self.after.as_text)

    def value(self, of: Definition, written: ast.expr, *, texts: bool) -> Any:
        if texts and of.as_text:
            return as_text(written)
        if of is self.before:
            return of.value(written, self.births.scope, {})
        if not self.births.late().isdisjoint(names_in(written)):
            return UNKNOWN
        return of.value(written, self.births.scope, self.births.early)


def _defaults(function: FunctionType) -> dict[str, Any]:
    """The defaults of a living function, by parameter."""
    code, defaults = function.__code__, function.__defaults__ or ()
    names = code.co_varnames[: code.co_argcount]
    by_place = dict(zip(names[len(names) - len(defaults) :], defaults, strict=False))
    return {**by_place, **(function.__kwdefaults__ or {})}


def _same(one: Any, other: Any) -> bool:
    if one is other:
        return True
    comparable = is_plain(one) or type(one).__module__ in ("types", "typing")
    return comparable and type(one) is type(other) and bool(one == other)


def _same_parts(one: Any, other: Any) -> bool:
    """Whether two tuples or mappings hold the very same values."""
    if is_a(one, dict) and is_a(other, dict):
        return list(one) == list(other) and all(one[name] is other[name] for name in one)
    if is_a(one, tuple) and is_a(other, tuple):
        return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
    return one is other
