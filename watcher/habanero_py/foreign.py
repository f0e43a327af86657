"""Whether a push would silently take back what somebody else pushed.

Two people work on one deployment; the second one's tree may lack the first one's last push. The rule it upholds: a
module that somebody else changed last is replaced only by a tree that has seen their version, or by a person who was
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from habanero_py.compose import View
from habanero_py.releases import Releases
from habanero_receiver.release.manifest import ModuleEntry

MAX_STEPS_BACK = 50
Contains = Callable[[str, str], bool]
"""(module name, source sha256) -> whether this tree holds or has held that version."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A module whose running version somebody else pushed and this tree has never held."""

    module: str
    author: str
    seq: int


def foreign(
    names: Iterable[str], view: View, releases: Releases, author: str, contains: Contains
) -> tuple[Foreign, ...]:
    """Those of `names` that would be taken from somebody else. No request unless the head is another's."""
    if view.head.seq == 0 or view.head.author in (None, author):
        return ()
    releases.load(after=max(0, view.head.seq - MAX_STEPS_BACK - 1), upto=view.head.seq)
    found = []
    for name in names:
        seq, who = _last_change(name, view, releases)
        if seq and who != author and not _held(name, view, contains):
            found.append(Foreign(name, who, seq))
    return tuple(found)


def question(found: Sequence[Foreign]) -> str:
    """What a person is asked before their modules are replaced."""
    first = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{first.author} pushed {first.module}{more} in #{first.seq}, which your tree never held. Replace it?"


def _held(name: str, view: View, contains: Contains) -> bool:
    """Whether what runs under this name is a version that this tree knows."""
    entry = view.overlay.get(name)
    if entry is not None:
        return contains(name, entry.source.sha256)
    if name in view.overlay or name not in view.base:
        return False  # they deleted it, or took it away: there is no version to have held
    return contains(name, view.base[name].sha256)


def _last_change(name: str, view: View, releases: Releases) -> tuple[int, str]:
    """(number, author) of the release that last changed a module; (0, "") when none did."""
    newest = releases.past(view.head)
    for seq in range(view.head.seq, max(0, view.head.seq - MAX_STEPS_BACK), -1):
        here = releases.overlay(releases.number(seq))
        before: Mapping[str, ModuleEntry | None] = releases.overlay(releases.number(seq - 1)) if seq > 1 else {}
        if _content(here, name) != _content(before, name):
            return seq, releases.number(seq).statement.author
    return (0, "") if view.head.seq <= MAX_STEPS_BACK else (view.head.seq, newest.statement.author)


def _content(overlay: Mapping[str, ModuleEntry | None], name: str) -> str:
    entry = overlay.get(name)
    if entry is None:
        return "deleted" if name in overlay else "base"
    return entry.source.sha256
