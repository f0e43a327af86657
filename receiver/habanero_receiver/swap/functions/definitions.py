"""The functions that are written inside others in a source, with what they are born with: defaults and annotations.

Their ``def`` is not a unit and does not run in a swap: it ran when the function around it did, long ago. What it gave
can be told where it is written as a constant, or as an expression that reads names of the module only. Pure: it reads
sources, and evaluates nothing that calls anything.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

from habanero_receiver.swap.building.parsing import parse

_Def = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_READS = (
    ast.Constant, ast.Name, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple,
    ast.Subscript, ast.Slice, ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context,
)  # fmt: skip
"""Expressions of these only read. Lists and the like are made anew each time: they are state."""
UNKNOWN: Any = object()


@dataclass(frozen=True, slots=True)
class Definition:
    """A function inside another, as it is written."""

    node: _Def
    hidden: frozenset[str]
    """The names that the functions around it bind: what they meant then cannot be known."""
    as_text: bool
    """Whether annotations are kept as text (``from __future__ import annotations``)."""
    shape: str
    """Equal if a function made from it is born with the same, for the same values."""

    def defaults(self) -> dict[str, ast.expr]:
        """The expressions of its defaults, by parameter."""
        spec = self.node.args
        positional = [*spec.posonlyargs, *spec.args]
        given = positional[len(positional) - len(spec.defaults) :]
        found = {a.arg: d for a, d in zip(given, spec.defaults, strict=True)}
        found.update({a.arg: d for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True) if d is not None})
        return found

    def annotations(self) -> dict[str, ast.expr]:
        """The expressions of its annotations, in the order in which Python keeps them."""
        if isinstance(self.node, ast.Lambda):
            return {}
        spec = self.node.args
        every = [*spec.posonlyargs, *spec.args, spec.vararg, *spec.kwonlyargs, spec.kwarg]
        found = {a.arg: a.annotation for a in every if a is not None and a.annotation is not None}
        return found | ({"return": self.node.returns} if self.node.returns is not None else {})

    def value(self, expression: ast.expr, scope: dict[str, Any], known: Mapping[str, Any]) -> Any:
        """What an expression of it gives, ``known`` names coming first; `UNKNOWN` if that cannot be told."""
        inside = list(ast.walk(expression))
        if not self.hidden.isdisjoint(names_in(expression)) or not all(isinstance(node, _READS) for node in inside):
            return UNKNOWN
        code = compile(ast.Expression(expression), "<definition>", "eval", dont_inherit=True)
        try:
            return eval(code, scope, known)  # noqa: S307  # verified code that reads names alone
        except Exception:  # a name that is not bound (yet), an operation that raises: as if it had not been told
            return UNKNOWN


def names_in(expression: ast.expr) -> set[str]:
    """The names that an expression reads."""
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def as_text(annotation: ast.expr) -> Any:
    """An annotation as the compiler keeps it as text."""
    probe = parse("from __future__ import annotations\nx: int")
    probe.body[1].annotation = annotation  # type: ignore[attr-defined]  # the parser's result is an assignment
    names: dict[str, Any] = {}
    exec(compile(probe, "<annotation>", "exec", dont_inherit=True), names)  # noqa: S102  # it runs nothing but this
    return names["__annotations__"]["x"]


def definitions(source: bytes) -> Mapping[tuple[str, int], list[Definition]]:
    """The functions inside functions of a source, by name and first line."""
    tree = parse(source)
    futures = (node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__")
    texts = any(alias.name == "annotations" for node in futures for alias in node.names)
    found: dict[tuple[str, int], list[Definition]] = defaultdict(list)
    for node, hidden in _inner(tree, None):
        name = "<lambda>" if isinstance(node, ast.Lambda) else node.name
        line = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        shape = "\n".join(ast.dump(part) for part in (node.args, getattr(node, "returns", None)) if part is not None)
        found[name, line].append(Definition(node, hidden, texts, shape))
    return found


def definition_of(code: CodeType, known: Mapping[tuple[str, int], list[Definition]]) -> Definition | None:
    """What a function's code was written as; lambdas that share a line are told by where their bodies stand."""
    found = known.get((code.co_name, code.co_firstlineno), [])
    if len(found) > 1:
        places = set(code.co_positions())
        found = [d for d in found if isinstance(d.node, ast.Lambda) and _place(d.node.body) in places]
    return found[0] if len(found) == 1 else None


def _place(node: ast.expr) -> tuple[int, int | None, int, int | None]:
    return node.lineno, node.end_lineno, node.col_offset, node.end_col_offset


def _inner(node: ast.AST, around: frozenset[str] | None) -> Iterator[tuple[_Def, frozenset[str]]]:
    """The functions below ``node`` that are inside another, with what those around them bind."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, _Def):
            yield from _inner(child, around)
            continue
        if around is not None:
            yield child, around
        yield from _inner(child, around if around is not None else _bound(child))


def _bound(function: _Def) -> frozenset[str]:
    """Every name that is bound anywhere inside a function: rather too many than too few."""
    found: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).partition(".")[0])
        elif isinstance(name := getattr(node, "name", None), str):  # defs, classes, handlers, patterns, parameters
            found.add(name)
    return frozenset(found)
