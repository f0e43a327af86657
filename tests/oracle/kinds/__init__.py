"""The kinds of statements that made-up modules consist of, and how each is written."""

from __future__ import annotations

from oracle.kinds import blocks, classes, frameworks, functions, hooks, records, sites, values, wrappers
from oracle.kinds.statement import KINDS, NUMBERS, VARIANTS, Kind, Statement

__all__ = [
    "KINDS", "NUMBERS", "VARIANTS", "Kind", "Statement", "blocks", "classes", "frameworks", "functions", "hooks",
    "records", "sites", "values", "wrappers",
]  # fmt: skip
