"""Makes apps of two or three modules, and edits of them, for hypothesis to draw.

An app is a list of statements for each module (see `kinds`). An edit changes one number of a statement, or adds,
removes, moves or renames a statement, or puts a comment before one. Whatever is drawn compiles; nearly all of it
imports.

Functions and classes can be called without arguments: that is how `USE` uses them.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from oracle.judge import Step, judge
from oracle.kinds import KINDS, NEEDS, NUMBERS, VARIANTS, Statement, render
from oracle.step import Module, Processes, Request, Tree, write_tree

APP = "shop"
MODULES = ("base", "core", "web")

USE = '''
import types

def use(modules):
    """Calls what can be called without arguments; what touches state is called and not told."""
    told = {}
    for module in sorted(modules):
        for name, value in sorted(vars(modules[module]).items()):
            if name.startswith("__") or isinstance(value, types.ModuleType):
                continue
            if not callable(value) or getattr(value, "__module__", None) not in modules:
                continue
            kept = modules[module].__dict__.setdefault("_kept_by_use", [])
            try:
                result = value()
                if isinstance(value, type):
                    kept.append(result)
                    result = {m: tell(getattr(result, m)) for m in sorted(vars(value)) if not m.startswith("_")}
                elif callable(result):
                    kept.append(result)
                    result = result()
            except Exception as error:
                result = type(error).__name__
            if not name.startswith("count"):
                told[f"{module}.{name}"] = tell(result)
    return told

def tell(value):
    try:
        value = value() if callable(value) and not isinstance(value, type) else value
    except Exception as error:
        value = type(error).__name__
    if type(value) in (tuple, list):
        return [tell(item) for item in value]
    return repr(value) if type(value) in (int, str, bool, float, type(None)) else type(value).__name__
'''


@dataclass(frozen=True, slots=True)
class App:
    """One version: the statements of each module, in order."""

    modules: tuple[tuple[Statement, ...], ...]
    docs: tuple[int, ...] = (0, 0, 0)

    def tree(self) -> Tree:
        """The sources."""
        tree = {APP: Module(True, f"{APP}/__init__.py", b"")}
        for name, statements, doc in zip(MODULES, self.modules, self.docs, strict=False):
            source = _PRELUDE + "\n".join(render(s) for s in statements)
            source = f'"""Module {name}, {doc}."""\n' + source
            tree[f"{APP}.{name}"] = Module(False, f"{APP}/{name}.py", source.encode())
        return tree


_PRELUDE = """from __future__ import annotations
import abc, collections, contextlib, dataclasses, enum, functools, typing

