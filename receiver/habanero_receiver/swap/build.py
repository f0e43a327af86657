"""Turns the source of one module into its units and their bytecode.

A *build* is what a release carries for each module beside its source: the module's code object, for imports, and a
table of its units, for swaps. A unit is one top-level statement, or one member of a class body. Each has

* an *outline*: a digest of the statement with the bodies of functions and lambdas, the docstrings and all positions
  left out. Two units with the same outline differ in bodies alone: nothing has to run to go from one to the other;
* the names that it binds and reads when it runs, and whether running it could be seen by anyone;
* code objects that run it alone.

The file is self-contained and needs the standard library only, since it also runs as a script in the interpreter
whose bytecode is wanted: ``pythonX.Y -I -S build.py --serve``. It parses and compiles; it never runs what it builds.
"""

from __future__ import annotations
import __future__

import ast
import hashlib
import importlib
import marshal
import struct
import sys
from types import CodeType
from typing import Any, NamedTuple

MAGIC = b"HABUNIT2"
_HEAD = struct.Struct(">8sI")
DECORATORS_NAME = "__habanero_decorators__"
"""The name under which a unit's ``decorate`` code leaves the tuple of its decorators."""

RESULT = "()"
PURE, CALLS, ANY = 0, 1, 2
"""What running a unit can do: only read names; also call what it reads; anything."""

_FUTURE_FLAGS = {name: getattr(__future__, name).compiler_flag for name in __future__.all_feature_names}
_WORDS = {"AsyncFor": "for", "AsyncWith": "with", "AugAssign": "assignment", "Assign": "assignment", "Delete": "del",
          "AnnAssign": "assignment", "Expr": "expression", "TryStar": "try"}  # fmt: skip
"""How statements are called that are not called by their keyword."""
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_PURE_NODES = (
    ast.Constant, ast.Name, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Tuple,
    ast.List, ast.Dict, ast.Set, ast.JoinedStr, ast.FormattedValue, ast.Subscript, ast.Slice, ast.Starred, ast.Lambda,
)  # fmt: skip


class Import(NamedTuple):
    """One name bound by an import: ``from module import name as bound`` (``name`` empty for ``import module``)."""

    module: str
    name: str
    bound: str


class Unit(NamedTuple):
    """One top-level statement of a module, or one member of a class body."""

    kind: str
    """function, class, import, assign or other."""
    key: str
    """What the unit is in its body, by which an older and a newer one are recognised as the same."""
    names: tuple[str, ...]
    """The names that it binds."""
    outline: str
    """Digest of all but bodies, docstrings and positions. Of a class: of its header alone, in four parts.

    What annotations are (objects, or text under ``from __future__``) is in it wherever there are some, except in that
    of an annotated variable: see ``annotate``."""
    decorators: str
    """Digest of its decorators, empty without any."""
    reads: tuple[str, ...]
    """The names that it reads when it runs, in function bodies excepted."""
    calls: tuple[str, ...]
    """What it calls when it runs, as dotted paths; RESULT is the root of what is no name."""
    effect: int
    """PURE, CALLS or ANY."""
    line: int
    imports: tuple[Import, ...]
    code: CodeType
    """Runs the statement alone: a module's code object, or for a member the body of a class of the same name."""
    bare: CodeType | None
    """Of a function or class with decorators: the same statement without them."""
    decorate: CodeType | None
    """Of a function or class with decorators: binds DECORATORS_NAME to the tuple of them, as written."""
    members: tuple[Unit, ...]
    """Of a class: its members."""
    bases: CodeType | None
    """Of a class: binds DECORATORS_NAME to the pair of its bases and its keywords, as a tuple and a dictionary."""
    doc: str | None
    """Of a class: its docstring."""
    annotated: tuple[str, ...]
    """The variables whose annotations it records."""
    annotate: CodeType | None
    """Of an annotated variable: records its annotation and leaves its value alone."""
    textual: bool
    """Whether annotations are text."""
    certain: bool
    """Whether running it binds its names for sure; that of a block, a star or a mere annotation shows when it runs."""
    closed: bool
    """Whether all that it does is told by ``asks`` and ``stores``, so that it can run beside the live process."""
    asks: tuple[tuple[str, bool, str], ...]
    """What it calls: the name at the root, whether something stands between, the method (empty: the name itself).

    The root is empty for what has no name, or one that the statement alone uses, like a loop's.
    """
    stores: tuple[tuple[str, bool], ...]
    """What it sets or deletes items of, or adds to in place: root and whether something stands between, as above."""
    attributes: tuple[tuple[str, str], ...]
    """The attributes of names that it sets or deletes: name and attribute."""

    @property
    def label(self) -> str:
        """What the unit is called in what people read: a statement without a name goes by its line."""
        if self.kind != "other":
            return self.key
        word = self.key.partition(" ")[0]
        return f"{_WORDS.get(word, word.lower())} at line {self.line}"

    @property
    def call_roots(self) -> tuple[str, ...]:
        """The names at the root of what it calls."""
        return tuple(path.partition(".")[0] for path in self.calls)

    @property
    def spelled(self) -> str:
        """The name of a ``def`` or class as its code has it; a private member is bound under another."""
        return self.key.partition("#")[0].partition(" ")[2]


