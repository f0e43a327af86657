"""Keys for a person: who may do what, and a release that waits for signatures.

Pure: events in, lines out.
"""

from __future__ import annotations

from habanero_py.events import KeyRow, Keys, Pending, PendingShown, RoleRow

from .text import MARGIN, Symbols, ago, clean_line, columns, count, local_time, names, parse_time

_ALL = ("clear", "freeze", "prune", "push", "read", "rollback")


def keys(event: Keys) -> list[str]:
    """A row for each key of the server, what is revoked, roles elsewhere, and what this machine believes."""
    place = clean_line(event.target).partition("#")[0]
    need = f"{event.threshold} people sign a release" if event.threshold > 1 else "one signature is enough"
    rows: list[tuple[str, ...]] = [("", "WHO", "KEY", f"MAY AT {place}", "VALID")]
    rows += [_row(row, mine=row.keyid == event.mine) for row in event.keys]
    lines = [f"{clean_line(event.target)}   {need}", *columns(rows)]
    lines += [f"  revoked  {clean_line(keyid)} (not listed)" for keyid in event.revoked]
    lines += [_elsewhere(row, place) for row in event.roles or () if place not in row.places]
    if event.roles is None:
        lines.append("without a list of roles (HABANERO_ROLES) everybody who is trusted may do everything")
    if all(row.keyid != event.mine for row in event.keys):
        lines.append(f"your key {event.mine} is not listed there")
    lines.append(f"* your key: {clean_line(event.key)}")
    if event.local is not None:
        lines.append(f"verify believes here: {names([f'{who} {keyid[:19]}…' for who, keyid in event.local], 8)}")
    return lines


def _row(row: KeyRow, *, mine: bool) -> tuple[str, ...]:
    may = "everything" if tuple(sorted(row.roles)) == _ALL else ", ".join(row.roles) or "nothing"
    return (
        "*" if mine else " ",
        clean_line(", ".join(row.principals), 40),
        clean_line(row.keyid),
        "REVOKED" if row.revoked else clean_line(may),
        _validity(row),
    )


def _validity(row: KeyRow) -> str:
    parts = [
        f"{word} {local_time(moment)}"
        for word, moment in (("from", row.valid_after), ("until", row.valid_before))
        if moment and parse_time(moment)
    ]
    said = " ".join(parts) or "always"
    return said if row.valid else f"NOT NOW ({said})"


def _elsewhere(row: RoleRow, here: str) -> str:
    places = ", ".join(clean_line(place) for place in row.places if place != here)
    return f"  elsewhere  {clean_line(row.principal)}: {', '.join(row.roles)} at {places}"


def pending(event: Pending, symbols: Symbols) -> list[str]:
    """What is still to be done, and by when."""
    lack = count(event.need - event.have, "signature")
    return [
        f"{MARGIN}{symbols.wait} #{event.push} is signed by {event.have} of {event.need}: nothing has changed yet",
        f"{MARGIN}  {clean_line(event.file)}",
        f"{MARGIN}  help: {lack} more before {local_time(event.accept_until)}: habanero-py sign FILE, by somebody else",
    ]


def pending_shown(event: PendingShown) -> list[str]:
    """All that a signature would be for."""
    gate = "none"
    if event.gate is not None:
        said = f"   {clean_line(event.gate_summary)}" if event.gate_summary else ""
        gate = f"{clean_line(event.gate)}   exit {event.gate_exit}{said}"
    rebuilt = f"   {count(event.rebuilt, 'build')} made again here, the same" if event.rebuilt else ""
    facts = [
        ("target", clean_line(event.target)),
        ("base", clean_line(event.base)),
        ("after", f"#{event.push - 1}  {clean_line(event.prev)}"),
        *([("restores", f"the code of #{event.restores}")] if event.restores is not None else []),
        *([("reason", clean_line(event.reason))] if event.reason else []),
        ("git", clean_line(event.git or "none")),
        ("gate", gate),
        ("until", local_time(event.accept_until)),
        ("signed by", f"{names(event.signed_by) or 'nobody who is trusted'}; it takes {event.need}"),
        ("modules", f"{count(len(event.modules), 'module')}{rebuilt}"),
    ]
    rows = [
        (module.change, clean_line(module.module), f"+{module.added}", f"-{module.removed}") for module in event.modules
    ]
    who = f"#{event.push}   {event.kind} by {clean_line(event.author)}, {local_time(event.issued)}"
    return [
        f"{who} ({ago(event.issued, event.now)})",
        *(f"  {name:<10} {value}" for name, value in facts),
        *(f"  {line}" for line in (columns(rows) if rows else [])),
    ]
