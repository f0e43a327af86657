"""A long life: one module swapped again and again, and nothing that grows.

The module has what real ones have: closures, decorators, a dataclass, an enum, a pydantic model, FastAPI routes, a
cache, single dispatch, a generator that is suspended across swaps. At even steps, after a full collection, all that
could grow is counted: living functions, classes, code objects, containers, modules, the line cache, what the engine
remembers, memory blocks, resident memory. For each count the slope per 1,000 swaps is fitted by least squares.

A count that grows does so at every step, so it is told from noise by two things: its slope, and that the fitted line
explains most of what varies. Exit status 1 if one grows.

    python -m benchmarks.long_life [--swaps 10000] [--every 250]
"""

from __future__ import annotations

import argparse
import gc
import importlib
import linecache
import statistics
import sys
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import CellType, FunctionType, ModuleType
from typing import Any

from habanero_receiver.overlay import Overlay
from habanero_receiver.swap import Swapper, image_from_source
from habanero_receiver.swap.showing import editions

KINDS = (FunctionType, type, ModuleType, CellType, dict, list, tuple, set)
WARM_UP = 20
"""Swaps after which all caches of the libraries are filled."""
LEAST = {"resident MB": 0.5, "memory blocks": 100.0}
"""By name, what for 1,000 swaps is growth; these two go up and down by themselves, all others are exact."""
LEAST_OBJECTS = 5.0
EXPLAINED = 0.5
"""The part of the variance that a line must explain to be called a slope."""


def source(n: int) -> str:
    """Version ``n`` of the module: bodies, constants, decorators, fields and members differ from the one before."""
    shift, extra = ("\n# moved down", "extra: int = 0") if n % 2 else ("", "pass")
    return f"""\
import enum
import functools
from collections import namedtuple
from dataclasses import dataclass

import pydantic
from fastapi import FastAPI

app = FastAPI()
STATE = {{"calls": 0}}
LIMIT = {n}
DOUBLE = LIMIT * 2
{shift}

def logged(function):
    @functools.wraps(function)
    def wrapper(*args):
        STATE["calls"] += 1
        return ({n}, function(*args))
    return wrapper


@dataclass
class Item:
    name: str
    price: int = {n}
    {extra}

    def total(self):
        return self.price + {n}


class Color(enum.Enum):
    RED = {n}
    GREEN = "g"


class Order(pydantic.BaseModel):
    size: int = {n}
    {extra}


Pair = namedtuple("Pair", "a b", defaults=[{n}])


@app.get("/{n % 2}")
@app.get("/both")
def view(size: int = {n}) -> Order:
    return Order(size=size)


@functools.lru_cache
def cached(x):
    return x + {n}


@functools.singledispatch
def show(value):
    return {n}


@show.register
def _(value: int):
    return value + {n}


@logged
def counted(x={n}):
    return [y for y in range({n % 3})]


def ticks():
    while True:
        yield {n}


def make(x):
    def inner():
        return lambda: x + {n}
    return inner


HELD = [make(1), counted, Item("one")]
"""


