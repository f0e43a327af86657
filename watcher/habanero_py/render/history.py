"""The journal for a person: one release on a line, one release in full, a difference.

Pure: events in, lines out.
"""

from __future__ import annotations

from collections.abc import Sequence

from habanero_py.events import (
    Drift,
    Drifted,
    Explained,
    LogEntry,
    ModuleDiff,
    Problem,
    Pruned,
    Shown,
    ShownBase,
    ShownModule,
    Verified,
)

from .text import Symbols, ago, clean, clean_line, columns, count, local_time, names, release, size

SHORT = 12
"""How many digits of a digest tell it from the others for a person."""
UNKNOWN = "(changes not known any more)"


def log_entry(event: LogEntry) -> str:
    """One release on one line."""
    kind = "" if event.kind == "push" else f"{event.kind}: "
    parts = [
        f"{'*' if event.running else ' '} #{event.push:<5} {local_time(event.issued)}",
        f"{clean_line(event.author):<20}",
        f"{kind}{_what(event)}",
        *([_commit(event)] if event.git else []),
        _gate(event),
        *([_confirmed(event)] if event.confirmed else []),
        *([f"WITHDRAWN: {clean_line(event.withdrawn.reason, 120)}"] if event.withdrawn is not None else []),
    ]
    return "  ".join(parts)


def _what(event: LogEntry) -> str:
    if event.restores is not None:
        why = f": {clean_line(event.reason)}" if event.reason else ""
        return f"same code as {release(event.restores)}{why}"
    return UNKNOWN if event.modules is None else names(event.modules, 3) or "(no module)"


def _commit(event: LogEntry) -> str:
    return clean_line(event.git or "")[:10] + ("+dirty" if event.dirty else "")


def _gate(event: LogEntry) -> str:
    if event.gate is None:
        return "no gate"
    said = f" {clean_line(event.gate_summary)}" if event.gate_summary else ""
    return f"gate {'ok' if event.gate_exit == 0 else f'exit {event.gate_exit}'}{said}"


def _confirmed(event: LogEntry) -> str:
    applied = sum(machine.applied for machine in event.confirmed)
    workers = sum(machine.workers for machine in event.confirmed)
    return f"{applied}/{workers} on {names([machine.machine for machine in event.confirmed], 2)}"


def shown(event: Shown) -> list[str]:
    """One release: a line for each thing that it says, a row for each module."""
    entry = event.entry
    running = "   runs now" if entry.running else ""
    title = f"#{entry.push}   {entry.kind} by {clean_line(entry.author)}, {local_time(entry.issued)}"
    gate = "none"
    if entry.gate is not None:
        said = f"   {clean_line(entry.gate_summary)}" if entry.gate_summary else ""
        gate = f"{clean_line(entry.gate)}   exit {entry.gate_exit}{said}"
    machines = ", ".join(f"{clean_line(m.machine)} {m.applied}/{m.workers}" for m in entry.confirmed)
    restores = [("restores", release(entry.restores))] if entry.restores is not None else []
    withdrawn = [("withdrawn", _withdrawn(event))] if entry.withdrawn is not None else []
    facts = [
        *withdrawn,
        *restores,
        *([("reason", clean_line(entry.reason))] if entry.reason else []),
        ("digest", event.digest),
        ("after", f"{release(entry.push - 1)}  {event.prev}"),
        ("base", event.base),
        ("manifest", event.manifest),
        ("git", f"{clean_line(entry.git)}{' and uncommitted changes' if entry.dirty else ''}" if entry.git else "none"),
        ("gate", gate),
        ("python", clean_line(event.python)),
        ("signed by", ", ".join(clean_line(keyid) for keyid in event.keyids)),
        ("confirmed", machines or "not noted"),
        ("modules", _counts(event)),
    ]
    rows = [_row(module) for module in event.modules]
    return [
        f"{title} ({ago(entry.issued, event.now)}){running}",
        *(f"  {name:<10} {value}" for name, value in facts),
        *(f"  {line}" for line in (columns(rows) if rows else [])),
    ]


def _withdrawn(event: Shown) -> str:
    found = event.entry.withdrawn
    if found is None:
        return ""
    return f"{ago(found.at, event.now)} by {clean_line(found.machine)}: {clean_line(found.reason)}"


def _counts(event: Shown) -> str:
    over = count(sum(module.overlay for module in event.modules), "module")
    before = release(event.entry.push - 1)
    if event.entry.modules is None:
        return f"{over} over the base; {before} was pruned, so what changed against it is not known"
    return f"{over} over the base, {len(event.entry.modules)} changed against {before}"