class Build(NamedTuple):
    """All that a swap knows of one version of a module."""

    doc: str | None
    units: tuple[Unit, ...]


def build(source: bytes, name: str, path: str, package: bool, optimize: int = -1) -> bytes:
    """Compiles ``source`` and returns the encoded build.

    ``name`` is the module's dotted name, ``path`` what its code objects carry as file name until they are loaded,
    ``optimize`` as for `compile`. Raises SyntaxError as `compile` does (also for bad encodings and null bytes).
    """
    try:
        tree = ast.parse(source, path)
        code = compile(tree, path, "exec", dont_inherit=True, optimize=optimize)
    except (ValueError, RecursionError) as error:  # null bytes on older versions; nesting beyond the compiler
        raise SyntaxError(str(error), (path, 1, 1, "", 1, 1)) from None
    package_name = name if package else name.rpartition(".")[0]
    table = _Table(path, package_name, _future_flags(tree), optimize)
    text, body = _docstring(tree.body)
    doc = _born_doc(text, optimize)
    units = _graft(code, table.units(body, ()))
    main = marshal.dumps(code)
    return _HEAD.pack(MAGIC, len(main)) + main + marshal.dumps((doc, tuple(map(_plain, units))))


def main_code(blob: bytes | memoryview, filename: str) -> CodeType:
    """The whole module's code object, with ``filename`` as its file. Call it on verified bytes only."""
    size = _main_size(blob)
    code = marshal.loads(memoryview(blob)[_HEAD.size : _HEAD.size + size])
    if not isinstance(code, CodeType) or code.co_name != "<module>":
        raise ValueError("not the code object of a module")
    _set_filename(code, filename)
    return code


def decode(blob: bytes | memoryview, filename: str) -> Build:
    """The units of an encoded build, with ``filename`` as their file. Call it on verified bytes only."""
    doc, units = marshal.loads(memoryview(blob)[_HEAD.size + _main_size(blob) :])
    return Build(doc, tuple(_unit(fields, filename) for fields in units))


def _main_size(blob: bytes | memoryview) -> int:
    if len(blob) < _HEAD.size:
        raise ValueError("not a build: too short")
    magic, size = _HEAD.unpack_from(blob)
    if magic != MAGIC or _HEAD.size + size >= len(blob):
        raise ValueError("not a build of this format")
    return int(size)


def _plain(unit: Unit) -> tuple[Any, ...]:
    """The unit as marshal takes it: exact tuples all the way down."""
    fields = unit._asdict()
    fields["imports"] = tuple(tuple(i) for i in unit.imports)
    fields["members"] = tuple(_plain(m) for m in unit.members)
    return tuple(fields.values())


