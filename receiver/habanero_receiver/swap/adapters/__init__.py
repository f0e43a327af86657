"""What the engine knows of particular libraries: one file for each, imported only where its library is in use.

An app adds its own for a registry of its own:

    from habanero_receiver.swap.adapters import Adapter, register

    class Menu(Adapter):
        library = "shop"
        def finish(self, swap): ...

    register(Menu())

The rule: an adapter is about a library's derived state alone. What follows from Python itself is in the engine.
"""

from __future__ import annotations

import sys
from importlib import import_module

from .protocol import Adapter

__all__ = ["Adapter", "in_use", "register"]

_KNOWN = ("pydantic", "fastapi", "flask", "django")
"""Libraries with a file of their name here, in the order in which they are asked: models before the routes of them."""
_registered: list[Adapter] = []


def register(adapter: Adapter) -> None:
    """Has ``adapter`` asked from the next commit on, after those that come with the engine."""
    _registered.append(adapter)


def in_use() -> list[Adapter]:
    """The adapters whose libraries this process has imported."""
    ours = [import_module(f"{__name__}.{library}").ADAPTER for library in _KNOWN if library in sys.modules]
    return [*ours, *(a for a in _registered if a.library in sys.modules)]