"""


_VALUES = ("const", "derived", "annotated", "pair")


@st.composite
def statements(draw: st.DrawFn, name: str, before: tuple[Statement, ...]) -> Statement:
    """A statement that reads only what is bound before it."""
    possible = [k for k in KINDS if k not in NEEDS or any(s.kind == NEEDS[k] for s in before)]
    kind = draw(st.sampled_from(possible))
    numbers = tuple(draw(st.integers(0, VARIANTS - 1)) for _ in range(NUMBERS))
    values = [s.name for s in before if s.kind in _VALUES]
    reads = [draw(st.sampled_from(values)) if values else "'literal'"]
    if kind in NEEDS:
        reads.append(draw(st.sampled_from([s.name for s in before if s.kind == NEEDS[kind]])))
    return Statement(kind, name, numbers, tuple(reads))


@st.composite
def apps(draw: st.DrawFn) -> App:
    """A first version."""
    modules: list[tuple[Statement, ...]] = []
    for prefix in MODULES[: draw(st.integers(1, 3))]:
        found: tuple[Statement, ...] = ()
        for earlier, other in zip(modules, MODULES, strict=False):
            names = [s.name for s in earlier if s.kind in (*_VALUES, "function", "class", "state", "enum", "dataclass")]
            if names and draw(st.booleans()):
                taken = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
                imported = {s.name: s for s in earlier}
                found += (Statement("import", f"import_{other}", (draw(st.integers(0, 1)),), (other, *taken)),)
                found += tuple(replace(imported[n], kind=f"imported {imported[n].kind}") for n in taken)
        for number in range(draw(st.integers(1, 7))):
            seen = tuple(replace(s, kind=s.kind.removeprefix("imported ")) for s in found if s.kind != "import")
            found += (draw(statements(f"{prefix}_{number}", seen)),)
        modules.append(tuple(s for s in found if not s.kind.startswith("imported ")))
    return App(tuple(modules))


@st.composite
def edits(draw: st.DrawFn, app: App) -> App:
    """The next version: one to three changes."""
    for _ in range(draw(st.integers(1, 3))):
        app = draw(_edit(app))
    return app


@st.composite
def _edit(draw: st.DrawFn, app: App) -> App:
    which = draw(st.integers(0, len(app.modules) - 1))
    body = list(app.modules[which])
    place = draw(st.integers(0, len(body) - 1))
    chosen = body[place]
    action = draw(
        st.sampled_from(("number", "number", "number", "number", "comment", "add", "remove", "move", "rename", "doc"))
    )
    if action == "number":
        index = draw(st.integers(0, len(chosen.numbers) - 1))
        value = (chosen.numbers[index] + draw(st.integers(1, VARIANTS - 1))) % VARIANTS
        body[place] = replace(chosen, numbers=(*chosen.numbers[:index], value, *chosen.numbers[index + 1 :]))
    elif action == "comment":
        body[place] = replace(chosen, comment=(chosen.comment + 1) % 3)
    elif action == "doc":
        return replace(app, docs=(*app.docs[:which], app.docs[which] + 1, *app.docs[which + 1 :]))
    elif action == "add":
        taken = {s.name for s in body}
        name = next(n for n in (f"{MODULES[which]}_{i}" for i in range(99)) if n not in taken)
        known = tuple(s for s in body[:place] if s.kind != "import")
        body.insert(place, draw(statements(name, known)))
    elif action == "remove" and chosen.kind != "import" and not _readers(app, chosen.name):
        body.pop(place)
    elif action == "move":
        _move(body, place, draw(st.integers(0, len(body) - 1)))
    elif action == "rename" and chosen.kind != "import":
        return _rename(app, chosen.name, f"{chosen.name}r")
    modules = tuple(tuple(body) if i == which else m for i, m in enumerate(app.modules))
    return replace(app, modules=modules) if all(modules) else app


def _readers(app: App, name: str) -> list[Statement]:
    return [s for module in app.modules for s in module if name in s.reads]


def _move(body: list[Statement], place: int, to: int) -> None:
    """Moves a statement, if it stays after what it reads and before what reads it."""
    moved = body[place]
    rest = [*body[:place], *body[place + 1 :]]
    earliest = max((i + 1 for i, s in enumerate(rest) if s.kind == "import" or s.name in moved.reads), default=0)
    latest = min((i for i, s in enumerate(rest) if moved.name in s.reads), default=len(rest))
    if moved.kind != "import" and earliest <= to <= latest:
        body[:] = [*rest[:to], moved, *rest[to:]]


def _rename(app: App, old: str, new: str) -> App:
    def renamed(s: Statement) -> Statement:
        reads = tuple(new if r == old else r for r in s.reads)
        return replace(s, name=new if s.name == old else s.name, reads=reads)

    return replace(app, modules=tuple(tuple(map(renamed, m)) for m in app.modules))


@st.composite
def histories(draw: st.DrawFn) -> list[App]:
    """A first version and one or two after it."""
    versions = [draw(apps())]
    for _ in range(draw(st.integers(1, 2))):
        versions.append(draw(edits(versions[-1])))
    return versions


def trees(history: list[App]) -> list[Tree]:
    """The sources of each version."""
    return [app.tree() for app in history]


def judged(processes: Processes, history: list[Tree]) -> list[Step]:
    """Runs a history in a live process, each of its versions in a fresh one, and judges the steps."""
    with tempfile.TemporaryDirectory(prefix="oracle-tree-") as folder:
        roots = [Path(folder, str(index)) for index in range(len(history))]
        for root, tree in zip(roots, history, strict=True):
            write_tree(root, tree)
        live = processes.run(Request(str(roots[0]), history, USE))
        fresh = [processes.run(Request(str(r), [t], USE)) for r, t in zip(roots[1:], history[1:], strict=True)]
    return judge(history, live, fresh)


def generated(processes: Processes, count: int, start: int) -> list[Step]:
    """The steps of ``count`` histories, the same ones for the same ``start``."""
    found: list[Step] = []

    @seed(start)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(histories())
    def one(history: list[App]) -> None:
        found.extend(judged(processes, trees(history)))

    one()
    return found
