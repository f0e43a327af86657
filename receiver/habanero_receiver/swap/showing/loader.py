"""The loader of one version of a module: its code and its source come from an image, not from the file.

A module that is imported from an image has it, and one that a swap moved gets it, since debuggers and error trackers
ask the loader for the source. What it does not: it finds no modules, and verifies nothing.
"""

from __future__ import annotations

import linecache
from importlib.machinery import SourceFileLoader
from importlib.util import decode_source
from typing import TYPE_CHECKING, Any

from habanero_receiver.swap.building.modulecode import main_code

from .sources import UnreadLines

if TYPE_CHECKING:
    from types import CodeType, ModuleType

    from habanero_receiver.swap.image import ModuleImage
    from habanero_receiver.swap.undo import Step


class ImageLoader(SourceFileLoader):
    """Loads one module from its image. Everything about files that is not its source works as from disk."""

    def __init__(self, image: ModuleImage) -> None:
        super().__init__(image.name, image.filename)
        self.image = image
        """What the module is made from: the swap engine asks for it to know what a live module runs."""

    def get_code(self, fullname: str) -> CodeType:
        """Give the module's code object; ImportError when the build is not one."""
        image = self.image
        try:
            code = main_code(image.code, image.filename)
        except (ValueError, EOFError, TypeError) as error:
            raise ImportError(f"the build of {fullname} cannot be loaded: {error}", name=fullname) from error
        cache: dict[str, Any] = linecache.cache
        cache[image.filename] = UnreadLines.of(image)
        return code

    def get_source(self, fullname: str) -> str:
        """Give the source that runs, decoded as Python decodes it."""
        del fullname
        return decode_source(self.image.source)

    def get_data(self, path: str) -> bytes:
        """Read a file beside the module from disk; the module's own source is the image's."""
        return self.image.source if path == self.image.filename else super().get_data(path)


def exchange(module: ModuleType, image: ModuleImage) -> list[tuple[Step, Step]]:
    """The steps, with inverses, that make the module's loader one of this image.

    A loader of another kind than Python's own for source files is left alone: others may rely on it.
    """
    spec, namespace = module.__spec__, vars(module)
    old = getattr(spec, "loader", None)
    if spec is None or type(old) not in (SourceFileLoader, ImageLoader) or namespace.get("__loader__") is not old:
        return []
    loader = ImageLoader(image)
    return [
        ((setattr, spec, "loader", loader), (setattr, spec, "loader", old)),
        ((namespace.__setitem__, "__loader__", loader), (namespace.__setitem__, "__loader__", old)),
    ]
