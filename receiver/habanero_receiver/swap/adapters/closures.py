"""Reads what a library's closures were made with, where it keeps that nowhere else. It runs and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from habanero_receiver.swap.finding.live import cell_content


def cells(function: Any) -> Iterator[tuple[str, Any]]:
    """What a function closes over, by name."""
    if isinstance(function, FunctionType):
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            for content in cell_content(cell):
                yield name, content
