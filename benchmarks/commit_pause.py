"""How long the app stands still: commits of one function with more and more live objects, and of a big release.

The pause must not grow with the heap, and a release of 100 modules with 1,000 changed functions must stay short. The
floor beside it is the bare assignment of as many code objects. Stage time (the app goes on meanwhile) and peak memory
are told too.

What registers anew is another matter: one path is changed in FastAPI apps with more and more routes. There the pause
grows with what the app holds, since all of it is asked whether it changed.

    python -m benchmarks.commit_pause [--objects 100000,1000000,5000000] [--repeat 15]
"""

from __future__ import annotations

import argparse
import gc
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType

from habanero_receiver.swap import ModuleImage, Swapper, image_from_source

SMALL = """\
def greet(name):
    return f'{word} {name}'


class Shop:
    def total(self, items):
        return sum(items)
"""
CLOSURES = "def outer(n):\n    def inner():\n        return n + {n}\n    return inner\n\n\nmade = outer(1)\n"
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def routes(count: int, path: str) -> str:
    """An app of so many routes, one of them with this path."""
    paths = [f"/r{number}" for number in range(count - 1)]
    paths.insert(count // 2, path)
    return APP + "".join(f"@app.get({p!r})\ndef f{n}(a: int = 1) -> int:\n    return a\n" for n, p in enumerate(paths))


def big(number: int) -> str:
    """A module with ten functions that all differ between versions."""
    return "\n\n".join(f"def f{i}(x):\n    return x + {i} + {number}" for i in range(10)) + "\n"


class App:
    """Modules that live in this process, and their swapper."""

    def __init__(self, folder: Path, sources: dict[str, str]) -> None:
        self.folder = folder
        self.base = {name: self.image(name, source) for name, source in sources.items()}
        for name, image in self.base.items():
            module = ModuleType(name)
            module.__file__ = image.filename
            sys.modules[name] = module
            exec(compile(image.source, image.filename, "exec"), vars(module))
        self.swapper = Swapper(self.base.get, {name.partition(".")[0] for name in sources})

    def image(self, name: str, source: str) -> ModuleImage:
        return image_from_source(name, False, str(self.folder / f"{name}.py"), f"{name}.py", source.encode())

    def swap(self, sources: dict[str, str]) -> tuple[float, float]:
        """Seconds of stage and commit."""
        overlay = {name: self.image(name, source) for name, source in sources.items()}
        began = time.perf_counter()
        staged = self.swapper.stage(overlay)
        staged_at = time.perf_counter()
        committed = staged.commit()
        done = time.perf_counter()
        committed.seal()
        return staged_at - began, done - staged_at


def measure(app: App, version: Callable[[int], dict[str, str]], repeat: int) -> str:
    """One line of figures, in milliseconds."""
    times = [app.swap(version(number)) for number in range(1, repeat + 1)]
    stage, commit = sorted(t[0] * 1000 for t in times), sorted(t[1] * 1000 for t in times)
    return (
        f"commit p50 {statistics.median(commit):7.3f} max {commit[-1]:7.3f} ms   "
        f"stage p50 {statistics.median(stage):8.2f} ms   peak memory {_peak_mb():.0f} MB"
    )


def one_path(count: int, number: int) -> dict[str, str]:
    """The next version of the app of so many routes."""
    return {f"bench_routes{count}": routes(count, f"/one{number}")}


def floor(functions: int) -> float:
    """Milliseconds to assign as many code objects and nothing else."""
    made = [eval(f"lambda x: x + {i}") for i in range(functions)]
    codes = [eval(f"lambda x: x + {i + 1}").__code__ for i in range(functions)]
    began = time.perf_counter()
    for function, code in zip(made, codes, strict=True):
        function.__code__ = code
    return (time.perf_counter() - began) * 1000


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", default="100000,1000000,5000000")
    parser.add_argument("--repeat", type=int, default=15)
    arguments = parser.parse_args()
    ballast: list[list[int]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"floor: 1 assignment {floor(1):.4f} ms, 1,000 assignments {floor(1000):.3f} ms")
        small = App(folder, {"bench_small": SMALL.replace("{word}", "hi")})
        nested = App(folder, {"bench_nested": CLOSURES.format(n=0)})
        for count in map(int, arguments.objects.split(",")):
            ballast.extend([] for _ in range(count - len(ballast)))
            gc.collect()
            line = measure(small, lambda n: {"bench_small": SMALL.replace("{word}", f"hi{n}")}, arguments.repeat)
            print(f"{count:>9,} objects, 1 function   {line}")
            line = measure(nested, lambda n: {"bench_nested": CLOSURES.format(n=n)}, arguments.repeat)
            print(f"{count:>9,} objects, 1 closure    {line}")
        names = [f"bench_big{i}" for i in range(100)]
        many = App(folder, dict.fromkeys(names, big(0)))
        line = measure(many, lambda n: dict.fromkeys(names, big(n)), arguments.repeat)
        print(f"{len(ballast):>9,} objects, 1,000 in 100 {line}")
        del ballast
        for count in (10, 100, 500):
            served = App(folder, {f"bench_routes{count}": routes(count, "/one")})
            line = measure(served, partial(one_path, count), 5)
            print(f"{count:>9,} routes, 1 path         {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
