"""Turns the source of one module into its encoded build.

It cuts the module into units, compiles each of them alone, with and without its decorators, and notes of each what
`outlines` and `scan` tell. It parses and compiles; it never runs what it builds. The rule it upholds: a unit's code
does in the module's namespace what its statement does there in an import.
"""

from __future__ import annotations
import __future__

import ast
import copy
import sys
from types import CodeType

from . import modulecode
from .grafts import children, class_body, graft
from .outlines import FUNCTIONS, class_outline, digest, docstring
from .parsing import parse
from .scan import deeds, scan
from .units import DECORATORS_NAME, Build, EncodedBuild, Import, Unit, encode

_FUTURE_FLAGS = {name: getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}


def build(source: bytes, name: str, path: str, package: bool, optimize: int = -1) -> EncodedBuild:
    """Compiles ``source`` and returns the encoded build.

    ``name`` is the module's dotted name, ``path`` what its code objects carry as file name until they are loaded,
    ``optimize`` as for `compile`. Raises SyntaxError as `compile` does (also for bad encodings and null bytes).
    """
    try:
        tree = parse(source, path)
        code = compile(tree, path, "exec", dont_inherit=True, optimize=optimize)
    except (ValueError, RecursionError) as error:  # null bytes on older versions; nesting beyond the compiler
        raise SyntaxError(str(error), (path, 1, 1, "", 1, 1)) from None
    package_name = name if package else name.rpartition(".")[0]
    table = _Table(path, package_name, _future_flags(tree), optimize)
    text, body = docstring(tree.body)
    doc = _born_doc(text, optimize)
    units = graft(code, table.units(body, ()))
    return EncodedBuild(modulecode.encode(code), encode(Build(doc, units)))


def _future_flags(tree: ast.Module) -> int:
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= _FUTURE_FLAGS.get(alias.name, 0)
    return flags


def _born_doc(text: str | None, optimize: int) -> str | None:
    """A docstring as the compiler leaves it: newer ones take the indentation out, and ``-OO`` takes it all."""
    if text is None:
        return None
    function = parse("def f(): pass").body[0]
    function.body = [ast.Expr(ast.Constant(text))]  # type: ignore[attr-defined]  # the parser's result is a def
    module = ast.fix_missing_locations(ast.Module(body=[function], type_ignores=[]))
    code: CodeType = compile(module, "", "exec", dont_inherit=True, optimize=optimize)
    first = children(code)[0].co_consts[0]
    return first if isinstance(first, str) else None


