"""Whether a live module is a given version of its source, told from what is live and not from any record of it.

What it looks at: every function that structure leads to from the module's namespace and that says it is of the
module's file (its code must be of this version), the plain definitions of the version (their code must be found), and
names that are bound once, to a plain constant (their value must be the constant). What it does not: it cannot judge
values that the app computes, nor code objects that only a running frame or a foreign container holds; and it takes a
tool that rewrites bytecode at import for other code, as it is.

The rule it upholds: it runs no code of the app and changes nothing; what cannot be judged is not counted as right, so
the number of functions and constants that were compared is part of the answer.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import CodeType, FunctionType, ModuleType
from typing import Any

from .building.modulecode import main_code
from .building.parsing import parse
from .building.units import Unit, decode
from .finding.live import MAX_OBJECTS, reachable
from .image import ModuleImage
from .showing.editions import names_of

_UNBOUND: Any = object()


@dataclass(frozen=True, slots=True)
class Finding:
    """How a live module compares with one version: how much was compared, and what deviates, by name and reason."""

    functions: int
    constants: int
    deviating: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Version:
    """What must be there: only this code, these plain definitions by name and line, these constants by name."""

    codes: frozenset[CodeType]
    definitions: Mapping[tuple[str, int], str]
    constants: Mapping[str, object]

    @classmethod
    def of_image(cls, image: ModuleImage) -> Version:
        """What a module is after an import of this image, or after a swap to it."""
        codes = set(_nested(main_code(image.code, image.filename)))
        for unit in decode(image.units, image.filename).units:
            codes.update(_of_unit(unit))
        return cls(frozenset(codes), *_named(parse(image.source)))

    @classmethod
    def of_source(cls, source: bytes) -> Version:
        """What a module is after an import from the disk. Raises SyntaxError."""
        tree = parse(source)
        return cls(frozenset(_nested(compile(tree, "<module>", "exec", dont_inherit=True))), *_named(tree))


def compare(module: ModuleType, expected: Version, own_modules: frozenset[str]) -> Finding:
    """Compare a live module with a version. Any thread; a swap under way may be seen half done."""
    names = names_of(module.__file__ or "")
    seen, functions = 0, []
    for item in reachable([dict(vars(module))], own_modules):
        seen += 1
        if type(item) is FunctionType and item.__code__.co_filename in names:
            functions.append(item)
    deviating = {
        f"{function.__qualname__}: its code is not of this version"
        for function in functions
        if function.__code__ not in expected.codes
    }
    if seen < MAX_OBJECTS:  # beyond that not all that is there was looked at
        found = {(function.__code__.co_qualname, function.__code__.co_firstlineno) for function in functions}
        deviating |= {f"{name}: not found" for place, name in expected.definitions.items() if place not in found}
    for name, value in expected.constants.items():
        now = vars(module).get(name, _UNBOUND)
        if type(now) is not type(value) or now != value:
            deviating.add(f"{name}: not the constant of this version")
    return Finding(len(functions), len(expected.constants), tuple(sorted(deviating)))


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _nested(constant)


def _of_unit(unit: Unit) -> Iterator[CodeType]:
    """Code as a swap gives it to living functions, where it could not be made the same as the module's own."""
    for code in (unit.code, unit.bare, unit.decorate):
        if code is not None:
            yield from _nested(code)
    for member in unit.members:
        yield from _of_unit(member)


def _named(tree: ast.Module) -> tuple[dict[tuple[str, int], str], dict[str, object]]:
    bound = Counter(_bound(tree))
    definitions = {
        (qualname, line): qualname
        for qualname, line in _definitions(tree.body, "")
        if bound[qualname.partition(".")[0]] == 1
    }
    constants = {name: value for name, value in _constants(tree.body) if bound[name] == 1}
    return definitions, constants


def _bound(tree: ast.Module) -> Iterator[str]:
    """Each name as often as the module's own statements, or a function's `global`, bind or delete it."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name
                yield from _declared_global(node)
                continue
            case ast.Name(ctx=ast.Store() | ast.Del()):
                yield node.id
            case ast.alias():
                yield (node.asname or node.name).partition(".")[0]
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
        waiting.extend(ast.iter_child_nodes(node))


def _declared_global(node: ast.AST) -> Iterator[str]:
    return (name for inner in ast.walk(node) if isinstance(inner, ast.Global) for name in inner.names)


def _definitions(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, int]]:
    """Functions without decorators, of the module and of classes without decorators, each name once in its body."""
    counts = Counter(node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    for node in body:
        if isinstance(node, ast.ClassDef) and not (node.decorator_list or node.keywords):
            yield from _definitions(node.body, f"{prefix}{node.name}.")
        elif (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and not node.decorator_list
            and counts[node.name] == 1
        ):
            yield f"{prefix}{node.name}", node.lineno


def _constants(body: list[ast.stmt]) -> Iterator[tuple[str, object]]:
    for node in body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=value)):
                yield name, value
