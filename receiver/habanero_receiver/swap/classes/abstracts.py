"""Brings what Python derives for abstract classes in line with their members, in a class and all that inherit from it.

That is which of them cannot be made, and what `isinstance` answered so far. Who registered with one of them stays. The
rule that it upholds: everything can be taken back through the undo log.
"""

from __future__ import annotations

import abc
from typing import Any

from habanero_receiver.swap.finding.live import subclasses
from habanero_receiver.swap.kinds import is_a
from habanero_receiver.swap.undo import UndoLog


def refresh_abstract(log: UndoLog, changed: type) -> None:
    """Derives it anew where the members of ``changed`` did change."""
    update: Any = abc.update_abstractmethods
    for cls in _with_subclasses(changed):
        if is_a(cls, abc.ABCMeta):
            log.note((setattr, cls, "__abstractmethods__", cls.__abstractmethods__))
            update(cls)
            log.note((abc.ABCMeta._abc_caches_clear, cls))  # type: ignore[attr-defined]  # as below
            abc.ABCMeta._abc_caches_clear(cls)  # type: ignore[attr-defined]  # what isinstance answered so far


def _with_subclasses(cls: type) -> list[type]:
    found, waiting = [], [cls]
    while waiting:
        found.append(cls := waiting.pop())
        waiting.extend(subclasses(cls))
    return found
