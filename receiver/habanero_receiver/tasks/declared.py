"""What an app asked for: its supervised loops by name, and the handle that it holds of each.

What it does: names loops, replaces the one of a name when its statement runs again, keeps the state across that. What
it does not: it runs nothing; `supervisor` compares what is declared with what runs.

The rule it upholds: what is declared lies in one plain dict, which a swap that is taken back puts back as it was. State
and runs lie where no such copy reaches: they belong to the app's life, not to a release.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from types import MethodType
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, TypeVar

if TYPE_CHECKING:
    from habanero_receiver.tasks.supervisor import Supervisor

P = ParamSpec("P")
R = TypeVar("R")


class Sealed:
    """Holds a loop's state out of sight of whoever copies what a declaration holds."""

    __slots__ = ("state",)

    def __init__(self, state: object) -> None:
        self.state = state


class Declaration(NamedTuple):
    """One loop as its app wants it. Plain to look into, so that a decorator that goes away takes it along."""

    name: str
    function: Callable[..., Any]
    sealed: Sealed
    handle: Task[..., Any]

    def arguments(self) -> tuple[object, ...]:
        """What the function is called with, before a thread's event: its state, if it has one."""
        return () if self.sealed.state is None else (self.sealed.state,)

    def is_bound(self) -> bool | None:
        """Whether the module still has the function's name; None where a name says nothing (nested functions)."""
        module, path = _home(self.function)
        if "<locals>" in path or not module:
            return None
        found: Any = sys.modules.get(module)
        for part in path.split("."):
            found = getattr(found, part, None)
        return found is not None


class Task(Generic[P, R]):
    """A supervised loop, in the place of its function. Calling it calls the function, outside of all supervision."""

    __slots__ = ("__dict__", "__weakref__", "_supervisor")

    __wrapped__: Callable[P, R]

    def __init__(self, name: str, function: Callable[P, R], supervisor: Supervisor) -> None:
        self.name = name
        self._supervisor = supervisor
        self._wrap(function)

    def _wrap(self, function: Callable[P, R]) -> None:
        functools.update_wrapper(self, function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the loop's function directly, as tests do."""
        return self.__wrapped__(*args, **kwargs)

    @property
    def state(self) -> Any:  # noqa: ANN401  # an object of the app's own
        """The object that each run is called with; None if there is none, or the loop is declared no more."""
        return self._supervisor.state_of(self.name)

    @property
    def phase(self) -> str:
        """Where it is in its life: idle, running, ending, stuck, pausing, over or leaving."""
        return self._supervisor.phase_of(self.name)

    def end(self) -> None:
        """Ask it to end, for good. Returns at once."""
        self._supervisor.forget(self.name)

    def __repr__(self) -> str:
        return f"<Task {self.name} {self.phase}>"


def declare(
    declared: dict[str, Declaration],
    supervisor: Supervisor,
    function: Callable[P, R],
    state: object,
    name: str,
) -> Task[..., Any]:
    """Put a loop among those declared, in the place of one of that name, and give its handle: the same for one name.

    Inside a swap the state stays the one that the loop has: its statement ran again, its life goes on. TypeError for
    what is no loop; ValueError for a name that another loop has.
    """
    if isinstance(function, Task):
        function = function.__wrapped__
    if not callable(function):
        raise TypeError(f"{function!r} is no function; help: receiver.task(function, state=...)")
    if inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(f"{name_of(function)} yields, so nothing would run it; help: a loop is a def or async def")
    name = name or name_of(function)
    known = declared.get(name)
    if known is None:
        known = Declaration(name, function, Sealed(state), Task(name, function, supervisor))
        declared[name] = known
        return known.handle
    sealed = known.sealed
    if not supervisor.in_swap():
        if not _may_replace(known, function) and supervisor.is_live(name):
            raise ValueError(f"there is a task named {name} already; help: give each its own, receiver.task(f, name=)")
        sealed = Sealed(state)
    elif sealed.state is None:
        sealed = Sealed(state)
    known.handle._wrap(function)
    declared[name] = Declaration(name, function, sealed, known.handle)
    return known.handle


def name_of(function: Callable[..., object]) -> str:
    """The name of a loop that was given none: where its function lives."""
    return ".".join(part for part in _home(function) if part)


def _may_replace(known: Declaration, function: Callable[..., Any]) -> bool:
    """Whether it is the same loop declared again: the same function, or the new one of a module that was reloaded."""
    if known.function is function or known.function == function:
        return True
    plain = not isinstance(function, (MethodType, functools.partial)) and "<locals>" not in _home(function)[1]
    return plain and _home(known.function) == _home(function)


def _home(function: Callable[..., object]) -> tuple[str, str]:
    while isinstance(function, functools.partial):
        function = function.func
    named = function if hasattr(function, "__qualname__") else type(function)
    return getattr(named, "__module__", "") or "", named.__qualname__
