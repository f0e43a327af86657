"""Words that every reader of the events shares: numbers, symbols, times, and text that came from outside.

Pure. The rule it upholds: nothing that another program wrote (test output, a server's message, a file name) reaches
the terminal with its control characters, because an escape sequence in a path can repaint what a person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MARGIN = " " * 10
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Symbols:
    """The three marks, in an encoding that the terminal has."""

    ok: str
    fail: str
    wait: str
    arrow: str


UNICODE = Symbols(ok="✔", fail="✖", wait="…", arrow="→")
ASCII = Symbols(ok="ok", fail="FAIL", wait="...", arrow="->")


def symbols_for(encoding: str | None) -> Symbols:
    """Unicode where the stream can write it."""
    try:
        "✔✖…→".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def clean(text: str) -> str:
    """Outside text without escape sequences, other control characters and direction marks; lines and tabs stay."""
    return _CONTROL.sub("", _ANSI.sub("", text).replace("\r\n", "\n"))


def one_line(line: str) -> str:
    """What every line goes through on its way out, whoever wrote it: as `clean`, and still one line."""
    return clean(line).replace("\n", " ")


def clean_line(text: str, limit: int = 400) -> str:
    """As `clean`, on one line and not endless."""
    line = " ".join(clean(text).split())
    return line if len(line) <= limit else line[: limit - 3] + "..."


def release(seq: int) -> str:
    """The number as in "#42", or "base" for the code as deployed."""
    return f"#{seq}" if seq else "base"


def count(number: int, word: str) -> str:
    """A number and its word: "1 module", "3 modules"."""
    plural = word[:-1] + "ies" if word.endswith("y") else word + ("es" if word.endswith(("s", "sh")) else "s")
    return f"{number} {word if number == 1 else plural}"


def size(number: int) -> str:
    """Bytes for a person: 812 B, 2.1 kB, 3.4 MB."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.1f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"


def names(items: Sequence[str], limit: int = 4) -> str:
    """A few names, and how many more there are."""
    shown = ", ".join(clean_line(item) for item in items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"


def age(delta: timedelta) -> str:
    """The two largest parts of a time span: "9 d 4 h", "6 min", "12 s"."""
    seconds = max(0, int(delta.total_seconds()))
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{seconds} s"


def parse_time(text: str | None) -> datetime | None:
    """A server's UTC time, or None when it is none."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def ago(text: str | None, now: str | None) -> str:
    """How long before `now` something was, or the text itself when it is no time."""
    then, end = parse_time(text), parse_time(now)
    if then is None or end is None:
        return clean_line(text or "unknown")
    return f"{age(end - then)} ago"


def units(counts: Mapping[str, int]) -> str:
    """What a swap did, in a few words: "3 functions, 1 statement run"."""
    phrases = {
        "patched": ("function", ""),
        "run": ("statement", " run"),
        "migrated": ("migration", ""),
        "removed": ("name", " removed"),
        "stale": ("value", " stale"),
        "doubled": ("registration", " doubled"),
    }
    said = [count(counts[key], word) + tail for key, (word, tail) in phrases.items() if counts.get(key)]
    return ", ".join(said)


def surprises(stale: Sequence[str], doubled: Sequence[str]) -> list[str]:
    """What a swap did that its author may not expect, a line each, with the reason."""
    lines = [(f"stale: {clean_line(entry)}", "it was computed from what changed and was kept") for entry in stale]
    lines += [(f"doubled: {clean_line(entry)}", "it was registered beside an older form") for entry in doubled]
    return [line if line.endswith(")") else f"{line} ({reason})" for line, reason in lines]


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of equal length as lines, each column as wide as its widest cell."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def clock(text: str, now: str | None) -> str:
    """A time of today by its hour alone, another with its day, in this machine's zone."""
    moment, today = parse_time(text), parse_time(now)
    if moment is None or today is None:
        return local_time(text)
    moment, today = moment.astimezone(), today.astimezone()
    return moment.strftime("%H:%M:%S" if moment.date() == today.date() else "%Y-%m-%d %H:%M:%S")


def local_time(text: str) -> str:
    """A time as this machine's clock shows it, or the text itself when it is none."""
    moment = parse_time(text)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else clean_line(text)
