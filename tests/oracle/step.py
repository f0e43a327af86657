"""Runs one process of a step: it imports a version, uses it, and swaps to the next ones, if any.

`Processes` starts one clean interpreter that has the engine and no app loaded, and forks a child of it for each process
that is wanted. A child gets a `Request` and gives an `Outcome`, each as a file; it may use so many seconds of CPU, and
ten times that by the clock, since a busy machine says nothing of the app. The live process goes the public way:
images built from source, found by the overlay's finder, applied by `Swapper.stage` and `commit`. The fresh process
imports the sources from disk, and no part of the engine touches it.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, NoReturn

from oracle.snapshot import Graph, Reader
from oracle.stale import bindings
from oracle.unchanged import code_key
from oracle.units import Path as Place

TESTS = Path(__file__).resolve().parents[1]


class Module(NamedTuple):
    """One module of a version."""

    package: bool
    path: str
    source: bytes


Tree = dict[str, Module]


@dataclass(frozen=True, slots=True)
class Request:
    """What a process is to do: import the first of ``trees``, from ``root``, use it, and swap to the others in turn."""

    root: str
    trees: list[Tree]
    use: str
    """Source that defines ``use(modules)``; what it returns is compared too."""
    paths: list[str] = field(default_factory=list)
    """Further folders to import from."""
    skipped: frozenset[str] = frozenset()
    """Modules that are not imported beforehand."""
    timeout_s: int = 240
    """Of CPU time."""


@dataclass(slots=True)
class Swap:
    """One swap of a live process, and the processes state around it."""

    refused: list[str] = field(default_factory=list)
    """Reasons; empty when it was carried out."""
    raised: bool = False
    """Whether the reason is that the new code raised, as the engine says."""
    cause: str = ""
    """The traceback of what it was rolled back for."""
    broken: str = ""
    """What the engine raised that it never should."""
    failed_imports: dict[str, str] = field(default_factory=dict)
    """Of modules that nothing imported before, and why they cannot be imported afterwards."""
    stale: frozenset[Place] = frozenset()
    """The bindings that the report names as stale."""
    entries: tuple[tuple[str, str], ...] = ()
    """What it says of them, with the module that each is in."""
    after: Graph | None = None
    used: Graph | None = None
    result: object = None


@dataclass(slots=True)
class Outcome:
    """What a process became. ``error`` is the traceback of an import that failed."""

    error: str = ""
    imported: Graph | None = None
    used: Graph | None = None
    result: object = None
    failed_imports: dict[str, str] = field(default_factory=dict)
    codes: set[tuple[object, ...]] = field(default_factory=set)
    """Of a fresh process: every code object of the sources, as `code_key` tells them."""
    swaps: list[Swap] = field(default_factory=list)


def run(request: Request) -> Outcome:
    """Carries a request out, in a process that is used for nothing else."""
    sys.dont_write_bytecode = True
    top_level = frozenset(name.partition(".")[0] for tree in request.trees for name in tree)
    sys.path[:0] = [request.root, *request.paths]
    reader = Reader(top_level, request.root)
    swapper = _swapper(request, top_level) if len(request.trees) > 1 else None
    outcome = Outcome()
    namespace: dict[str, object] = {}
    exec(compile(request.use, "<use>", "exec"), namespace)
    use = namespace["use"]
    try:
        outcome.failed_imports = _import_all(request.trees[0], request.skipped)
        outcome.imported = reader.read({})
        outcome.result = use(_modules(top_level))
        outcome.used = reader.read({})
    except BaseException:
        outcome.error = traceback.format_exc()
        return outcome
    if swapper is None:
        outcome.codes = _codes(request, reader)
    for tree in request.trees[1:]:
        swap = _swap(swapper, request, tree, reader)
        outcome.swaps.append(swap)
        if not (swap.broken or swap.refused):
            try:
                swap.failed_imports = _import_all(tree, request.skipped)
                swap.after = reader.read({})
                swap.result = use(_modules(top_level))
                swap.used = reader.read({})
            except BaseException:
                swap.broken = traceback.format_exc()
        if swap.broken or swap.refused:
            break
    return outcome


def _swapper(request: Request, top_level: frozenset[str]) -> object:
    from habanero_receiver.overlay import Overlay
    from habanero_receiver.swap import Swapper

    first = request.trees[0]
    images = {name: _image(request.root, name, module) for name, module in first.items()}
    files = {name: Path(request.root, module.path) for name, module in first.items() if "." not in name}
    overlay = Overlay(files, _misplaced)
    overlay.install()
    return Swapper(images.get, top_level, overlay.replace)


@functools.cache
def _image(root: str, name: str, module: Module) -> object:
    """One image for a module's version, however many releases it is in: a receiver keeps what it verified before."""
    from habanero_receiver.swap import image_from_source

    return image_from_source(name, module.package, str(Path(root, module.path)), module.path, module.source)


def _misplaced(name: str, disk: str, ours: Path) -> NoReturn:
    raise AssertionError(f"{name} comes from {disk}, not from {ours}")


def _swap(swapper: object, request: Request, tree: Tree, reader: Reader) -> Swap:
    from habanero_receiver.swap import SwapFailedError, SwapRefusedError

    first, swap = request.trees[0], Swap()
    overlay: dict[str, object] = {n: _image(request.root, n, m) for n, m in tree.items() if first.get(n) != m}
    overlay.update(dict.fromkeys(first.keys() - tree.keys()))
    try:
        committed = swapper.stage(overlay).commit()
        swap.entries = tuple((m.module, entry) for m in committed.report.modules.values() for entry in m.stale)
        swap.stale = frozenset(place for entry in swap.entries for place in bindings(*entry))
        committed.seal()
    except SwapRefusedError as error:
        swap.refused = [f"{r.reason} ({name} {r.unit})" for name, r in error.refusals] or ["refused without a reason"]
        swap.raised = any(" raised " in r.reason for _, r in error.refusals)
    except SwapFailedError as error:
        cause = error.__cause__
        swap.refused = [str(error)]
        swap.raised = not _by_the_engine(cause)
        swap.cause = "".join(traceback.format_exception(cause)) if cause is not None else ""
        cause = None
    except BaseException:
        swap.broken = traceback.format_exc()
    if swap.refused:  # read when the error and all that its frames held is gone
        swap.after = reader.read({})
    return swap