def _unit(fields: tuple[Any, ...], filename: str) -> Unit:
    unit = Unit(*fields)
    for code in (unit.code, unit.bare, unit.decorate, unit.bases, unit.annotate):
        if code is not None:
            _set_filename(code, filename)
    return unit._replace(
        imports=tuple(Import(*i) for i in unit.imports),
        members=tuple(_unit(m, filename) for m in unit.members),
    )


def _set_filename(code: CodeType, filename: str) -> None:
    """Names the file in ``code`` and all that it contains, as the import system does for a moved .pyc."""
    fix: Any = importlib.import_module("_imp")._fix_co_filename
    fix(code, filename)


def _future_flags(tree: ast.Module) -> int:
    flags = 0
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module == "__future__":
            for alias in node.names:
                flags |= _FUTURE_FLAGS.get(alias.name, 0)
    return flags


def _docstring(body: list[ast.stmt]) -> tuple[str | None, list[ast.stmt]]:
    """The docstring of a module's or class's body, and the body without it."""
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        text = body[0].value.value
        if isinstance(text, str):
            return text, body[1:]
    return None, body


def _born_doc(text: str | None, optimize: int) -> str | None:
    """A docstring as the compiler leaves it: newer ones take the indentation out, and ``-OO`` takes it all."""
    if text is None:
        return None
    function = ast.parse("def f(): pass").body[0]
    function.body = [ast.Expr(ast.Constant(text))]  # type: ignore[attr-defined]  # the parser's result is a def
    module = ast.fix_missing_locations(ast.Module(body=[function], type_ignores=[]))
    code: CodeType = compile(module, "", "exec", dont_inherit=True, optimize=optimize)
    first = _children(code)[0].co_consts[0]
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
        scan = _Scan()
        scan.visit(node)
        owner = classes[-1].name if classes else ""
        names = tuple(_mangled(name, owner) for name in scan.names)
        kind, key = _kind_and_key(node, names)
        decorators: list[ast.expr] = []
        bare = decorate = bases = doc = annotate = None
        members: tuple[Unit, ...] = ()
        line = node.lineno
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            decorators = node.decorator_list
            if decorators:
                line = min(line, *(d.lineno for d in decorators))
                bare = self.compile(_without_decorators(node), classes)
                decorate = self.compile(_bind(_tuple(decorators), node), classes)
        if isinstance(node, ast.ClassDef):
            text, rest = _docstring(node.body)
            doc = _born_doc(text, self.optimize)
            members = tuple(self.units(rest, (*classes, node)))
            bases = self.compile(_bind(_header(node), node), classes)
        if isinstance(node, ast.AnnAssign) and scan.annotated:
            annotate = self.compile(_without_value(node), classes)
        return Unit(
            kind=kind,
            key=key,
            names=names,
            outline=self.outline(node, scan),
            decorators=_digest(decorators) if decorators else "",
            reads=tuple(sorted(_mangled(name, owner) for name in scan.reads)),
            calls=tuple(sorted(_mangled(path, owner) for path in scan.calls)),
            effect=scan.effect,
            line=line,
            imports=tuple(i for found in scan.imports for i in self.imports(found)),
            code=self.compile(node, classes),
            bare=bare,
            decorate=decorate,
            members=members,
            bases=bases,
            doc=doc,
            annotated=tuple(scan.annotated),
            annotate=annotate,
            textual=self.textual,
            certain=_binds_for_sure(node),
            **_deeds(node),
        )

    def outline(self, node: ast.stmt, scan: _Scan) -> str:
        if isinstance(node, ast.ClassDef):
            return _class_outline(node)
        textual = self.textual and scan.annotates and not isinstance(node, ast.AnnAssign)
        return _digest([node, "annotations"] if textual else node)

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
            body = _class_body(_children(found), outer.name)
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
    if isinstance(node, _FUNCTIONS):
        return "function", f"def {node.name}"
    if isinstance(node, ast.ClassDef):
        return "class", f"class {node.name}"
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "import", "import " + ", ".join(names)
    if isinstance(node, ast.AnnAssign) and names:
        return "assign", names[0] + ": "
    if isinstance(node, ast.Assign) and names:
        return "assign", ", ".join(names) + " ="
    return "other", f"{type(node).__name__} {_digest(node)[:16]}"


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
    return isinstance(node, (ast.Assign, ast.AugAssign, ast.Import, ast.ClassDef, *_FUNCTIONS))


