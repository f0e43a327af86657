"""Says which statement of the new code raised, and shows the part of the traceback that is not the engine's.

It decides nothing: whoever ran the statement undoes and refuses. The rule it upholds: an author sees their own frames,
with the text that they pushed, under the names of their own files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from traceback import TracebackException, walk_tb

from habanero_receiver.swap.building.units import Unit
from habanero_receiver.swap.classes.layouts import LayoutError
from habanero_receiver.swap.following.constants import is_constant
from habanero_receiver.swap.following.follow import Kept
from habanero_receiver.swap.plan import COLD, ModulePlan
from habanero_receiver.swap.report import Refusal

MAX_CHARS = 8_000
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep  # noqa: PTH120  # compared with names of files as code objects have them


def note(
    plans: Iterable[ModulePlan],
    at: tuple[ModulePlan, Unit | None] | None,
    error: BaseException,
    kept: Mapping[str, Kept] | None = None,
) -> str:
    """Notes in the report of its module which statement raised; returns that in words.

    ``at`` is what was being run; where that is not known it is told from the traceback. ``kept`` are the units that are
    not run, by module: what they made can be what the statement did not expect.
    """
    plans = list(plans)
    plan, unit = at if at is not None else (None, None)
    if plan is None:
        plan = next((candidate for candidate in plans if _lines(error, candidate)), None)
    if plan is None:
        return _said(error)
    lines = _lines(error, plan)
    unit = unit or (_unit_at(plan, lines[0]) if lines else None)
    line = 1 if unit is None else _line_in(plan, unit, lines)
    if isinstance(error, LayoutError):
        reason, what, text = str(error), error.help or COLD, ""
    else:
        met = kept_on_the_way(error, plans, kept or {})
        reason, what = f"running it raised {_said(error)}", "mend the statement and push again"
        if met:
            reason = f"it ran on {', '.join(met)}, kept although made from what changed, and raised {_said(error)}"
            what = "change their statements too, so that they are run again, or " + COLD
        text = shown(error, plans)
    refusal = Refusal("module" if unit is None else unit.label, line, reason, what, text)
    plan.report.refused.append(refusal)
    return f"{plan.module.__name__}: {refusal}"


def kept_on_the_way(error: BaseException, plans: Iterable[ModulePlan], kept: Mapping[str, Kept]) -> list[str]:
    """The objects that code which the error came through reads, and that are kept although they were made from others.

    Each is ``module.name``. A fresh process would have had others.
    """
    changing = {plan.module.__name__: plan.changing for plan in plans}
    found: dict[str, None] = {}
    for frame, _ in walk_tb(error.__traceback__):
        item = kept.get(frame.f_globals.get("__name__", ""))
        if item is None or item.scope.globals is not frame.f_globals:
            continue
        moved = item.may_change(changing)
        for unit in item.units:
            if unit.kind == "assign" and not moved.isdisjoint(unit.reads):
                names = (name for name in unit.names if name in frame.f_code.co_names)
                found.update((f"{item.name}.{n}", None) for n in names if not is_constant(item.scope.get(n)))
    return list(found)


def shown(error: BaseException, plans: Iterable[ModulePlan] = ()) -> str:
    """The traceback without the engine's frames; its end, if it is endless."""
    names = {plan.edition.name: plan.index.filename for plan in plans}
    told = TracebackException.from_exception(error)
    for part in _parts(told):
        part.stack[:] = [frame for frame in part.stack if not frame.filename.startswith(_OURS)]
        for frame in part.stack:
            frame.filename = names.get(frame.filename, frame.filename)
    return "".join(told.format())[-MAX_CHARS:]


def _parts(told: TracebackException) -> Iterator[TracebackException]:
    """The exception, those that it came from, and those that it groups."""
    waiting: list[TracebackException | None] = [told]
    while waiting:
        part = waiting.pop()
        if part is not None:
            yield part
            waiting += [part.__cause__, part.__context__, *(part.exceptions or ())]


def _lines(error: BaseException, plan: ModulePlan) -> list[int]:
    """The lines of the module that the exception came through, outermost first."""
    names = (plan.edition.name, plan.index.filename)
    return [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename in names]


def _unit_at(plan: ModulePlan, line: int) -> Unit | None:
    """The statement of the new version that a line is in."""
    before = [unit for unit in plan.new.units if unit.line <= line]
    return max(before, key=lambda unit: unit.line, default=None)


def _line_in(plan: ModulePlan, unit: Unit, lines: list[int]) -> int:
    """The innermost of the lines that is inside the statement itself; its first if none is."""
    end = min((other.line for other in plan.new.units if other.line > unit.line), default=sys.maxsize)
    inside = [line for line in lines if unit.line <= line < end]
    return inside[-1] if inside else unit.line


def _said(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # the app's own exception, which cannot be shown
        return type(error).__name__
