"""Tells, from two versions of the sources alone, which statement defines what a path leads to, and whether it changed.

Written on its own, not with the engine's units, so that a mistake there is not repeated here. A *path* is a module's
name and then labels as in a snapshot. What defines it is the statement that binds its first name; inside a class, the
member that binds the next one; for a name that is imported from another module of the app, the statement there.

A statement is *the same* when it differs in nothing but the bodies of its functions, docstrings and positions, or, of a
module, in the annotation of its variable: running it again would bind the same. It *depends on a change* when something
that it reads, calls or inherits, however far, is defined by a statement that differs in anything but positions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

Path = tuple[str, ...]
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.TryStar)


class Version:
    """One version of the sources of an app: what binds each name."""

    def __init__(self, modules: dict[str, tuple[bool, bytes]]) -> None:
        self.packages = {name: package for name, (package, _) in modules.items()}
        trees = {name: ast.parse(source) for name, (_, source) in modules.items()}
        self.bound = {name: _bindings(tree.body) for name, tree in trees.items()}
        for name, tree in trees.items():
            if ast.get_docstring(tree, clean=False) is not None:
                self.bound[name].setdefault("__doc__", []).insert(0, tree.body[0])

    def statements(self, module: str, name: str) -> list[ast.stmt]:
        return self.bound.get(module, {}).get(name, [])

    def home(self, module: str, name: str, hops: int = 10) -> tuple[str, str]:
        """The module and name that an imported name comes from; itself if it is bound here or comes from outside."""
        found = self.statements(module, name)
        if hops and len(found) == 1 and isinstance(found[0], ast.ImportFrom):
            source = self.absolute(module, found[0])
            if source in self.bound:
                original = next((a.name for a in found[0].names if (a.asname or a.name) == name), name)
                return self.home(source, original, hops - 1)
        if not found and hops:
            for star in reversed(self.statements(module, "*")):
                source = self.absolute(module, star)
                if source in self.bound and source != module:
                    origin = self.home(source, name, hops - 1)
                    if self.statements(*origin):
                        return origin
        return module, name

    def absolute(self, module: str, node: ast.stmt) -> str:
        assert isinstance(node, ast.ImportFrom)
        if not node.level:
            return node.module or ""
        parts = (module if self.packages[module] else module.rpartition(".")[0]).split(".")
        anchor = ".".join(parts[: len(parts) - node.level + 1])
        return f"{anchor}.{node.module}" if node.module else anchor


class Edit:
    """Two versions, the older first."""

    def __init__(self, old: dict[str, tuple[bool, bytes]], new: dict[str, tuple[bool, bytes]]) -> None:
        self.old, self.new = Version(old), Version(new)
        self._depends: dict[tuple[str, str], bool] = {}
        self._read: dict[int, set[str]] = {}
        self._differs: dict[tuple[str, str], bool] = {}

    def home(self, path: Path) -> Path:
        """The path by which the module that binds it leads to the same, if its first name is imported."""
        names = _names(path)
        if not names:
            return path
        module, name = self.new.home(path[0], names[0])
        return (module, f".{name}", *path[2:])

    def same(self, path: Path) -> bool:
        """Whether what defines the path was not changed. False for what no statement of both versions binds.

        What an object holds that a name leads to is defined where the object is, however that name is imported now.
        """
        module, names = path[0], _names(path)
        if not names:
            return False
        if len(path) > len(names) + 1:
            module, names[0] = self.new.home(module, names[0])
        if self.old.home(module, names[0]) != self.new.home(module, names[0]):
            return False
        home, name = self.new.home(module, names[0])
        before, after = (_unannotated(v.statements(home, name)) for v in (self.old, self.new))
        for inner in names[1:]:
            bodies = [_class_of(statements) for statements in (before, after)]
            if None in bodies or _passing_on(before) != _passing_on(after):
                break
            members = tuple(_bindings(body).get(inner, []) for body in bodies if body is not None)
            if not any(members):
                break  # no statement binds it: it comes of the class as a whole
            if not all(members):
                return False
            before, after = members
        return bool(before) and [_dump(s, blank=True) for s in before] == [_dump(s, blank=True) for s in after]

    def depends(self, path: Path) -> bool:
        """Whether what defines the path reads, however far, anything that changed."""
        names = _names(path)
        return bool(names) and self._changed_below(*self.new.home(path[0], names[0]))

    def _changed_below(self, module: str, name: str) -> bool:
        """Whether anything that changed is read on the way from a name. Circles are gone through once."""
        start = (module, name)
        if start not in self._depends:
            waiting, seen = [start], {start}
            self._depends[start] = False
            while waiting and not self._depends[start]:
                here, at = waiting.pop()
                read = {n for s in self.new.statements(here, at) for n in self._reads(s)} - {at}
                self._depends[start] = any(self.differs(here, n) for n in read)
                fresh = {self.new.home(here, n) for n in read} - seen
                seen |= fresh
                waiting.extend(fresh)
        return self._depends[start]

    def _reads(self, statement: ast.stmt) -> set[str]:
        if id(statement) not in self._read:
            self._read[id(statement)] = _reads(statement)
        return self._read[id(statement)]

    def differs(self, module: str, name: str) -> bool:
        if (module, name) not in self._differs:
            old, new = self.old.home(module, name), self.new.home(module, name)
            before, after = self.old.statements(*old), self.new.statements(*new)
            self._differs[module, name] = old != new or [_dump(s) for s in before] != [_dump(s) for s in after]
        return self._differs[module, name]

    def both_classes(self, path: Path) -> bool:
        """Whether the path leads to a class that one statement makes, in both versions, outside of any block."""
        names = _names(path)
        versions = [v.statements(*v.home(path[0], names[0])) if names else [] for v in (self.old, self.new)]
        return len(names) == 1 and all(len(s) == 1 and isinstance(s[0], ast.ClassDef) for s in versions)

    def is_class(self, path: Path) -> bool:
        """Whether a class statement, in either version, is among what binds the first name of a path."""
        names = _names(path)[:1]
        bound = [s for v in (self.old, self.new) for name in names for s in v.statements(*v.home(path[0], name))]
        return any(isinstance(node, ast.ClassDef) for s in bound for node in ast.walk(s))

    def removed(self, module: str, qualname: str) -> bool:
        """Whether the new version has no such class any more."""
        statements = self.new.statements(module, qualname.partition(".")[0])
        return not statements


def _class_of(statements: list[ast.stmt]) -> list[ast.stmt] | None:
    """The body of the one class statement among those that bind a name."""
    bodies = [statement.body for statement in statements if isinstance(statement, ast.ClassDef)]
    return bodies[0] if len(bodies) == 1 else None


def _passing_on(statements: list[ast.stmt]) -> list[str]:
    """The others that bind it, as ``Point = add_order(Point)`` does: what they add is no member of the body."""
    return [_dump(statement, blank=True) for statement in statements if not isinstance(statement, ast.ClassDef)]


def _names(path: Path) -> list[str]:
    """The leading names of a path, as far as they go through namespaces."""
    names = []
    for label in path[1:]:
        if not label.startswith("."):
            break
        names.append(label[1:])
    return names


def _bindings(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """By name, the statements of a body that bind it, in order; blocks count as one statement."""
    found: dict[str, list[ast.stmt]] = {}
    for statement in body:
        for name in dict.fromkeys(_bound(statement)):
            found.setdefault(name, []).append(statement)
    return found


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Import):
        yield from (a.asname or a.name.partition(".")[0] for a in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (a.asname or a.name for a in node.names)
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif not isinstance(node, ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _bound(child)


def _reads(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def _unannotated(statements: list[ast.stmt]) -> list[ast.stmt]:
    """What makes the value of a module's variable: it is state, and annotations say nothing of it."""
    found = []
    for node in statements:
        if isinstance(node, ast.AnnAssign):
            found += [] if node.value is None else [ast.Assign(targets=[node.target], value=node.value)]
        else:
            found.append(node)
    return found or statements


def _dump(node: ast.stmt, *, blank: bool = False) -> str:
    """The statement as text; ``blank`` leaves out bodies of functions and docstrings."""
    parts: list[str] = []
    _write(node, blank, parts)
    return "".join(parts)


def _write(value: object, blank: bool, parts: list[str]) -> None:
    if isinstance(value, ast.AST):
        parts.append(f"{type(value).__name__}(")
        for name in value._fields:
            if blank and name == "body" and isinstance(value, _FUNCTIONS):
                continue
            inner = getattr(value, name, None)
            if blank and name == "body" and isinstance(value, ast.ClassDef) and ast.get_docstring(value, clean=False):
                inner = value.body[1:]
            _write(inner, blank, parts)
            parts.append(",")
        parts.append(")")
    elif isinstance(value, list):
        for item in value:
            _write(item, blank, parts)
            parts.append(";")
    else:
        parts.append(repr(value))
