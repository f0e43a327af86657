"""What a made-up app is: statements in modules, and how its sources are written. Pure.

Statements read names of their own module that are bound before them, and any of modules that stand before theirs in
`MODULES`; a module's imports are written from that. How they are written is a number for each pair of modules, so an
edit changes ``import x`` to ``from x import y`` without touching a statement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from oracle.kinds import KINDS, Statement
from oracle.step import Module, Tree

APP = "shop"
MODULES = ("base", "core", "sub.inner", "sub", "web", "")
"""The modules that an app may have, below `APP`: each imports from those before it alone. The last is `APP` itself."""
FORMS = 7
"""How many ways there are to import from a module."""
_PRELUDE = """import abc, collections, contextlib, dataclasses, datetime, enum, functools, re, sys, typing
"""
_FRAMEWORKS = """import click, fastapi, fastapi.responses, flask, flask.views, pydantic
import starlette.applications, starlette.responses, starlette.routing
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One module."""

    name: str
    statements: tuple[Statement, ...] = ()
    doc: int = 0
    forms: tuple[int, ...] = (0,) * len(MODULES)
    """By module of `MODULES`, how it is imported from."""
    future: bool = True
    """Whether annotations are text."""
    exports: int = 0
    """0: no ``__all__``; 1: with all names; 2: in two steps."""


@dataclass(frozen=True, slots=True)
class App:
    """One version."""

    parts: tuple[Part, ...]
    frameworks: bool = False
    _homes: dict[str, Part] = field(default_factory=dict, compare=False)

    def homes(self) -> dict[str, Part]:
        """By name, the module that binds it."""
        if not self._homes:
            self._homes.update({s.name: part for part in self.parts for s in part.statements})
        return self._homes

    def kinds(self) -> dict[str, Statement]:
        """By name, the statement."""
        return {s.name: s for part in self.parts for s in part.statements}

    def with_part(self, part: Part) -> App:
        """The app with another form of a module, which may be new."""
        others = {p.name: p for p in self.parts} | {part.name: part}
        return replace(self, parts=tuple(others[name] for name in MODULES if name in others), _homes={})

    def without(self, name: str) -> App:
        """The app without a module."""
        return replace(self, parts=tuple(p for p in self.parts if p.name != name), _homes={})

    def readers(self, name: str) -> list[tuple[Part, Statement]]:
        """The statements that read a name, each with its module."""
        return [(part, s) for part in self.parts for s in part.statements if name in s.reads]

    def tree(self) -> Tree:
        """The sources."""
        sources = {part.name: self._source(part) for part in self.parts}
        packages = {"", *(".".join(name.split(".")[:-1]) for name in sources)}
        tree = {}
        for name in sorted(packages | sources.keys()):
            full = f"{APP}.{name}".rstrip(".")
            package = name in packages or name == "sub"
            path = full.replace(".", "/") + ("/__init__.py" if package else ".py")
            tree[full] = Module(package, path, sources.get(name, "").encode())
        return tree

    def _source(self, part: Part) -> str:
        imports, written = self._imports(part)
        lines = [f'"""Module {part.name}, {part.doc}."""']
        lines += ["from __future__ import annotations"] if part.future else []
        lines += [_PRELUDE + (_FRAMEWORKS if self.frameworks else ""), *imports]
        lines += [_render(s, written) for s in part.statements]
        bound = [s for s in part.statements if KINDS[s.kind].tags]  # of others it is not known beforehand
        lines += ["", *_exports([s.name for s in bound], [n for s in bound for n in _given(s)], part.exports)]
        return "\n".join(lines) + "\n"

    def _imports(self, part: Part) -> tuple[list[str], dict[str, str]]:
        """The import statements of a module, and how each name of another module is written there."""
        homes, kinds = self.homes(), self.kinds()
        read = {n: homes[n] for s in part.statements for n in s.reads if n in homes and homes[n] is not part}
        lines, written = [], {}
        for other in self.parts:
            names = sorted(n for n, home in read.items() if home is other)
            if names:
                taken = [given for name in names for given in _given(kinds[name])]
                form = _form(part, other)
                lines += _import(part.name, other.name, taken, form)
                written.update({name: _prefix(other.name, form) + name for name in names})
        return lines, written


def _form(part: Part, other: Part) -> int:
    """How a module imports from another; a package cannot be reached by its dotted name while it is being imported."""
    form = part.forms[MODULES.index(other.name)]
    return 6 if form == 3 and other.name.startswith(f"{part.name}.") else form


def _given(s: Statement) -> list[str]:
    return [s.name, *(s.name + suffix for suffix in KINDS[s.kind].suffixes)]


def _import(importer: str, imported: str, names: list[str], form: int) -> list[str]:
    """The lines by which a module imports ``names`` from another; `_prefix` says how they are spelled then."""
    full = f"{APP}.{imported}"
    last = full.rpartition(".")[2]
    package = importer.split(".") if importer in ("sub", "") else importer.split(".")[:-1]
    up = "." * (len([p for p in package if p]) + 1)
    return {
        0: [f"from {up}{imported} import {', '.join(names)}"],
        1: [f"from {full} import {', '.join(names)}"],
        2: [f"from {up}{imported.rpartition('.')[0]} import {last}"],
        3: [f"import {full}"],
        4: [f"from {full} import {name} as o_{name}" for name in names],
        5: [f"from {up}{imported} import *"],
        6: [f"import {full} as m_{last}"],
    }[form]


def _prefix(imported: str, form: int) -> str:
    last = imported.rpartition(".")[2]
    return {2: f"{last}.", 3: f"{APP}.{imported}.", 4: "o_", 6: f"m_{last}."}.get(form, "")


def _render(s: Statement, written: dict[str, str]) -> str:
    comment = f"# note {s.comment}\n" * s.comment
    spelled = replace(s, reads=tuple(written.get(name, name) for name in s.reads))
    return f"\n\n{comment}{KINDS[s.kind].write(spelled)}"


def _exports(names: list[str], given: list[str], form: int) -> Iterator[str]:
    if form == 1:
        yield f"__all__ = {given!r}"
    elif form == 2:
        yield f"__all__ = {names!r}\n__all__ += {[n for n in given if n not in names]!r}"