def _by_the_engine(cause: BaseException | None) -> bool:
    """Whether a commit ended for a reason that the engine found, or that Python gives for what the engine tried."""
    limit = isinstance(cause, TypeError) and str(cause).startswith(("__bases__ assignment", "__class__ assignment"))
    return limit or type(cause).__module__.startswith("habanero_receiver.")


def _import_all(names: Iterable[str], skipped: frozenset[str]) -> dict[str, str]:
    failed = {}
    for name in sorted(names):
        if name not in skipped and not name.endswith("__main__"):
            try:
                importlib.import_module(name)
            except Exception as error:
                failed[name] = f"{type(error).__name__}: {error}"
    return failed


def _modules(top_level: frozenset[str]) -> dict[str, types.ModuleType]:
    return {name: module for name, module in sys.modules.items() if name.partition(".")[0] in top_level}


def _codes(request: Request, reader: Reader) -> set[tuple[object, ...]]:
    from oracle.codes import describe_code

    found = set()
    for module in request.trees[0].values():
        filename = str(Path(request.root, module.path))
        waiting = [compile(module.source, filename, "exec", dont_inherit=True)]
        while waiting:
            code = waiting.pop()
            found.add(code_key(describe_code(code, reader.text)))
            waiting.extend(c for c in code.co_consts if isinstance(c, types.CodeType))
    return found


class Processes:
    """Forks children of one clean interpreter. Use it as a context manager; it ends that interpreter."""

    def __init__(self, python: str = sys.executable, preload: Iterable[str] = ()) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="oracle-")
        paths = [str(TESTS), str(TESTS.parent / "receiver")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONHASHSEED": "0",
                       "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
        self.server = subprocess.Popen(
            [python, "-m", "oracle.step", *preload], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd=self.folder.name, start_new_session=True,
        )  # fmt: skip
        self.count = 0
        self._answer()  # it says one line when all that it needs is imported

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.server.stdin.close()
        try:
            self.server.wait(timeout=30)
        except subprocess.TimeoutExpired:  # a child is at work for someone who is gone
            os.killpg(self.server.pid, signal.SIGKILL)
            self.server.wait()
        self.server.stdout.close()
        self.folder.cleanup()

    def _answer(self) -> str:
        """The server's next line. Raises RuntimeError with its exit status if it ended: its own errors are shown."""
        line = self.server.stdout.readline().strip()
        if not line:
            raise RuntimeError(f"the server of the oracle's processes ended with status {self.server.wait()}")
        return line

    def run(self, request: Request) -> Outcome:
        """Gives the outcome of one process."""
        self.count += 1
        asked, answered = (
            Path(self.folder.name, f"{self.count}.request"),
            Path(self.folder.name, f"{self.count}.outcome"),
        )
        asked.write_bytes(pickle.dumps(request))
        with contextlib.suppress(BrokenPipeError):  # the missing answer tells
            self.server.stdin.write(f"{asked}\t{answered}\n")
            self.server.stdin.flush()
        status = self._answer()
        asked.unlink()
        if not answered.exists():
            return Outcome(error=f"the process ended with status {status} and said nothing")
        outcome = pickle.loads(answered.read_bytes())
        answered.unlink()
        assert isinstance(outcome, Outcome)
        return outcome


def write_tree(root: Path, tree: Tree) -> None:
    """Writes a version to disk."""
    for module in tree.values():
        file = root / module.path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(module.source)


def read_tree(folder: Path, top_level: Iterable[str] = ()) -> Tree:
    """The modules that lie in a folder; of all top-level names if none are given."""
    found: Tree = {}
    for top in top_level or sorted({file.stem for file in folder.iterdir()}):
        for file in sorted((folder / top).rglob("*.py")) if (folder / top).is_dir() else [folder / f"{top}.py"]:
            path = file.relative_to(folder)
            parts = path.with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            if all(part.isidentifier() for part in parts):
                found[name] = Module(parts[-1] == "__init__", path.as_posix(), file.read_bytes())
    return found


def _serve() -> None:
    import habanero_receiver.overlay
    import habanero_receiver.swap.engine  # noqa: F401  # so that children need not

    for library in sys.argv[1:]:
        importlib.import_module(library)
    with contextlib.suppress(BrokenPipeError):  # whoever asked was ended: nobody waits for the answer
        print("ready", flush=True)
        for line in sys.stdin:
            asked, answered = line.rstrip("\n").split("\t")
            child = os.fork()
            if not child:
                _child(asked, answered)
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), flush=True)


def _child(asked: str, answered: str) -> NoReturn:
    status = 1
    try:
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        request = pickle.loads(Path(asked).read_bytes())
        signal.setitimer(signal.ITIMER_PROF, request.timeout_s)
        signal.alarm(10 * request.timeout_s)
        with contextlib.suppress(SystemExit):
            Path(answered).write_bytes(pickle.dumps(run(request)))
            status = 0
    except BaseException:
        Path(answered).write_bytes(pickle.dumps(Outcome(error=traceback.format_exc())))
    finally:
        os._exit(status)


if __name__ == "__main__":
    from oracle.step import _serve as serve  # under its own name, so that what is pickled is found

    serve()