def _without_value(node: ast.AnnAssign) -> ast.stmt:
    bare = ast.AnnAssign(target=node.target, annotation=node.annotation, value=None, simple=node.simple)
    return ast.copy_location(bare, node)


def _bind(value: ast.expr, near: ast.stmt) -> ast.stmt:
    target = ast.Name(id=DECORATORS_NAME, ctx=ast.Store())
    return ast.fix_missing_locations(ast.copy_location(ast.Assign(targets=[target], value=value), near))


def _tuple(values: list[ast.expr]) -> ast.expr:
    return ast.Tuple(elts=values, ctx=ast.Load())


def _header(node: ast.ClassDef) -> ast.expr:
    keys: list[ast.expr | None] = [None if k.arg is None else ast.Constant(k.arg) for k in node.keywords]
    return _tuple([_tuple(node.bases), ast.Dict(keys=keys, values=[k.value for k in node.keywords])])


def _graft(whole: CodeType, units: list[Unit]) -> tuple[Unit, ...]:
    """Puts the functions of the whole module's code into the units' own, so that a function is the same either way.

    Compiled alone, a statement lacks what the compiler knows of the rest (which names are imported), and its functions
    get other, if equivalent, bytecode. Both list functions in the order of the source.
    """
    waiting = [c for c in whole.co_consts if isinstance(c, CodeType)]
    if len(waiting) != sum(len(_children(unit.code)) for unit in units):
        return tuple(units)
    grafted = []
    for unit in units:
        count = len(_children(unit.code))
        mine, waiting = waiting[:count], waiting[count:]
        bare, decorate = unit.bare, unit.decorate
        if bare is not None:  # decorators are evaluated first
            bare = _with_children(bare, mine[count - len(_children(bare)) :])
        if decorate is not None:
            decorate = _with_children(decorate, mine[: len(_children(decorate))])
        members = unit.members
        if unit.kind == "class":
            body = _class_body(mine, unit.spelled)
            members = members if body is None else _graft(body, list(members))
        code = _with_children(unit.code, mine)
        grafted.append(unit._replace(code=code, bare=bare, decorate=decorate, members=members))
    return tuple(grafted)


def _class_body(codes: list[CodeType], name: str) -> CodeType | None:
    """The body of a class among the code of its statement; with type parameters it is inside of what binds these."""
    for code in codes:
        if code.co_name == name:
            return code
        if code.co_name == f"<generic parameters of {name}>":
            return _class_body(_children(code), name)
    return None


def _children(code: CodeType) -> list[CodeType]:
    return [c for c in code.co_consts if isinstance(c, CodeType)]


def _with_children(code: CodeType, children: list[CodeType]) -> CodeType:
    following = iter(children)
    return code.replace(co_consts=tuple(next(following) if isinstance(c, CodeType) else c for c in code.co_consts))


def _class_outline(node: ast.ClassDef) -> str:
    """Four digests, joined by colons: what makes it another class, its bases, its decorators, its keywords."""
    fixed = [node.name, [k for k in node.keywords if k.arg == "metaclass"], getattr(node, "type_params", [])]
    keywords = [k for k in node.keywords if k.arg != "metaclass"]
    return ":".join(map(_digest, (fixed, node.bases, node.decorator_list, keywords)))


