"""Answers that are more than a line: status, log, a dry run, the checks of doctor, what init prints.

Pure: events in, lines out.
"""

from __future__ import annotations

from collections.abc import Mapping

from habanero_py.events import (
    Check,
    Drift,
    DryRun,
    Event,
    Explained,
    Initialised,
    Keys,
    LogEntry,
    ModuleDiff,
    Pending,
    PendingShown,
    ProductionError,
    Pruned,
    Redeployed,
    RollbackPlan,
    Shown,
    ShownBase,
    Status,
    Verified,
)

from . import fleet, history
from . import keys as keyed
from .failure import refusals
from .text import MARGIN, Symbols, ago, clean_line, count, names, release

MAX_MODULES = 12
_OUTCOMES = ("patched", "run", "kept", "stale", "doubled", "removed", "migrated")


def table(event: Event, symbols: Symbols, now: str) -> list[str] | None:
    """The lines of an event that is an answer; None for one that is a step on the way of a change."""
    match event:
        case Status():
            return fleet.status(event, symbols)
        case ProductionError():
            return fleet.production_error(event, symbols)
        case LogEntry():
            return [history.log_entry(event)]
        case Shown():
            return history.shown(event)
        case ShownBase():
            return history.shown_base(event)
        case Drift():
            return history.drift(event, symbols)
        case Explained():
            return history.explained(event)
        case Pruned():
            return history.pruned(event, symbols)
        case Redeployed():
            return redeployed(event)
        case Verified():
            return history.verified(event, symbols)
        case Keys():
            return keyed.keys(event)
        case Pending():
            return keyed.pending(event, symbols)
        case PendingShown():
            return keyed.pending_shown(event)
        case ModuleDiff():
            return history.module_diff(event)
        case DryRun():
            return dry_run(event)
        case Check():
            return check(event, symbols)
        case Initialised():
            return initialised(event)
        case RollbackPlan():
            return [rollback_plan(event, symbols, now)]
        case _:
            return None


def redeployed(event: Redeployed) -> list[str]:
    """That the base is another one, and what of the tree differs from it."""
    lines = [f"{MARGIN}other code was deployed meanwhile: your tree is compared with {clean_line(event.base)[:19]} now"]
    lines += [f"{MARGIN}  {clean_line(name)}: saved just now" for name in event.saved[:MAX_MODULES]]
    lines += [f"{MARGIN}  {clean_line(line)}" for line in event.more[:MAX_MODULES]]
    rest = len(event.saved[MAX_MODULES:]) + len(event.more[MAX_MODULES:])
    return [*lines, f"{MARGIN}  and {count(rest, 'module')} more"] if rest else lines


def rollback_plan(event: RollbackPlan, symbols: Symbols, now: str) -> str:
    """What would be taken back, in one line."""
    by = f"   {ago(event.issued, now)} by {clean_line(event.author)}" if event.author else ""
    changes = names(event.modules) or "nothing differs"
    return f"{release(event.running)} {symbols.arrow} {release(event.restores)}   {changes}{by}"


def dry_run(event: DryRun) -> list[str]:
    """Per module what a push would do, unit by unit."""
    lines = [f"{release(event.push)} over {release(event.running)}, staged by the server and thrown away"]
    for module in event.modules:
        lines.append(f"  {clean_line(str(module.get('module', '?')))}")
        found = {outcome: _units(module, outcome) for outcome in _OUTCOMES}
        lines += [f"    {outcome:<8} {units}" for outcome, units in found.items() if units]
        refused = module.get("refused")
        if isinstance(refused, list) and refused:
            items = [{"module": module.get("module"), **item} for item in refused]
            lines += [f"    refused  {len(items)}", *(f"  {line}" for line in refusals(items))]
    return lines


def _units(module: Mapping[str, object], outcome: str) -> str:
    units = module.get(outcome)
    if isinstance(units, int) and units:
        return str(units)
    return names([str(unit) for unit in units], 8) if isinstance(units, list) else ""


def check(event: Check, symbols: Symbols) -> list[str]:
    """One line for one check of doctor, and its help when it failed."""
    mark = symbols.ok if event.ok else symbols.fail
    lines = [f"{mark} {event.name:<10} {clean_line(event.text)}"]
    return [*lines, f"  help: {clean_line(event.help)}"] if event.help and not event.ok else lines


def initialised(event: Initialised) -> list[str]:
    """What was written, and what is left for a person to do on the server."""
    made = "made" if event.made_key else "uses"
    return [
        f"{made} the key {event.key}  ({event.keyid})",
        *(f"wrote {path}" for path in event.wrote),
        "",
        "1. Give the server these settings (they are no secrets):",
        "",
        *(f"   {name}={_quoted(value)}" for name, value in event.server.items()),
        "",
        "2. Put three lines into the application, the first above every import of your own modules:",
        "",
        *(f"   {line}" for line in event.embed),
        "",
        "3. Start it through the launcher, so that a restart comes back with the newest release:",
        "",
        "   habanero-py run -- uvicorn app:app      with your own start command behind the two dashes",
        "",
        f"4. Here again: habanero-py doctor --to {event.name}",
    ]


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'" if set(value) & set(" \"'#$&;|<>()*?!`\\") else value