class Life:
    """The module, live in this process, and all that is counted of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        base = self.image(0)
        (folder / "bench_life.py").write_bytes(base.source)
        self.overlay = Overlay({}, lambda *_: None)
        self.overlay.install()
        sys.path.insert(0, str(folder))
        importlib.invalidate_caches()
        self.swapper = Swapper({"bench_life": base}.get, {"bench_life"}, self.overlay.replace)
        self.module: Any = importlib.import_module("bench_life")
        self.suspended: list[Any] = []

    def image(self, n: int) -> Any:
        path = "bench_life.py"
        return image_from_source("bench_life", False, str(self.folder / path), path, source(n).encode())

    def swap(self, n: int) -> None:
        """Swaps to version ``n``; takes each seventh back first; checks that it runs."""
        module = self.module
        self.suspended = [*self.suspended[-3:], module.ticks()]
        next(self.suspended[-1])
        staged = self.swapper.stage({"bench_life": self.image(n)})
        committed = staged.commit()
        if n % 7 == 0:
            committed.undo()
            committed = self.swapper.stage({"bench_life": self.image(n)}).commit()
        committed.seal()
        module.cached(n)
        seen = (module.HELD[0]()(), module.Color.RED.value, module.Order().size, module.show(1), module.cached(0))
        if seen != (1 + n, n, n, 1 + n, n) or module.HELD[2].total() != module.HELD[2].price + n:
            raise RuntimeError(f"version {n} does not run: {seen}")

    def close(self) -> None:
        """Leaves the import system as it was."""
        sys.path.remove(str(self.folder))
        sys.meta_path.remove(self.overlay)
        for cache in (sys.modules, linecache.cache):
            for name in [name for name in cache if "bench_life" in name]:
                del cache[name]

    def counts(self) -> dict[str, float]:
        """Everything that could grow, after a full collection."""
        for _ in range(3):
            gc.collect()
        alive = Counter(map(type, gc.get_objects()))
        codes = {id(o.__code__) for o in gc.get_objects() if type(o) is FunctionType}
        found = {kind.__name__: float(alive[kind]) for kind in KINDS}
        found["all objects"] = float(sum(alive.values()))
        found["code of functions"] = float(len(codes))
        found["memory blocks"] = float(sys.getallocatedblocks())
        found["sys.modules"] = float(len(sys.modules))
        found["linecache"] = float(len(linecache.cache))
        found["editions"] = float(len(editions._shown))
        found["engine"] = float(len(self.swapper._running))
        found["routes"] = float(len(self.module.app.router.routes))
        found["resident MB"] = resident_mb()
        return found


def resident_mb() -> float:
    """Resident memory of this process; 0 where /proc does not tell it."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 1e6


def slope(xs: Sequence[float], ys: Sequence[float]) -> tuple[float, float]:
    """The least-squares slope, and the part of the variance that the line explains."""
    if len(set(ys)) == 1:
        return 0.0, 0.0
    fit = statistics.linear_regression(xs, ys)
    return fit.slope, statistics.correlation(xs, ys) ** 2


def grows(name: str, rise: float, explained: float) -> bool:
    """Whether a count's slope for 1,000 swaps is growth and not noise."""
    return rise > LEAST.get(name, LEAST_OBJECTS) and explained > EXPLAINED


def live(life: Life, swaps: int, every: int) -> tuple[list[float], dict[str, array[float]]]:
    """Swaps, and counts at every step of ``every`` swaps once it is warm; in arrays, which are no more blocks later."""
    steps = range(0, swaps + 1, every)
    counts = {name: array("d", bytes(8 * len(steps))) for name in life.counts()}
    for n in range(1, WARM_UP + swaps + 1):
        life.swap(n)
        if n >= WARM_UP and (n - WARM_UP) % every == 0:
            for name, value in life.counts().items():
                counts[name][(n - WARM_UP) // every] = value
    return [step / 1000 for step in steps], counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--swaps", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=250)
    arguments = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        life = Life(Path(folder))
        try:
            at, counts = live(life, arguments.swaps, arguments.every)
        finally:
            life.close()
    grown = []
    print(f"{'count':<18} {'first':>10} {'last':>10} {'per 1,000 swaps':>16} {'explained':>10}")
    for name, values in counts.items():
        rise, explained = slope(at, values)
        grown += [name] if grows(name, rise, explained) else []
        print(f"{name:<18} {values[0]:>10,.1f} {values[-1]:>10,.1f} {rise:>16.3f} {explained:>10.2f}")
    print(f"{arguments.swaps:,} swaps in {time.perf_counter() - began:.0f} s: ", end="")
    print(f"these grow: {', '.join(grown)}" if grown else "nothing grows")
    return 1 if grown else 0


if __name__ == "__main__":
    sys.exit(main())