def _row(module: ShownModule) -> tuple[str, ...]:
    now = module.source[:SHORT] if module.source else "-"
    was = f"was {module.before[:SHORT]}" if module.change == "changed" and module.before else ""
    return (
        module.change,
        clean_line(module.module) + ("" if module.overlay else " (as in the base)"),
        now,
        was,
        size(module.size) if module.size is not None else "",
    )


def shown_base(event: ShownBase) -> list[str]:
    """The code as deployed."""
    rows = [(clean_line(name), sha256[:SHORT]) for name, sha256 in event.modules.items()]
    head = f"base {event.base}   {count(len(rows), 'module')}"
    return [head, *(f"  {line}" for line in (columns(rows) if rows else []))]


def verified(event: Verified, symbols: Symbols) -> list[str]:
    """What was looked at, each with its mark, and every problem below its own."""
    journal = f"{count(event.releases, 'release')} over {event.base[:19]}"
    by = f", signed by {names(event.signers)}" if event.signers else ""
    pruned = f", {count(event.pruned, 'old release')} pruned" if event.pruned else ""
    fleet = f"{count(event.workers, 'worker')} with {count(event.modules, 'module')}"
    compared = f"{event.compared} live functions and constants compared"
    journal_mark, fleet_mark = (
        symbols.fail if problems else symbols.ok for problems in (event.untrusted, event.deviating)
    )
    return [
        f"{journal_mark} journal  {journal}{by}; {count(event.blobs, 'blob')}{pruned}",
        *(_problem(problem) for problem in event.untrusted),
        f"{fleet_mark} running  {release(event.running)}: {fleet}, {compared}",
        *(_problem(problem) for problem in event.deviating),
        *_verify_help(event),
    ]


def _problem(problem: Problem) -> str:
    return f"    {clean_line(problem.subject)}  error[{problem.code}]: {clean_line(problem.text, 600)}"


def _verify_help(event: Verified) -> list[str]:
    codes = {problem.code for problem in event.untrusted}
    lines = [f"  help: habanero-py explain {code}" for code in sorted(codes)]
    if "unauthorized" in codes:
        lines.append("        list the keys of those who may push: trusted_keys_file in the target's settings")
    if event.deviating:
        lines.append("  help: restart the processes that deviate: they start on the newest release")
    return lines


def pruned(event: Pruned, symbols: Symbols) -> list[str]:
    """What may go, or went."""
    if not (event.blobs or event.bases):
        return [f"{symbols.ok} nothing to prune: what is older than {count(event.days, 'day')} is needed, or gone"]
    head = f"{symbols.ok} removed" if event.done else "would remove"
    code = f": the code of {_numbers(event.releases)}" if event.releases else ""
    lines = [f"{head} {count(event.blobs, 'blob')}{code}"]
    for base in event.bases:
        newest = f", the last of {local_time(base.newest)}" if base.newest else ""
        entries = count(base.entries, "release")
        lines.append(f"  and the journal of base {clean_line(base.base)[:19]}: {entries}{newest}")
    return lines


def _numbers(releases: Sequence[int]) -> str:
    if len(releases) == 1:
        return f"#{releases[0]}"
    return f"{count(len(releases), 'release')} from #{releases[0]} to #{releases[-1]}"


_DRIFT = {
    "only-in-production": "only in production",
    "not-in-production": "not in production",
    "uncommitted": "runs uncommitted",
    "differs-from-head": "differs from HEAD",
    "differs-from-tree": "differs from the working tree",
}


def drift(event: Drift, symbols: Symbols) -> list[str]:
    """A row for each module that drifted, or one line that there is none."""
    where = f"production at {release(event.running)}, {count(event.compared, 'module')}"
    if not event.modules:
        return [f"{symbols.ok} no drift: {where}"]
    rows = [_drifted(module) for module in event.modules]
    return [f"{symbols.fail} {count(len(rows), 'module')} drifted: {where}", *(f"  {line}" for line in columns(rows))]


def _drifted(module: Drifted) -> tuple[str, ...]:
    return clean_line(module.path), ", ".join(_DRIFT.get(word, word) for word in module.words)


def explained(event: Explained) -> list[str]:
    """A code: what it means, why it comes up, what to do."""
    status = f"HTTP {event.status}, " if event.status is not None else ""
    lines = [f"{event.code}: {event.title}   ({status}exit code {event.exit})", "", event.meaning]
    if event.causes:
        lines += ["", *event.causes.split("\n")]
    return [*lines, "", f"help: {event.advice}"]


def module_diff(event: ModuleDiff) -> list[str]:
    """A unified diff; of a module whose digests differ and whose lines do not, its name alone."""
    if not event.diff:
        return [f"{event.change}  {clean_line(event.module)} (no lines differ)"]
    return clean(event.diff).rstrip("\n").split("\n")