class _Table:
    """Makes the units of one module: what is the same for all of them."""

    def __init__(self, path: str, package: str, flags: int, optimize: int) -> None:
        self.path, self.package, self.flags, self.optimize = path, package, flags, optimize
        self.textual = bool(flags & _FUTURE_FLAGS["annotations"])

    def units(self, body: list[ast.stmt], classes: tuple[ast.ClassDef, ...]) -> list[Unit]:
        """The units of a body; ``classes`` are the classes around it, outermost first."""
        seen: dict[str, int] = {}
        units = []
        for node in body:
            if isinstance(node, (ast.Pass, ast.Global)) or (
                isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            ):
                continue
            unit = self.unit(node, classes)
            nth = seen[unit.key] = seen.get(unit.key, 0) + 1
            units.append(unit if nth == 1 else unit._replace(key=f"{unit.key}#{nth}"))
        return units

    def unit(self, node: ast.stmt, classes: tuple[ast.ClassDef, ...]) -> Unit:
        seen = scan(node)
        owner = classes[-1].name if classes else ""
        names = tuple(_mangled(name, owner) for name in seen.names)
        plain = node if classes else _unannotated(node)
        kind, key = _kind_and_key(plain, names)
        decorators: list[ast.expr] = []
        bare = decorate = bases = doc = annotate = None
        members: tuple[Unit, ...] = ()
        line = node.lineno
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            decorators = node.decorator_list
            if decorators:
                line = min(line, *(d.lineno for d in decorators))
                bare = self.compile(_without_decorators(node), classes)
                decorate = self.compile(_bind(_tuple(decorators), node), classes)
        if isinstance(node, ast.ClassDef):
            text, rest = docstring(node.body)
            doc = _born_doc(text, self.optimize)
            members = tuple(self.units(rest, (*classes, node)))
            bases = self.compile(_bind(_header(node), node), classes)
        if isinstance(node, ast.AnnAssign) and seen.annotated:
            annotate = self.compile(_without_value(node), classes)
        elif isinstance(node, FUNCTIONS) and (quiet := _without_calls(node, textual=self.textual)) is not None:
            annotate = self.compile(quiet, classes)
        return Unit(
            kind=kind,
            key=key,
            names=names,
            outline=self.outline(plain, seen.annotates),
            decorators=digest(decorators) if decorators else "",
            reads=tuple(sorted(_mangled(name, owner) for name in seen.reads)),
            calls=tuple(sorted(_mangled(path, owner) for path in seen.calls)),
            effect=seen.effect,
            line=line,
            imports=tuple(i for found in seen.imports for i in self.imports(found)),
            code=self.compile(node, classes),
            bare=bare,
            decorate=decorate,
            members=members,
            bases=bases,
            doc=doc,
            annotated=seen.annotated,
            annotate=annotate,
            textual=self.textual,
            certain=_binds_for_sure(node),
            **deeds(node),
        )

    def outline(self, node: ast.stmt, annotates: bool) -> str:
        if isinstance(node, ast.ClassDef):
            return class_outline(node)
        textual = self.textual and annotates and not isinstance(node, (ast.AnnAssign, ast.Assign))
        return digest([node, "annotations"] if textual else node)

    def compile(self, node: ast.stmt, classes: tuple[ast.ClassDef, ...]) -> CodeType:
        """Code that runs ``node`` alone; inside classes, the body of the innermost with nothing else in it.

        The classes around it are kept by name only, for qualified names, private names and ``__class__``.
        """
        for outer in reversed(classes):
            shell = ast.ClassDef(name=outer.name, bases=[], keywords=[], body=[node], decorator_list=[])
            if sys.version_info >= (3, 12):
                shell.type_params = outer.type_params
            node = ast.copy_location(shell, outer)
        module = ast.Module(body=[node], type_ignores=[])
        code = compile(module, self.path, "exec", flags=self.flags, dont_inherit=True, optimize=self.optimize)
        found: CodeType = code  # compile's declared result is Any
        for outer in classes:
            body = class_body(children(found), outer.name)
            assert body is not None  # it was just compiled
            found = body
        return found

    def imports(self, node: ast.stmt) -> list[Import]:
        found: list[Import] = []
        if isinstance(node, ast.Import):
            found.extend(Import(a.name, "", a.asname or a.name.partition(".")[0]) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = self.absolute(node.module or "", node.level)
            found.extend(Import(module, alias.name, alias.asname or alias.name) for alias in node.names)
        return found

    def absolute(self, module: str, level: int) -> str:
        if not level:
            return module
        parts = self.package.split(".")
        anchor = ".".join(parts[: len(parts) - (level - 1)])
        return f"{anchor}.{module}" if module else anchor


def _kind_and_key(node: ast.stmt, names: tuple[str, ...]) -> tuple[str, str]:
    if isinstance(node, FUNCTIONS):
        return "function", f"def {node.name}"
    if isinstance(node, ast.ClassDef):
        return "class", f"class {node.name}"
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "import", "import " + ", ".join(names)
    if isinstance(node, ast.AnnAssign) and names:
        return "assign", names[0] + ": "
    if isinstance(node, ast.Assign) and names:
        return "assign", ", ".join(names) + " ="
    return "other", f"{type(node).__name__} {digest(node)[:16]}"


def _mangled(name: str, owner: str) -> str:
    """The name that a private one in the body of class ``owner`` stands for."""
    prefix, root = owner.lstrip("_"), name.partition(".")[0]
    private = root.startswith("__") and not root.endswith("__")
    return f"_{prefix}{name}" if private and prefix else name


def _without_decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> ast.stmt:
    fields = {name: getattr(node, name) for name in node._fields if hasattr(node, name)}
    return ast.copy_location(type(node)(**{**fields, "decorator_list": []}), node)


def _binds_for_sure(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return all(alias.name != "*" for alias in node.names)
    if isinstance(node, ast.AnnAssign):
        return node.value is not None
    return isinstance(node, (ast.Assign, ast.AugAssign, ast.Import, ast.ClassDef, *FUNCTIONS))


def _without_value(node: ast.AnnAssign) -> ast.stmt:
    bare = ast.AnnAssign(target=node.target, annotation=node.annotation, value=None, simple=node.simple)
    return ast.copy_location(bare, node)


def _without_calls(node: ast.FunctionDef | ast.AsyncFunctionDef, *, textual: bool) -> ast.stmt | None:
    """The ``def`` with ``...`` for each default and annotation that a call gives, without a body; None if none does."""
    defaults = [*node.args.defaults, *node.args.kw_defaults]
    arguments = (part for part in ast.walk(node.args) if isinstance(part, ast.arg))
    annotations = [] if textual else [node.returns, *(argument.annotation for argument in arguments)]
    silent = {id(part): ast.Constant(...) for part in (*defaults, *annotations) if part is not None and _calls(part)}
    if not silent:
        return None
    fields = {name: getattr(node, name) for name in node._fields if hasattr(node, name)}
    born = {name: copy.deepcopy(getattr(node, name), dict[int, object](silent)) for name in ("args", "returns")}
    quiet = type(node)(**{**fields, **born, "decorator_list": [], "body": [ast.Pass()]})
    return ast.fix_missing_locations(ast.copy_location(quiet, node))


def _calls(value: ast.AST) -> bool:
    """Whether evaluating an expression calls something by itself, not only in a lambda."""
    if isinstance(value, (ast.Call, ast.Await)):
        return True
    return not isinstance(value, ast.Lambda) and any(map(_calls, ast.iter_child_nodes(value)))


def _unannotated(node: ast.stmt) -> ast.stmt:
    """What makes the value of a module's variable: with another annotation it is the same. In classes it may be not."""
    if isinstance(node, ast.AnnAssign) and node.simple and node.value is not None:
        return ast.copy_location(ast.Assign(targets=[node.target], value=node.value), node)
    return node


def _bind(value: ast.expr, near: ast.stmt) -> ast.stmt:
    target = ast.Name(id=DECORATORS_NAME, ctx=ast.Store())
    return ast.fix_missing_locations(ast.copy_location(ast.Assign(targets=[target], value=value), near))


def _tuple(values: list[ast.expr]) -> ast.expr:
    return ast.Tuple(elts=values, ctx=ast.Load())


def _header(node: ast.ClassDef) -> ast.expr:
    keys: list[ast.expr | None] = [None if k.arg is None else ast.Constant(k.arg) for k in node.keywords]
    return _tuple([_tuple(node.bases), ast.Dict(keys=keys, values=[k.value for k in node.keywords])])
