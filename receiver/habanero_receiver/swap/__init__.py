"""The swap engine: moves the modules of a live process from one version to another, whole or not at all.

It needs the standard library alone and can be used alone:

    swapper = Swapper(base=lookup, top_level={"shop"})
    committed = swapper.stage({"shop.cart": image}).commit()
    committed.undo()

Its names are imported when first used: a process that boots needs images and builds, not the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .engine import CommittedSwap, Overlay, StagedSwap, Swapper, image_from_source
    from .errors import SwapError, SwapFailedError, SwapRefusedError, SwapUndoError
    from .image import ModuleImage
    from .report import ModuleReport, Refusal, SwapReport

_HOMES = {
    "engine": ("CommittedSwap", "Overlay", "StagedSwap", "Swapper", "image_from_source"),
    "errors": ("SwapError", "SwapFailedError", "SwapRefusedError", "SwapUndoError"),
    "image": ("ModuleImage",),
    "report": ("ModuleReport", "Refusal", "SwapReport"),
}

__all__ = [
    "CommittedSwap",
    "ModuleImage",
    "ModuleReport",
    "Overlay",
    "Refusal",
    "StagedSwap",
    "SwapError",
    "SwapFailedError",
    "SwapRefusedError",
    "SwapReport",
    "SwapUndoError",
    "Swapper",
    "image_from_source",
]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
