"""Compares two builds of a module. Pure: it looks at units and code objects, never at the live process.

The rule that it upholds: units are matched by what they are, not by where they stand, and two units with the same
outline differ in nothing but the bodies of their functions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import CellType, CodeType, FunctionType

from .building.units import Unit

_CO_OPTIMIZED = 1  # inspect.CO_OPTIMIZED: set on functions, not on modules and class bodies


@dataclass(frozen=True, slots=True)
class Match:
    """An old unit and the new one that takes its place; one of them is None where there is no such unit."""

    old: Unit | None
    new: Unit | None

    @property
    def same(self) -> bool:
        """Whether going from old to new runs nothing."""
        return self.old is not None and self.new is not None and self.old.outline == self.new.outline

    @property
    def reannotated(self) -> bool:
        """Whether the annotation of a variable is text now and was an object, or the other way round.

        Of a module's variable: or is another. In a class, that is a change of the statement.
        """
        if self.old is None or self.new is None or self.new.annotate is None or self.new.kind == "function":
            return False
        if self.old.annotate is None or self.old.textual != self.new.textual:
            return True
        return self.new.annotate.co_name == "<module>" and not same_behaviour(self.old.annotate, self.new.annotate)


def match_units(old: Sequence[Unit], new: Sequence[Unit]) -> list[Match]:
    """Every unit of both bodies in one match: in the order of the new body, then those that are gone, last first.

    Of several that bind one name the last ones are matched first, since the last has the name in the end. What is gone
    is taken back in the opposite order, so that a ``def`` goes while what its decorators speak of is still there.
    """
    waiting: dict[str, list[Unit]] = defaultdict(list)
    for unit in old:
        waiting[_name(unit)].insert(0, unit)
    found: dict[int, Unit] = {}
    for equal_outline in (True, False):  # an equal unit first, wherever it moved; then the one it replaces
        for index, unit in reversed([*enumerate(new)]):
            if index in found:
                continue
            for candidate in waiting[_name(unit)]:
                if (candidate.outline == unit.outline) is equal_outline:
                    found[index] = candidate
                    waiting[_name(unit)].remove(candidate)
                    break
    _match_calls([u for units in waiting.values() for u in units], new, found)
    matches = [Match(found.get(index), unit) for index, unit in enumerate(new)]
    matched = {id(unit) for unit in found.values()}
    return matches + [Match(unit, None) for unit in reversed(old) if id(unit) not in matched]


def _match_calls(gone: list[Unit], new: Sequence[Unit], found: dict[int, Unit]) -> None:
    """Matches calls that bind nothing (``app.include_router(...)``) with those of the same in their place."""
    left = sorted((unit for unit in gone if unit.kind == "other" and not unit.names), key=lambda unit: unit.line)
    for alike in (_same_reads, _same_calls, _same_call_more_given):
        for index, unit in enumerate(new):
            if index in found or unit.kind != "other" or unit.names or not unit.calls:
                continue
            for candidate in left:
                if alike(candidate, unit):
                    found[index] = candidate
                    left.remove(candidate)
                    break


def _same_reads(old: Unit, new: Unit) -> bool:
    return old.calls == new.calls and old.reads == new.reads


def _same_calls(old: Unit, new: Unit) -> bool:
    return old.calls == new.calls


def _same_call_more_given(old: Unit, new: Unit) -> bool:
    """Whether one calls what the other calls and more, and both are given the same (``dependencies=[Depends(f)]``)."""
    calls = {*old.calls}, {*new.calls}
    given = ({*old.reads} - {*old.call_roots}) & ({*new.reads} - {*new.call_roots})
    return (calls[0] <= calls[1] or calls[1] <= calls[0]) and bool(calls[0] & calls[1]) and bool(given)


def _name(unit: Unit) -> str:
    """The unit's key without the number that tells repetitions apart."""
    return unit.key.partition("#")[0]


@dataclass(frozen=True, slots=True)
class CodePair:
    """An old code object of a function and the new one that takes its place."""

    old: CodeType
    new: CodeType
    outer: CodeType | None
    """The new code of the function that makes it, if it is made inside one: its owners can be anywhere then."""
    former: CodeType | None = None
    """The old code of that function."""

    @property
    def nested(self) -> bool:
        """Whether it is made inside another function."""
        return self.outer is not None

    @property
    def remade(self) -> bool:
        """Whether the function that makes it changed: it can be made with other defaults then."""
        return self.outer is not None and self.former is not None and not same_behaviour(self.former, self.outer)

    @property
    def changed(self) -> bool:
        """Whether the two differ in anything, places in the source included."""
        return not same_code(self.old, self.new)


