"""Moves what a twin derived from a new body into the living class, so that the twin can be dropped."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from types import FunctionType, MemberDescriptorType, ModuleType
from typing import Any

from habanero_receiver.swap.finding.live import cell_content, orphan, subclasses
from habanero_receiver.swap.functions.moves import ClosureError, apply, transplant
from habanero_receiver.swap.kinds import function_of, is_a
from habanero_receiver.swap.transaction import Transaction
from habanero_receiver.swap.undo import UndoLog

from .abstracts import refresh_abstract
from .enums import adopt_members
from .layouts import LayoutError, layout
from .shapes import DERIVED, is_named_tuple, makes_classes_only
from .tuples import adopt_fields

_FIXED = ("__dict__", "__weakref__", "__module__", "__qualname__", "_abc_impl")
"""What is a class's own: of an abstract one, which classes registered with it."""
_OF_THE_STATEMENT = ("__firstlineno__", "__static_attributes__", "__pydantic_parent_namespace__")
"""What only a class statement gives, where it stands: a twin has not got it, or not the right one."""
_ABSENT: Any = object()


def adopt(
    work: Transaction,
    cls: type,
    twin: type,
    body: Mapping[str, str],
    changed: set[str],
    instances: Callable[[], Iterable[Any]],
    fixed: tuple[str, ...] = (*_FIXED, *_OF_THE_STATEMENT),
) -> None:
    """Moves what the twin derived into the living class; its functions, what did not change and what is ``fixed`` stay.

    ``body`` gives the kind of each name that the new body binds; ``changed`` are those that it binds otherwise.
    """
    log = work.log
    derived = [value for name, value in vars(twin).items() if name not in body and is_a(value, FunctionType)]
    makers = {function.__code__.co_filename for function in derived}
    if is_a(cls, enum.EnumType):
        adopt_members(log, cls, twin)
    elif is_named_tuple(cls):
        adopt_fields(log, cls, twin, instances)
    made, had = vars(twin), vars(cls)
    skip = {*fixed, *(name for name, kind in body.items() if kind in ("function", "class"))}
    skip |= {name for name, value in had.items() if is_a(value, MemberDescriptorType)}
    if is_a(cls, enum.EnumType):
        skip |= {name for name in (*made, *had) if name.startswith("_") or name in _members(cls, twin)}
    elif is_named_tuple(cls):
        skip.update(twin._fields)  # type: ignore[attr-defined]  # a named tuple
    for name, value in list(made.items()):
        if name in skip or (name in body and name not in changed) or is_a(value, MemberDescriptorType):
            continue
        if had.get(name, _ABSENT) is not value and (name in body or not _of_a_decorator(had.get(name), makers)):
            relink(value, twin, cls)
            log.set_class_attribute(cls, name, cls if value is twin else value)
    for name, value in list(had.items()):
        derived_no_more = name in DERIVED and name not in body and not _is_written(value, work.modules)
        if name not in made and name not in skip and (name in changed or derived_no_more):
            log.delete_class_attribute(cls, name)


def _of_a_decorator(living: object, makers: set[str]) -> bool:
    """Whether a method is not of those who derive the class's methods: a decorator put it there, and runs no more.

    ``makers`` are the files of those who do; what libraries make up has no file.
    """
    file = living.__code__.co_filename if is_a(living, FunctionType) else "<"
    return not file.startswith("<") and file not in makers


def _is_written(living: object, modules: Mapping[str, ModuleType]) -> bool:
    """Whether a method stands in the app's own sources: none of those who derive a class's methods made it up."""
    if not is_a(living, FunctionType) or living.__code__.co_filename.startswith("<"):
        return False
    return living.__globals__.get("__name__") in modules