class _Scan(ast.NodeVisitor):
    """What a statement binds, reads and calls when it runs; the bodies of functions do not run."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.reads: set[str] = set()
        self.calls: set[str] = set()
        self.imports: list[ast.stmt] = []
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
            node, (ast.Assign, ast.AnnAssign, *_FUNCTIONS, ast.Import, ast.ImportFrom)
        ):
            self.effect = ANY
        super().visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.reads.add(node.id)
        else:
            self.bind(node.id)

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
        self.scope(list(ast.iter_child_nodes(node)))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension  # noqa: N815


_CLOSED_STATEMENTS = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.If, ast.Expr, ast.Delete, ast.Pass)
_CLOSED_NODES = (*_PURE_NODES, ast.Call, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_KEEPERS = ("append", "appendleft", "add", "insert", "setdefault", "update", "extend")
"""Methods that keep a function that they are given, and do not call it."""


def _deeds(node: ast.stmt) -> dict[str, Any]:
    """What a statement does to the objects that it meets: `Unit`'s ``closed``, ``asks``, ``stores``, ``attributes``."""
    found = _Deeds()
    found.visit(node)
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
        if not isinstance(node, (*_FUNCTIONS, ast.ClassDef, ast.Lambda)):
            super().visit(node)

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


def _digest(node: object) -> str:
    parts: list[str] = []
    _outline(node, parts)
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _outline(node: object, parts: list[str]) -> None:
    """Writes the shape of ``node``: everything but bodies of functions and lambdas, docstrings and positions."""
    if isinstance(node, ast.AST):
        parts.append(type(node).__name__ + "(")
        for field in node._fields:
            if field in ("ctx", "type_comment", "kind") or (
                field == "body" and isinstance(node, (*_FUNCTIONS, ast.Lambda))
            ):
                continue
            value = getattr(node, field, None)
            if field == "body" and isinstance(node, ast.ClassDef):
                value = _docstring(node.body)[1]
            _outline(value, parts)
        parts.append(")")
    elif isinstance(node, list):
        parts.append("[")
        for item in node:
            _outline(item, parts)
        parts.append("]")
    else:
        parts.append(f"{type(node).__name__}:{node!r}")


def serve() -> None:
    """Answers requests on standard input until it ends, each from a child of its own.

    A request is a line of JSON ``{"optimize": n, "modules": [{"name", "path", "package", "size"}, ...]}`` and then the
    sources, one after the other. The answer is a line ``{"modules": [{"size": n} | {"error": {"message", "line",
    "column", "text"}}]}`` and then the builds. The child makes the answer independent of what was built before.
    """
    import importlib.util
    import json
    import os

    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    tag = {
        "implementation": sys.implementation.name,
        "cache_tag": sys.implementation.cache_tag,
        "magic": int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little"),
        "version": sys.version.split()[0],
    }
    stdout.write(json.dumps(tag).encode() + b"\n")
    stdout.flush()
    while line := stdin.readline():
        request = json.loads(line)
        sources = [stdin.read(module["size"]) for module in request["modules"]]
        child = os.fork() if hasattr(os, "fork") else 0
        if child:
            _, status = os.waitpid(child, 0)
            if status:
                raise SystemExit(f"the build's child ended with status {status}")
            continue
        _answer(stdout, request, sources)
        stdout.flush()
        if hasattr(os, "fork"):
            os._exit(0)


def _answer(stdout: Any, request: dict[str, Any], sources: list[bytes]) -> None:
    import json

    heads: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for module, source in zip(request["modules"], sources, strict=True):
        try:
            blob = build(source, module["name"], module["path"], module["package"], request.get("optimize", -1))
        except SyntaxError as error:
            place = {"line": error.lineno, "column": error.offset, "text": error.text}
            heads.append({"error": {"message": error.msg, **place}})
        else:
            heads.append({"size": len(blob)})
            blobs.append(blob)
    stdout.write(json.dumps({"modules": heads}).encode() + b"\n")
    for blob in blobs:
        stdout.write(blob)


if __name__ == "__main__" and sys.argv[1:] == ["--serve"]:
    serve()
