"""Goes through the instructions of code as the interpreter would, with `values` instead of objects.

It follows each way that the code can take, and one way where the condition is a constant that is known. What the
instructions mean for the app (what an attribute is, what a call runs) the `World` tells; here is only what they do to
the stack and the local names, with `instructions` for each. What is not known there leaves something unknown. It runs
nothing.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, Mapping
from functools import partial
from types import CodeType
from typing import Any, NamedTuple, Protocol

from .values import UNKNOWN, Born, Made, Value, join

_JUMPS = frozenset((*dis.hasjrel, *dis.hasjabs))
_ENDS = frozenset(("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "INTERPRETER_EXIT"))
_NOTHING = frozenset(("NOP", "RESUME", "CACHE", "EXTENDED_ARG", "PRECALL", "MAKE_CELL", "COPY_FREE_VARS"))
_ROUNDS = 12
"""How often code is gone through, at most, before its loops are left as they are."""


class World(Protocol):
    """What the values of code mean, and who hears what it does."""

    def read(self, name: str, *, local: bool) -> Value:
        """A global name, or one that plain lookup finds."""

    def write(self, name: str) -> None:
        """Binds a global name."""

    def attribute(self, value: Value, name: str) -> Value:
        """Reads an attribute."""

    def touch(self, value: Value) -> None:
        """Changes an object."""

    def store(self, value: Value, name: str, stored: Value) -> None:
        """Sets an attribute."""

    def special(self, value: Value, name: str, *args: Value) -> Value:
        """Has Python call a method of the value's class, if the app wrote it."""

    def call(self, called: Value, args: list[Value], named: Mapping[str, Value], *, exact: bool) -> Value:
        """Calls; ``exact``: with these arguments and no others."""

    def module(self, name: str, level: int, *, top: bool) -> Value:
        """Imports a module."""

    def born(self, value: Born) -> None:
        """Makes a function."""


Handler = Callable[["Machine", "Step"], None]


class Step(NamedTuple):
    """One instruction."""

    name: str
    arg: int
    value: Any
    text: str
    target: int
    """Where it jumps to, as an index; -1 if nowhere."""
    handler: Handler | None
    """What it does to a machine; None if that is nothing, or a choice of ways."""
    chooses: bool
    """Whether it jumps or goes on, as a value decides."""
    ends: bool
    """Whether the code never goes on to the next one."""
    changes: int
    """By how much the stack is higher where it jumps to, if it is no plain jump."""


class Decoded(NamedTuple):
    """The instructions of code, and where handlers of exceptions begin, with how much is on the stack there."""

    steps: tuple[Step, ...]
    targets: frozenset[int]
    handlers: Mapping[int, int]
    stored: frozenset[str]
    """The local names that it binds."""


def decoded(code: CodeType, instructions: Mapping[str, Handler]) -> Decoded:
    """The instructions of code. ``instructions`` says what each does, by name; those that jump a `Machine` follows."""
    listed = dis.Bytecode(code)
    raw = [i for i in listed if i.opname not in _NOTHING or i.is_jump_target]
    places = {i.offset: index for index, i in enumerate(raw)}
    steps = [_step(i, places.get(i.argval, -1) if i.opcode in _JUMPS else -1, instructions) for i in raw]
    handlers = {}
    for entry in getattr(listed, "exception_entries", ()):
        if entry.target in places:
            handlers[places[entry.target]] = entry.depth + bool(entry.lasti) + 1
    stored: set[str] = set()
    for step in steps:
        if step.name.startswith(("STORE_", "DELETE_")):
            stored.update(step.value if isinstance(step.value, tuple) else (step.value,))
    targets = {step.target for step in steps} | handlers.keys()
    return Decoded(tuple(steps), frozenset(targets), handlers, frozenset(map(str, stored)))


def _step(item: dis.Instruction, target: int, instructions: Mapping[str, Handler]) -> Step:
    name, arg = item.opname, item.arg or 0
    chooses, plain_jump = "_IF_" in name, name.startswith("JUMP_")
    handler = instructions.get(name)
    if chooses:
        handler = None
    elif handler is None and name not in _NOTHING and not plain_jump:
        given = arg if item.opcode >= dis.HAVE_ARGUMENT else None
        handler = partial(_other, dis.stack_effect(item.opcode, given, jump=False))
    changes = dis.stack_effect(item.opcode, arg, jump=True) if target >= 0 and not (chooses or plain_jump) else 0
    ends = name in _ENDS or (plain_jump and not chooses)
    return Step(name, arg, item.argval, item.argrepr, target, handler, chooses, ends, changes)


