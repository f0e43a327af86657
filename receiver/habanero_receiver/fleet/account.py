"""Tells the log what a swap did: per module one line of information, and a warning for each thing that may surprise.

Pure but for the logger that it is given. The rule it upholds: all that a report says is in the log of every process
that made the change, also where nobody was told by an answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

_OUTCOMES = ("patched", "run", "removed", "migrated")
_WARNINGS = {
    "stale": "was computed from what changed and was kept",
    "doubled": "was registered beside an older form",
}


def write(log: logging.Logger, seq: int, report: Mapping[str, Any]) -> None:
    """Write the report of release `seq`, as `SwapReport.to_json` gives it, to the log."""
    for module in report["modules"]:
        name = module["module"]
        parts = [f"{outcome} {', '.join(module[outcome])}" for outcome in _OUTCOMES if module.get(outcome)]
        parts += [f"kept {module['kept']}"] if module.get("kept") else []
        log.info("release %d in %s: %s", seq, name, "; ".join(parts) or "nothing to do")
        for outcome, meaning in _WARNINGS.items():
            for entry in module.get(outcome, ()):
                said = entry if entry.endswith(")") else f"{entry} ({meaning})"  # some entries give their own reason
                log.warning("release %d in %s: %s: %s", seq, name, outcome, said)
