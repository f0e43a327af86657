"""Puts the functions of a whole module's code into the code of its units.

Compiled alone, a statement lacks what the compiler knows of the rest (which names are imported), and its functions get
other, if equivalent, bytecode. The rule it upholds: a function is the same whether its module was imported or swapped
in; where the two codes do not match one to one, the unit keeps what it was compiled to.
"""

from __future__ import annotations

from types import CodeType

from .units import Unit


def graft(whole: CodeType, units: list[Unit]) -> tuple[Unit, ...]:
    """The units of a module's or class's body, their functions replaced by those in the body's own code, ``whole``.

    Both list functions in the order of the source.
    """
    waiting = [c for c in whole.co_consts if isinstance(c, CodeType)]
    if len(waiting) != sum(len(children(unit.code)) for unit in units):
        return tuple(units)
    grafted = []
    for unit in units:
        count = len(children(unit.code))
        mine, waiting = waiting[:count], waiting[count:]
        bare, decorate = unit.bare, unit.decorate
        if bare is not None:  # decorators are evaluated first
            bare = _with_children(bare, mine[count - len(children(bare)) :])
        if decorate is not None:
            decorate = _with_children(decorate, mine[: len(children(decorate))])
        members = unit.members
        if unit.kind == "class":
            body = class_body(mine, unit.spelled)
            members = members if body is None else graft(body, list(members))
        code = _with_children(unit.code, mine)
        grafted.append(unit._replace(code=code, bare=bare, decorate=decorate, members=members))
    return tuple(grafted)


def class_body(codes: list[CodeType], name: str) -> CodeType | None:
    """The body of a class among the code of its statement; with type parameters it is inside of what binds these."""
    for code in codes:
        if code.co_name == name:
            return code
        if code.co_name == f"<generic parameters of {name}>":
            return class_body(children(code), name)
    return None


def children(code: CodeType) -> list[CodeType]:
    """The code objects directly in ``code``: of functions, lambdas, comprehensions and class bodies, in order."""
    return [c for c in code.co_consts if isinstance(c, CodeType)]


def _with_children(code: CodeType, others: list[CodeType]) -> CodeType:
    following = iter(others)
    return code.replace(co_consts=tuple(next(following) if isinstance(c, CodeType) else c for c in code.co_consts))