def _other(effect: int, machine: Machine, _: Step) -> None:
    """What an instruction that nothing is known of does to the stack."""
    size = len(machine.stack) + effect
    del machine.stack[max(size, 0) :]
    machine.push(*[UNKNOWN] * (size - len(machine.stack)))
    if machine.stack:
        machine.stack[-1] = UNKNOWN


State = tuple[tuple[Value, ...], dict[str, Value]]


class Machine:
    """One pass over code: what is on the stack, and what the local names are bound to."""

    def __init__(
        self,
        code: CodeType,
        program: Decoded,
        world: World,
        local: Mapping[str, Value],
        names: Mapping[str, Any],
    ) -> None:
        self.code, self.program, self.world, self.names = code, program, world, names
        self.stack: list[Value] = []
        self.local = dict(local)
        self.named: tuple[str, ...] = ()
        """The names of the arguments that come last in the next call, on Pythons that say so beforehand."""
        self.result: Value | None = None

    def run(self) -> Value:
        """What the code returns."""
        steps, targets = self.program.steps, self.program.targets
        kept = {name: value for name, value in self.local.items() if name not in self.program.stored}
        waiting: dict[int, State] = {0: ((), self.local)}
        waiting.update({at: ((UNKNOWN,) * depth, kept) for at, depth in self.program.handlers.items()})
        seen: dict[int, State] = {}
        left = _ROUNDS * len(steps)
        while waiting and left > 0:
            index = min(waiting)
            state = waiting.pop(index)
            if index in seen:
                merged = _joined(seen[index], state)
                if _keys(merged) == _keys(seen[index]):
                    continue
                state = merged
            if index in targets:
                seen[index] = state
            self.stack, self.local = list(state[0]), dict(state[1])
            while index < len(steps):
                left -= 1
                step = steps[index]
                before = len(self.stack)
                goes = self._choice(step) if step.chooses else None
                if step.handler is not None:
                    step.handler(self, step)
                if step.target >= 0 and goes is not False:
                    _wait(waiting, step.target, self._jumped(step, before))
                if goes is True or step.ends:
                    break
                if step.name.endswith("_OR_POP"):
                    self.pop()
                index += 1
                if index in targets:
                    _wait(waiting, index, (tuple(self.stack), dict(self.local)))
                    break
        return self.result if self.result is not None else Made(type(None))

    def _jumped(self, step: Step, before: int) -> State:
        if step.chooses or step.ends:
            return tuple(self.stack), dict(self.local)
        size = before + step.changes
        stack = [*self.stack[:size], *[UNKNOWN] * (size - len(self.stack))]
        return tuple(stack), dict(self.local)

    def pop(self) -> Value:
        """The last value, taken off the stack."""
        return self.stack.pop() if self.stack else UNKNOWN

    def take(self, count: int) -> list[Value]:
        """The last so many, in their order."""
        start = len(self.stack) - count
        if start < 0:
            return [self.pop() for _ in range(count)][::-1]
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def push(self, *values: Value) -> None:
        """Puts values on the stack."""
        self.stack.extend(values)

    def _choice(self, step: Step) -> bool | None:
        """Whether a jump is taken, if that is known."""
        kept = step.name.endswith("_OR_POP")
        value = self.stack[-1] if kept and self.stack else self.pop()
        if step.name.endswith("NONE"):
            known = None if value.cls is None else value.cls is type(None)
            return known if known is None else known is not step.name.endswith("NOT_NONE")
        truth = self.truth(value)
        return None if truth is None else truth is ("_IF_TRUE" in step.name)

    def truth(self, value: Value) -> bool | None:
        """Whether a value counts as true, if that is known."""
        if value.truth is None:
            self.world.special(value, "__bool__")
            self.world.special(value, "__len__")
        return value.truth


def _wait(waiting: dict[int, State], index: int, state: State) -> None:
    waiting[index] = _joined(waiting[index], state) if index in waiting else state


def _joined(one: State, other: State) -> State:
    size = min(len(one[0]), len(other[0]))
    stack = map(join, one[0][len(one[0]) - size :], other[0][len(other[0]) - size :])
    local = {name: join(value, other[1][name]) for name, value in one[1].items() if name in other[1]}
    return tuple(stack), local


def _keys(state: State) -> tuple[Any, ...]:
    return tuple(v.key() for v in state[0]), {name: v.key() for name, v in state[1].items()}


def handles(table: dict[str, Handler], *names: str) -> Callable[[Handler], Handler]:
    """Notes a function in a table, for instructions of these names."""

    def note(handler: Handler) -> Handler:
        table.update(dict.fromkeys(names, handler))
        return handler

    return note