def remake(
    work: Transaction, living: Any, made: Any, met: frozenset[int] = frozenset(), *, renamed: bool = False
) -> bool:
    """Has a living function or class that a statement made again become what was made, and keep its identity.

    That is ``Point = namedtuple(...)``, or a definition inside an ``if``. Returns whether it could; if not, the name is
    to be bound to the new one. ``met`` are what was made around it, by identity. ``renamed`` lets a function become one
    of another name.
    """
    if made is living or type(made) is not type(living) or not (renamed or made.__qualname__ == living.__qualname__):
        return False
    if made.__module__ != living.__module__:
        return False
    if is_a(living, FunctionType):
        return _remake_function(work, living, made, met)
    if makes_classes_only(type(living)) and not is_named_tuple(living):
        if not _rebased(work.log, living, made):
            return False
        for name, value in list(vars(made).items()):
            had = vars(living).get(name)
            if not (is_a(value, FunctionType) and is_a(had, FunctionType)):
                continue
            if _remake_function(work, had, value, met):
                relink(had, made, living)
                type.__setattr__(made, name, had)
        for name in [name for name in vars(living) if name not in vars(made)]:
            work.log.delete_class_attribute(living, name)
    elif not is_a(living, enum.EnumType) and not is_named_tuple(living):
        return False
    adopt(work, living, made, {}, set(), partial(work.instances_of, living), _FIXED)
    orphan(made)
    refresh_abstract(work.log, living)
    work.reshaped.append(living)
    return True


def gives_way(living: Any, made: Any, former: Sequence[Any]) -> bool:
    """Whether a class was made again that could not be taken over, so that another has its name from now on.

    Raises LayoutError if others inherit from the old one. ``former`` is what the statement bound before: what of that
    inherits from it was made again as well.
    """
    if made is living or not (is_a(living, type) and is_a(made, type)):
        return False
    if (living.__module__, living.__qualname__) != (made.__module__, made.__qualname__):
        return False
    heirs = [cls for cls in subclasses(living) if not any(cls is item for item in former)]
    if heirs:
        raise LayoutError(
            f"{living.__qualname__}, from which {heirs[0].__qualname__} inherits: the block that makes it made another "
            "class, which the living one cannot become"
        )
    return True


def _rebased(log: UndoLog, living: type, made: type) -> bool:
    """Gives a living class the bases of the one made now; whether it can be what that is.

    Raises LayoutError if it cannot and classes inherit from it: they would go on with the old one.
    """
    try:
        if layout(living) != layout(made):
            raise LayoutError(f"{living.__qualname__}: a living class cannot change its slots or layout")
        if living.__bases__ != made.__bases__:
            log.set_attribute(living, "__bases__", made.__bases__)
    except TypeError as error:
        if subclasses(living):
            raise LayoutError(f"{living.__qualname__}, which others inherit from: {error}") from error
        return False
    return True


def _remake_function(work: Transaction, living: FunctionType, made: FunctionType, met: frozenset[int]) -> bool:
    if living.__globals__ is not made.__globals__:
        return False
    try:
        pairs = transplant(made, living, {})
    except ClosureError:
        return False
    apply(pairs + work.copies.following(pairs), work.log)
    work.redefined.append(living)
    _refill(work, living, made, met | {id(made)})
    for name, value in vars(made).items():
        had = vars(living).get(name, _ABSENT)
        follows = isinstance(value, (FunctionType, type)) and remake(work, had, value, met | {id(made)})
        if had is not value and not follows:
            work.log.set_item(vars(living), name, value)
    return True


def _refill(work: Transaction, living: FunctionType, made: FunctionType, met: frozenset[int]) -> None:
    """Puts what was made into the cells of a living closure, so that a wrapper calls what is inside it now."""
    cells = zip(made.__code__.co_freevars, living.__closure__ or (), made.__closure__ or (), strict=True)
    for name, mine, new in cells:
        had, content = cell_content(mine), cell_content(new)
        if mine is new or name == "__class__" or not content or id(content[0]) in met:
            continue
        value: Any = content[0]
        if had and (had[0] is value or (is_a(value, (FunctionType, type)) and remake(work, had[0], value, met))):
            continue
        inverse = (setattr, mine, "cell_contents", had[0]) if had else (delattr, mine, "cell_contents")
        work.log.do((setattr, mine, "cell_contents", value), inverse)


def _members(cls: Any, twin: Any) -> set[str]:
    return {*cls._member_map_, *twin._member_map_}


def relink(value: Any, twin: type, cls: type) -> None:
    """Has functions that were made for the twin speak of the living class. They are in nobody else's hands yet."""
    function = function_of(value)
    for cell in function.__closure__ or () if is_a(function, FunctionType) else ():
        if twin in cell_content(cell):
            cell.cell_contents = cls
