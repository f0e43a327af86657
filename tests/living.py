"""A small live app whose source moves from one version to another, and a deep picture of what a swap could touch."""

from __future__ import annotations

import importlib
import linecache
import sys
import textwrap
from collections import deque
from pathlib import Path
from types import BuiltinFunctionType, CellType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from habanero_receiver.overlay import Overlay
from habanero_receiver.swap import CommittedSwap, ModuleImage, StagedSwap, Swapper, image_from_source


class LiveApp:
    """Modules in a folder, imported for real; `push` moves the process to other sources of them."""

    def __init__(self, root: Path, sources: dict[str, str]) -> None:
        self.root = root
        self.top_level = {name.rstrip("/").partition(".")[0] for name in sources}
        self.base = {name.rstrip("/"): self.image(name, text) for name, text in sources.items()}
        for image in self.base.values():
            Path(image.filename).parent.mkdir(parents=True, exist_ok=True)
            Path(image.filename).write_bytes(image.source)
        self._forget_modules()  # what a test before this one left under these names would be taken for ours
        self.overlay = Overlay({}, lambda *_: None)
        self.overlay.install()
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()
        self.swapper = Swapper(self.base.get, self.top_level, self.overlay.replace)

    def image(self, name: str, text: str) -> ModuleImage:
        """One version of a module; a name that ends in ``/`` is a package's."""
        plain = name.rstrip("/")
        path = plain.replace(".", "/") + ("/__init__.py" if name.endswith("/") else ".py")
        source = textwrap.dedent(text).encode()
        return image_from_source(plain, name.endswith("/"), str(self.root / path), path, source)

    def load(self, name: str) -> Any:
        """Imports a module of the app."""
        return importlib.import_module(name)

    def stage(self, changed: dict[str, str | None], *, fresh: bool = False) -> StagedSwap:
        """Plans the swap to what runs now with ``changed`` on top, or to the base with it if ``fresh``."""
        overlay: dict[str, ModuleImage | None] = {} if fresh else dict(self.swapper.overlay)
        for name, text in changed.items():
            overlay[name.rstrip("/")] = None if text is None else self.image(name, text)
        return self.swapper.stage(overlay)

    def push(self, changed: dict[str, str | None], *, fresh: bool = False) -> CommittedSwap:
        """Swaps; the result can still be undone."""
        return self.stage(changed, fresh=fresh).commit()

    def close(self) -> None:
        """Leaves no trace in the process."""
        sys.path.remove(str(self.root))
        sys.meta_path.remove(self.overlay)
        self._forget_modules()
        for image in self.base.values():
            linecache.cache.pop(image.filename, None)

    def _forget_modules(self) -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] in self.top_level]:
            del sys.modules[name]

    def picture(self, *more: object) -> dict[str, Any]:
        """All that a swap of this app could touch, to be compared with a picture taken later."""
        own = {n: m for n, m in sys.modules.items() if n.partition(".")[0] in self.top_level}
        files = [image.filename for image in self.base.values()]
        return {
            "modules": {name: id(module) for name, module in own.items()},
            "lines": {f: linecache.cache[f] for f in files if f in linecache.cache},
            "overlay": {name: id(image) for name, image in self.swapper.overlay.items()},
            "found": {name: id(image) for name, image in self.overlay.images.items()},
            "objects": _Painter(frozenset(self.top_level)).paint(*map(vars, own.values()), *more),
        }


def dedented(sources: dict[str, str]) -> dict[str, str]:
    """The sources without their common indentation, so that more can be put behind them."""
    return {name: textwrap.dedent(text) for name, text in sources.items()}


_PLAIN = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis), range)
_LEAVES = (ModuleType, BuiltinFunctionType, CodeType)


class _Painter:
    """Describes objects by what they hold, down to the last one; objects met again are named by their place."""

    def __init__(self, own: frozenset[str]) -> None:
        self.own = own
        self.seen: dict[int, int] = {}
        self.out: list[Any] = []
        self.namespaces: set[int] = set()

    def paint(self, *roots: object) -> list[Any]:
        waiting: deque[object] = deque(roots)
        self.namespaces = {id(root) for root in roots}
        while waiting:
            item = waiting.popleft()
            if id(item) not in self.seen:
                self.seen[id(item)] = len(self.seen)
                parts = self.parts(item)
                self.out.append((type(item).__qualname__, id(item), [self.name(p) for p in parts]))
                waiting.extend(p for p in parts if not isinstance(p, (*_PLAIN, *_LEAVES)))
        return self.out

    def name(self, part: object) -> object:
        return (type(part).__name__, part) if isinstance(part, _PLAIN) else id(part)

    def parts(self, item: Any) -> list[Any]:
        if isinstance(item, dict):
            pairs = (
                sorted(item.items(), key=lambda pair: str(pair[0]))
                if id(item) in self.namespaces
                else list(item.items())
            )
            return [x for pair in pairs for x in pair if pair[0] != "__builtins__"]
        if isinstance(item, (list, tuple, deque)):
            return list(item)
        if isinstance(item, (set, frozenset)):
            return sorted(item, key=id)
        if isinstance(item, FunctionType):
            born = [item.__code__, item.__defaults__, item.__kwdefaults__, item.__annotations__, item.__doc__]
            return [*born, item.__closure__, item.__dict__, item.__qualname__]
        if isinstance(item, CellType):
            try:
                return [item.cell_contents]
            except ValueError:
                return []
        if isinstance(item, MethodType):
            return [item.__func__, item.__self__]
        if isinstance(item, (staticmethod, classmethod)):
            return [item.__func__]
        if isinstance(item, property):
            return [item.fget, item.fset, item.fdel]
        if isinstance(item, type):
            if item.__module__.partition(".")[0] not in self.own:
                return []
            held = {k: v for k, v in vars(item).items() if k not in ("__weakref__", "__dict__", "_abc_impl")}
            return [
                *item.__bases__,
                *item.__mro__,
                *(x for pair in sorted(held.items(), key=lambda pair: str(pair[0])) for x in pair),
            ]
        held = getattr(item, "__dict__", None) if type(item).__module__.partition(".")[0] in self.own else None
        return [held] if isinstance(held, dict) else []