def pair_code(old: CodeType, new: CodeType) -> Iterator[CodePair]:
    """Pairs the functions inside two runnable code objects of the same outline, the functions themselves included."""
    yield from _pair_children(old, new, None)


def _pair_children(old: CodeType, new: CodeType, makers: tuple[CodeType, CodeType] | None) -> Iterator[CodePair]:
    for before, after in _align(functions_in(old), functions_in(new)):
        if is_function(before):
            former, outer = makers or (None, None)
            yield CodePair(before, after, outer, former)
            yield from _pair_children(before, after, (before, after))
        else:  # it runs once and has no owner
            yield from _pair_children(before, after, makers)


def unpaired(old: CodeType, new: CodeType) -> Iterator[CodeType]:
    """The functions inside functions of the old one that the new one makes no more."""
    nested: list[CodeType] = []
    waiting = [(code, False) for code in functions_in(old)]
    while waiting:
        code, inside = waiting.pop()
        if inside and is_function(code):
            nested.append(code)
        waiting.extend((inner, inside or is_function(code)) for inner in functions_in(code))
    paired = {id(pair.old) for pair in pair_code(old, new)} if nested else set()
    yield from (code for code in nested if id(code) not in paired)


def pair_classes(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Pairs the bodies of classes inside two runnable code objects, at any depth."""
    for before, after in _align(functions_in(old), functions_in(new)):
        if not before.co_flags & _CO_OPTIMIZED:
            yield before, after
        yield from pair_classes(before, after)


def is_function(code: CodeType) -> bool:
    """Whether code is a function's: not the body of a class, nor what binds the type parameters of one of them."""
    return bool(code.co_flags & _CO_OPTIMIZED) and not code.co_name.startswith("<generic parameters of ")


def defined_in(code: CodeType, name: str) -> list[CodeType]:
    """The functions of a name that a unit's code defines, those with type parameters too."""
    found = []
    for inner in functions_in(code):
        if inner.co_name == name:
            found.append(inner)
        elif inner.co_name == f"<generic parameters of {name}>":
            found.extend(defined_in(inner, name))
    return found


def functions_in(code: CodeType) -> list[CodeType]:
    """The code objects directly inside ``code``, in the order of the source."""
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _align(old: list[CodeType], new: list[CodeType]) -> Iterator[tuple[CodeType, CodeType]]:
    """Pairs code objects of the same name: those that do the same first, the rest in order."""
    waiting: dict[str, list[CodeType]] = defaultdict(list)
    for code in old:
        waiting[code.co_name].append(code)
    pairs: dict[int, CodeType] = {}
    for equal_shape in (True, False):
        for index, code in enumerate(new):
            if index in pairs:
                continue
            for candidate in waiting[code.co_name]:
                if not equal_shape or same_behaviour(candidate, code):
                    pairs[index] = candidate
                    waiting[code.co_name].remove(candidate)
                    break
    for index, before in pairs.items():
        yield before, new[index]


def same_behaviour(old: CodeType, new: CodeType) -> bool:
    """Whether two code objects do the same, wherever they stand."""
    if old is new:
        return True
    alike = (
        old.co_flags == new.co_flags
        and len(old.co_consts) == len(new.co_consts)
        and old.co_names == new.co_names
        and old.co_varnames == new.co_varnames
        and old.co_freevars == new.co_freevars
        and old.co_cellvars == new.co_cellvars
        and old.co_code == new.co_code
    )
    return alike and all(map(_same_constant, old.co_consts, new.co_consts))


def _same_constant(old: object, new: object) -> bool:
    if isinstance(old, CodeType) and isinstance(new, CodeType):
        return same_behaviour(old, new)
    return type(old) is type(new) and repr(old) == repr(new)


def without_inner(code: CodeType) -> CodeType:
    """The code without the functions made in it; what runs with it is left in."""
    kept = tuple(
        None if isinstance(c, CodeType) and not c.co_name.endswith(("comp>", "genexpr>")) else c for c in code.co_consts
    )
    return code.replace(co_consts=kept)


def same_code(old: CodeType, new: CodeType) -> bool:
    """Whether two code objects are the same, places in the source included."""
    return old is new or (
        old == new
        and old.co_linetable == new.co_linetable
        and all(same_code(a, b) for a, b in zip(functions_in(old), functions_in(new), strict=True))
    )


def docstring(code: CodeType) -> str | None:
    """The docstring that a function made from ``code`` is born with."""
    return FunctionType(code, {}, closure=tuple(CellType() for _ in code.co_freevars)).__doc__
