"""What a statement would bind, read, call and change if it ran, told from its syntax.

`scan` looks at names; `deeds` at the objects behind them. Nothing runs and no name is resolved: whether a call is
harmless is for the swap to judge, which knows the objects. The rule of both: the bodies of functions do not run when
the statement does, so they are not entered; what is not understood counts as ANY, or as not closed.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from .outlines import FUNCTIONS
from .units import ANY, CALLS, PURE, RESULT

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_PURE_NODES = (
    ast.Constant, ast.Name, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple,
    ast.List, ast.Dict, ast.Set, ast.JoinedStr, ast.FormattedValue, ast.Subscript, ast.Slice, ast.Starred, ast.Lambda,
)  # fmt: skip


class Scan(NamedTuple):
    """The names that a statement deals with when it runs. `Unit` says of most what they mean."""

    names: tuple[str, ...]
    """The names that it binds, in its order."""
    reads: frozenset[str]
    calls: frozenset[str]
    imports: tuple[ast.Import | ast.ImportFrom, ...]
    """The imports in it that bind names of its own scope."""
    effect: int
    annotates: bool
    """Whether there is an annotation in it."""
    annotated: tuple[str, ...]


def scan(node: ast.stmt) -> Scan:
    """What a statement binds, reads and calls when it runs."""
    found = _Names()
    found.visit(node)
    return Scan(
        tuple(found.names),
        frozenset(found.reads),
        frozenset(found.calls),
        tuple(found.imports),
        found.effect,
        found.annotates,
        tuple(found.annotated),
    )


class _Names(ast.NodeVisitor):
    """Collects names. It enters no body of a function, since that does not run."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.reads: set[str] = set()
        self.calls: set[str] = set()
        self.imports: list[ast.Import | ast.ImportFrom] = []
        self.effect = PURE
        self.annotates = False
        self.annotated: dict[str, None] = {}
        self.inner = 0  # depth of scopes whose stores are their own

    def bind(self, name: str) -> None:
        if not self.inner:
            self.names[name] = None

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr) and not isinstance(node, _PURE_NODES):
            self.effect = max(self.effect, CALLS if isinstance(node, (ast.Call, *_COMPREHENSIONS)) else ANY)
        elif isinstance(node, ast.stmt) and not isinstance(
            node, (ast.Assign, ast.AnnAssign, *FUNCTIONS, ast.Import, ast.ImportFrom)
        ):
            self.effect = ANY
        super().visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.reads.add(node.id)
        else:
            self.bind(node.id)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        if node.name is not None:
            self.bind(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs  # noqa: N815  # NodeVisitor's naming

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest is not None:
            self.bind(node.rest)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.annotates = True
        if node.simple and isinstance(node.target, ast.Name) and not self.inner:
            self.annotated[node.target.id] = None
        self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> None:
        self.annotates |= node.annotation is not None
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.effect = ANY  # it changes an object that others may hold
        self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.effect = ANY
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        root: ast.expr = node.func
        path: list[str] = []
        while isinstance(root, ast.Attribute):
            path.insert(0, root.attr)
            root = root.value
        if isinstance(root, ast.Name):
            path.insert(0, root.id)
        elif path:
            path.insert(0, RESULT)
        else:
            self.effect = ANY
        self.calls.add(".".join(path))
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        if not self.inner:
            self.imports.append(node)
        for alias in node.names:
            self.bind(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if not self.inner:
            self.imports.append(node)
        for alias in node.names:
            self.bind(alias.asname or alias.name)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.bind(node.name)
        if node.decorator_list:
            self.effect = ANY
        self.annotates |= node.returns is not None
        for part in (*node.decorator_list, node.args, *([node.returns] if node.returns else [])):
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # NodeVisitor's naming

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.generic_visit(node)  # its name is unbound again when the handler ends

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.bind(node.name)
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        self.scope(node.body)

    def scope(self, nodes: list[Any]) -> None:
        self.inner += 1
        for node in nodes:
            self.visit(node)
        self.inner -= 1

    def comprehension(self, node: Any) -> None:
        for inner in ast.walk(node):
            if isinstance(inner, ast.NamedExpr):  # binds its name around the comprehension
                self.visit(inner.target)
        self.scope(list(ast.iter_child_nodes(node)))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension  # noqa: N815


_CLOSED_STATEMENTS = (
    *FUNCTIONS, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.If, ast.Match, ast.Try, ast.Expr, ast.Delete,
    ast.Pass,
)  # fmt: skip
_CLOSED_NODES = (*_PURE_NODES, ast.Call, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_KEEPERS = ("append", "appendleft", "add", "insert", "setdefault", "update", "extend")
"""Methods that keep a function that they are given, and do not call it."""


def deeds(node: ast.stmt) -> dict[str, Any]:
    """What a statement does to the objects that it meets: `Unit`'s ``closed``, ``asks``, ``stores``, ``attributes``."""
    found = _Deeds()
    found.visit(node)
    found.closed &= not isinstance(node, FUNCTIONS)  # a swap has better ways for these
    direct = isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Delete))
    return {
        "closed": found.closed,
        "asks": tuple(sorted({("" if root in found.own else root, deep, how) for root, deep, how in found.asks})),
        "stores": tuple(sorted({("" if root in found.own else root, deep) for root, deep in found.stores})),
        "attributes": tuple(found.attributes) if direct else (),
    }


class _Deeds(ast.NodeVisitor):
    """Collects what a statement does to objects. It enters no body of a function or class."""

    def __init__(self) -> None:
        self.closed = True
        self.asks: set[tuple[str, bool, str]] = set()
        self.stores: set[tuple[str, bool]] = set()
        self.attributes: dict[tuple[str, str], None] = {}
        self.own: set[str] = set()

    def visit(self, node: ast.AST) -> None:
        if (isinstance(node, ast.stmt) and not isinstance(node, _CLOSED_STATEMENTS)) or (
            isinstance(node, ast.expr) and not isinstance(node, _CLOSED_NODES)
        ):
            self.closed = False
        if not isinstance(node, (ast.ClassDef, ast.Lambda)):
            super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """In a block: making a function does nothing else, unless decorators do."""
        self.closed &= not node.decorator_list
        for part in (node.args, *([node.returns] if node.returns else [])):
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # NodeVisitor's naming

    def visit_For(self, node: ast.For) -> None:
        self.own.update(_names_in(node.target))
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self.closed &= not node.is_async
        self.own.update(_names_in(node.target))
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.stores.add((node.target.id, False))
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.stores.add(_root(node.value))
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.closed = False
            if isinstance(node.value, ast.Name):
                self.attributes[node.value.id, node.attr] = None
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        method = ""
        if isinstance(node.func, ast.Attribute):
            method = node.func.attr
            self.asks.add((*_root(node.func.value), method))
        elif isinstance(node.func, ast.Name):
            self.asks.add((node.func.id, False, ""))
        else:
            self.closed = False
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if any(keyword.arg == "key" for keyword in node.keywords) or (
            method not in _KEEPERS and any(isinstance(value, ast.Lambda) for value in given)
        ):
            self.closed = False  # it calls what it is given
        self.generic_visit(node)


def _names_in(target: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}


def _root(node: ast.expr) -> tuple[str, bool]:
    """The name that an expression begins with, empty if it begins with none; whether something stands between."""
    deep = False
    while not isinstance(node, ast.Name):
        if isinstance(node, (ast.Attribute, ast.Subscript)):
            node, deep = node.value, True
        elif isinstance(node, ast.Call):
            node, deep = node.func, True
        else:
            return "", True
    return node.id, deep
