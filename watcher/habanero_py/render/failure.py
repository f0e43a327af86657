"""The form of an error on a terminal: what, where, what stayed unchanged, what to do.

Pure: events in, lines out. The rule it upholds: every failure says what is running now, and no failure shows our own
stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from habanero_py.events import GateFinished, OutOfStep, Refused, SyntaxFound

from .text import MARGIN, clean, clean_line, release

MAX_OUTPUT_LINES = 40


def unchanged(target: str, running: int) -> str:
    """The line that ends every failure after which it is known what runs."""
    return f"{MARGIN}{target} unchanged: still {release(running)}"


def syntax(event: SyntaxFound) -> list[str]:
    """A compiler's place, with a caret under it."""
    gutter = " " * len(str(event.line))
    source = clean_line_keep_indent(event.text)
    caret = " " * max(0, event.column - 1) + "^"
    return [
        f"error[syntax]: {clean_line(event.message)}",
        f"  --> {clean_line(event.path)}:{event.line}:{event.column}",
        f"{gutter} |",
        f"{event.line} | {source}",
        f"{gutter} | {caret}",
    ]


def clean_line_keep_indent(text: str) -> str:
    """One source line as it stands, tabs as one column so that the caret stays under its place."""
    return clean(text.split("\n", 1)[0]).replace("\t", " ")[:200]


def gate(event: GateFinished) -> list[str]:
    """The failed command's last lines, indented, and where the rest is."""
    output = clean(event.output or "").strip("\n").split("\n")
    shown = output[-MAX_OUTPUT_LINES:]
    lines = [f"  ... {len(output) - len(shown)} lines before"] if len(output) > len(shown) else []
    lines += [f"  {line}".rstrip() for line in shown if shown != [""]]
    return [*lines, f"  full output: {clean_line(event.log)}"] if event.log else lines


def refused(event: Refused) -> list[str]:
    """`error[code]: message`, the units that could not change, and the help."""
    lines = [f"error[{clean_line(event.code, 60)}]: {clean_line(event.message, 600)}"]
    if event.subject and event.subject not in event.message:
        lines.append(f"  --> {clean_line(event.subject)}")
    lines += refusals(event.refusals, event.message)
    if event.traceback:
        lines += [f"  | {line}" for line in clean(event.traceback).rstrip("\n").split("\n")[-MAX_OUTPUT_LINES:]]
    if event.help and not any(item.get("help") for item in event.refusals):
        first, *rest = clean(event.help).split("\n")
        lines += [f"  help: {first}", *(f"        {line}" for line in rest)]
    return lines


def refusals(items: Sequence[Mapping[str, object]], said: str = "") -> list[str]:
    """Per unit that a living process could not take: where, why unless that is `said`, what lives, what to do once."""
    lines: list[str] = []
    for item in items:
        place = f"{item.get('module', '?')}:{item.get('line', '?')}"
        unit, reason = clean_line(str(item.get("unit", ""))), str(item.get("reason", ""))
        lines.append(f"  --> {clean_line(place)}  {unit}" + (f": {clean_line(reason)}" if reason not in said else ""))
        if item.get("live"):
            lines.append(f"      alive: {clean_line(str(item['live']))}")
        if item.get("help") and (hint := f"      help: {clean_line(str(item['help']))}") not in lines:
            lines.append(hint)
    return lines


def out_of_step(event: OutOfStep, target: str) -> list[str]:
    """Some workers do not run what is recorded: a person is needed."""
    return [
        (
            f"error[out-of-step]: {release(event.push)} is recorded, but only {event.applied} of {event.workers} "
            f"workers of {target} run it"
        ),
        "  help: habanero-py status          see whether they come back (a restart applies it)",
        "        habanero-py rollback        take the others back",
    ]
