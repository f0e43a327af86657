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

from .protocol import Adapter, MemberChange, Objection

__all__ = ["Adapter", "MemberChange", "Objection", "in_use", "register"]

_KNOWN = {
    "sqlalchemy": "sqlalchemy.event.registry",
    "pydantic": "pydantic.main",
    "fastapi": "fastapi.routing",
    "starlette": "starlette.applications",
    "flask": "flask.sansio.app",
    "django": "django.conf",
    "click": "click.core",
    "celery": "celery.app.base",
}
"""Files here, each with the module that says that its library is in use, in the order in which they are asked: models
before the routes of them."""
_registered: list[Adapter] = []


def owner_of(cls: type) -> Adapter | None:
    """The adapter that says which changes of a living class's members its library can take, if there is one."""
    return next((adapter for adapter in in_use() if adapter.owns(cls)), None)


def is_tracked(value: object) -> bool:
    """Whether an object is of a kind that an adapter asked for: others may hold it, and it is to be kept."""
    return any(issubclass(type(value), tuple(adapter.kinds())) for adapter in in_use())


def register(adapter: Adapter) -> None:
    """Has ``adapter`` asked from the next commit on, after those that come with the engine."""
    _registered.append(adapter)


def in_use() -> list[Adapter]:
    """The adapters whose libraries this process has imported."""
    ours: list[Adapter] = [
        import_module(f"{__name__}.{file}").ADAPTER for file, module in _KNOWN.items() if module in sys.modules
    ]
    return [*ours, *(a for a in _registered if a.library in sys.modules)]
