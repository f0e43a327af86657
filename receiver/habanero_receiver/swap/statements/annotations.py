"""The ``__annotations__`` of living modules and classes: what their statements record there, and what goes again.

It does nothing about the annotations of functions, which are born with them. The rule that it upholds: an annotation
changes without its variable's value, which is state; and the mapping stays the object that it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.undo import UndoLog, reorder

from .scope import Scope

if TYPE_CHECKING:
    from habanero_receiver.swap.diff import Match
    from habanero_receiver.swap.transaction import Transaction

    from .body import Body

_NAME = "__annotations__"


def annotate(log: UndoLog, scope: Scope, found: Mapping[str, Any]) -> None:
    """Records what a statement of the scope said of its variables."""
    if not found:
        return
    held = scope.get(_NAME)
    if held is None:
        scope.bind(log, _NAME, dict(found))
        return
    for name, annotation in found.items():
        log.set_item(held, name, annotation)


@dataclass(frozen=True, slots=True)
class Annotate:
    """Brings the annotations of a body in line with its new version, when its statements have run."""

    body: Body
    renewed: tuple[Unit, ...]
    """Statements that do not run, whose annotation is another object now."""
    gone: frozenset[str]
    """Variables that statements which go or run again had annotated, and no other does for sure."""
    order: tuple[str, ...]
    """The variables of the new version, as they stand."""

    def __call__(self, work: Transaction) -> None:
        """Carries the step out."""
        scope = self.body.scope
        for unit in self.renewed:
            if unit.annotate is not None:
                names = self.body.names(self.body.hidden_from(unit))
                scope.run(unit.annotate, names)
                annotate(work.log, scope, names[_NAME])
        held = scope.get(_NAME)
        if held is None:
            return
        work.log.note((reorder, held, list(held)))
        for name in self.gone - self.body.annotated:
            work.log.delete_item(held, name)
        reorder(held, list(self.order))
        if not held and not self.order:
            scope.unbind(work.log, _NAME)


def annotations_of(body: Body) -> Annotate | None:
    """What is to be done about the annotations of a body; None if nothing is."""
    old = [unit for unit in body.old if unit.annotated]
    new = [match.new for match in body.matches if match.new is not None and match.new.annotated]
    renewed = tuple(
        match.new for match in body.matches
        if match.same and match.new is not None and match.old is not None and match.reannotated
    )  # fmt: skip
    left = (match.old for match in body.matches if match.old is not None and not _stays(match))
    gone = {name for unit in left for name in unit.annotated}
    sure = {name for unit in new if unit.annotate is not None for name in unit.annotated}
    sure |= {name for match in body.matches if match.same and match.new is not None for name in match.new.annotated}
    order = tuple(dict.fromkeys(name for unit in new for name in unit.annotated))
    if not renewed and not gone and order == tuple(dict.fromkeys(name for unit in old for name in unit.annotated)):
        return None
    return Annotate(body, renewed, frozenset(gone - sure), order)


def _stays(match: Match) -> bool:
    """Whether a statement neither goes nor runs again, nor loses its annotation."""
    return match.same and match.new is not None and match.old is not None and match.new.annotated == match.old.annotated
