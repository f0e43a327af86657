"""Binds what a class body gains in the same moment as its methods get new code, where that can be made beforehand.

Code of methods is exchanged before the statements of the new version run. A method that reads a new constant of its
class, or calls a new method, must find it from then on: threads that no one holds back may call it. What could be told
apart from a run in the commit is left to the commit: the statement runs there in any case.
"""

from __future__ import annotations

from types import FunctionType

from habanero_receiver.swap.building.units import PURE, Unit
from habanero_receiver.swap.following.constants import is_constant
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.plan import ModulePlan
from habanero_receiver.swap.statements.body import Body


def bind_ahead(plan: ModulePlan, body: Body, old: Unit | None, new: Unit) -> FunctionType | None:
    """Plans to bind a constant, or a method that is new. Returns that, to be kept when its ``def`` runs."""
    cls = body.scope.owner
    if cls is None or new.effect != PURE or new.decorate is not None or id(new) in body.binders.overruled:
        return None
    gains = old is None and new.names[0] not in cls.__dict__  # else who is there takes the new one over
    wanted = new.kind == "assign" or (new.kind == "function" and gains)
    own = any(name.startswith("__") and name.endswith("__") for name in new.names)
    moving = plan.late | plan.changing | {name for owner, name in plan.rebound if owner == id(cls)} - {*new.names}
    if not wanted or own or not moving.isdisjoint(new.reads) or not body.hidden_from(new).isdisjoint(new.reads):
        return None
    names = body.scope.namespace()
    names["__annotations__"] = {}
    try:
        body.scope.run(new.code, names)
    except Exception:  # the commit runs it, and tells
        return None
    made = [(name, names[name]) for name in new.names if name in names]
    if new.kind == "function" and len(made) == 1 and is_a(made[0][1], FunctionType):
        plan.assignments.append((cls, *made[0]))
        return made[0][1]
    if all(is_constant(value) for _, value in made):
        plan.assignments.extend((cls, name, value) for name, value in made)
    return None
