"""Describes what the modules of a process hold, as a graph that can leave the process and be compared with another's.

It is independent of the engine: nothing of it is imported here, and no code of the described modules is run (no
property, no ``__getattr__``, no ``__eq__``; of objects of extension types without members, ``repr`` is).

A node is an object: a module, class, function, container, instance, or a leaf. Edges are what it holds, by label:
``.name`` (in the namespace of a module or class), ``->name`` (of an instance), ``[key]``, ``(part)``. Plain values are
leaves with their exact type. Functions carry their code field by field, positions of every instruction included.

Described otherwise than by all they hold, for the reason given:

* what a library owns (bound in a namespace of a module outside, or a class or function whose home is outside): by its
  names there, since a swap of the app's modules does not touch it;
* ``__spec__``, ``__loader__``, ``__cached__``, ``__builtins__``, ``__warningregistry__`` of modules: by what of the
  spec says where it is from; the rest tells how it was imported, which differs and shall;
* the order of names in a module's or class's namespace, in ``__annotations__`` and ``__static_attributes__`` (what is
  built from it is compared: fields of dataclasses, members of enums, registries, with their order);
* locks, threads, files, generators, frames, tracebacks, context variables, loggers: by type (and name), since their
  content is the process's;
* type variables and type aliases that are evaluated lazily (3.12): by name, since reading them would evaluate them;
* the addresses in a ``repr``, or that pydantic puts behind a class's name (``shop.Item:94513220558016``), and the
  folder of the sources in any text, which differ by nature;
* a class that was made again by a block: an old one that nothing leads to counts as no subclass, since it may be the
  reader alone that keeps it alive;
* ``_abc_impl``: by the classes registered with the abstract class; its caches are left out;
* ``__slotnames__`` is left out: what ``copyreg`` noted of a class's slots when an instance was first copied or pickled,
  and notes again when it is not there; ``functools.wraps`` copies it to functions that wrap the class.
"""

from __future__ import annotations

import _abc
import contextvars
import functools
import gc
import io
import linecache
import logging
import re
import sys
import threading
import types
import typing
import weakref
from collections import deque
from dataclasses import dataclass, field

from oracle.codes import describe_code
from oracle.plain import is_plain, text_of

MAX_NODES = 400_000
_MODULE_SKIPPED = {"__spec__", "__loader__", "__cached__", "__builtins__", "__warningregistry__"}
_CACHED = "__slotnames__"
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+|(?<=[\w\]]:)[0-9]{6,}")
_BY_TYPE = (
    types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FrameType, types.TracebackType,
    io.IOBase, threading.Thread, threading.Event, type(threading.Lock()), type(threading.RLock()), threading.local,
)  # fmt: skip
_DESCRIPTORS = (
    types.WrapperDescriptorType, types.MethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType,
    types.ClassMethodDescriptorType,
)  # fmt: skip
_CONTAINERS = (dict, list, tuple, set, frozenset, deque, types.MappingProxyType, BaseException)
_LAZY = tuple(t for n in ("TypeVar", "ParamSpec", "TypeVarTuple", "TypeAliasType") if (t := getattr(typing, n, None)))
_TYPE_FLAGS = 1 << 5 | 1 << 6 | 1 << 8 | 1 << 20  # sequence, mapping, immutable, abstract


@dataclass(slots=True)
class Node:
    """One object: what it is, what it says of itself, what it holds."""

    kind: str
    data: dict[str, object]
    edges: dict[str, int] = field(default_factory=dict)
    identity: int = 0
    ordered: bool = False
    """Whether the order of the edges is part of what it is."""
    sequence: bool = False
    """Whether the edges in brackets are numbered by their place."""


@dataclass(slots=True)
class Graph:
    """The own modules of a process at one moment. Nodes by index; ``roots`` are the modules, by name."""

    nodes: list[Node]
    roots: dict[str, int]

    def by_identity(self) -> dict[int, int]:
        """The index of each object's node."""
        return {node.identity: index for index, node in enumerate(self.nodes) if node.identity}


class Reader:
    """Reads the own modules of this process, as often as wanted; what it saw stays alive, so identities stay unique."""

    def __init__(self, top_level: frozenset[str], root: str) -> None:
        self.top_level, self.root = top_level, root
        self._alive: list[object] = []
        self.classes: set[int] = set()
        """The identities of classes that it keeps alive."""

    def read(self, extra: dict[str, object]) -> Graph:
        """The graph of all own modules that are imported now, and of ``extra`` objects, as further roots."""
        gc.collect()
        walk = _Walk(self)
        graph = walk.run({**{n: m for n, m in sys.modules.items() if self.is_own(n)}, **extra})
        self._alive.extend(walk.objects)
        self.classes.update(id(item) for item in walk.objects if isinstance(item, type))
        return graph

    def is_own(self, name: object) -> bool:
        """Whether a module's name is of the app."""
        return isinstance(name, str) and name.partition(".")[0] in self.top_level

    def text(self, value: object) -> str:
        """A repr without what differs by nature."""
        return _ADDRESS.sub("", text_of(value)).replace(self.root, "<root>")


def _is_alias(value: object) -> bool:
    return type(value).__module__ == "typing" and "__origin__" in getattr(value, "__dict__", ())


class _Walk:
    """One pass over the process."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.is_own, self.text = reader, reader.is_own, reader.text
        self.nodes: list[Node] = []
        self.objects: list[object] = []
        self.seen: dict[int, int] = {}
        self.waiting: deque[int] = deque()
        self.outside = self._outside()
        self.namespaces = {id(vars(m)): n for n, m in sys.modules.items() if isinstance(m, types.ModuleType)}

    def run(self, roots: dict[str, object]) -> Graph:
        indexes = {name: self.node(value) for name, value in sorted(roots.items())}
        while self.waiting:
            index = self.waiting.popleft()
            self.describe(self.nodes[index], self.objects[index])
            if len(self.nodes) > MAX_NODES:
                raise OverflowError(f"more than {MAX_NODES} objects: the walk left the app")
        self.list_subclasses()
        return Graph(self.nodes, indexes)

    def node(self, value: object) -> int:
        """The index of the value's node; plain values get one each time."""
        plain = is_plain(value)
        if not plain and id(value) in self.seen:
            return self.seen[id(value)]
        index = len(self.nodes)
        self.objects.append(value)
        if plain:
            self.nodes.append(Node("plain", {"type": type(value).__name__, "value": self.text(value)}))
        else:
            self.nodes.append(Node("", {}, identity=id(value)))
            self.seen[id(value)] = index
            self.waiting.append(index)
        return index

    def _outside(self) -> dict[int, set[str]]:
        """What modules outside of the app bind, by identity: the names."""
        found: dict[int, set[str]] = {}
        for name, module in list(sys.modules.items()):
            ours = self.is_own(name) or name.partition(".")[0] in ("oracle", "__main__", "habanero_receiver")
            if ours or not isinstance(module, types.ModuleType):
                continue
            for key, value in list(vars(module).items()):
                if not is_plain(value) and not self._is_of_app(value):
                    found.setdefault(id(value), set()).add(f"{name}.{key}")
        return found

    def _is_of_app(self, value: object) -> bool:
        if isinstance(value, (types.FunctionType, type)):
            return self.is_own(value.__module__)
        if _is_alias(value):
            return True  # nobody's: whoever writes ``Union[int, str]`` gets the same object, while it is remembered
        return self.is_own(type(value).__module__)

    def describe(self, node: Node, value: object) -> None:
        names = self.outside.get(id(value))
        if isinstance(value, types.ModuleType):
            self.module(node, value)
        elif isinstance(value, type):
            self.type(node, value, names or ())
        elif names is not None:
            node.kind, node.data = "outside", {"names": frozenset(names)}
        elif isinstance(value, types.FunctionType):
            self.function(node, value)
        elif isinstance(value, types.CodeType):
            node.kind, node.data = "code", describe_code(value, self.text)
        else:
            self.other(node, value)

    def module(self, node: Node, module: types.ModuleType) -> None:
        name = module.__name__
        if not self.is_own(name):
            node.kind, node.data = "outside", {"names": frozenset([name])}
            return
        spec = vars(module).get("__spec__")
        lines = linecache.getlines(vars(module).get("__file__") or "", vars(module))
        places = getattr(spec, "submodule_search_locations", None)
        node.kind = "module"
        node.data = {
            "spec": (spec.name, self.text(spec.origin)) if spec is not None else None,
            "path": None if places is None else [self.text(p) for p in places],
            "shown source": "".join(lines) if any(map(str.strip, lines)) else "",  # some Pythons give a line for none
            "in sys.modules": sys.modules.get(name) is module,
        }
        self.names(node, vars(module), _MODULE_SKIPPED)

    def names(self, node: Node, namespace: typing.Mapping[str, object], skipped: set[str]) -> None:
        for name in sorted((n for n in namespace if n not in skipped), key=str):
            if name == "__annotations__" and isinstance(namespace[name], dict):
                self.items(node, dict(sorted(namespace[name].items())), "(annotation {})")
            elif name == _CACHED:
                continue
            elif name == "__static_attributes__":
                node.edges[f".{name}"] = self.node(tuple(sorted(namespace[name])))
            else:
                node.edges[f".{name}"] = self.node(namespace[name])

    def type(self, node: Node, cls: type, names: typing.Iterable[str]) -> None:
        home = cls.__module__
        if not self.is_own(home):
            here = f"{home}.{cls.__qualname__}"
            node.kind = "outside"
            node.data = {"home": (home, cls.__qualname__), "names": frozenset([here, *names])}
            return
        node.kind = "class"
        node.data = {
            "home": (home, cls.__qualname__),
            "__name__": cls.__name__,
            "layout": (cls.__basicsize__, cls.__itemsize__, cls.__dictoffset__, cls.__weakrefoffset__),
            "flags": cls.__flags__ & _TYPE_FLAGS,
            "subclasses": [],
        }
        node.edges["(metaclass)"] = self.node(type(cls))
        for index, base in enumerate(cls.__bases__):
            node.edges[f"(base {index})"] = self.node(base)
        for index, base in enumerate(cls.__mro__[1:]):
            node.edges[f"(mro {index})"] = self.node(base)
        self.names(node, cls.__dict__, {"_abc_impl"})
        if "_abc_impl" in cls.__dict__:
            registered = [c for ref in _abc._get_dump(cls)[0] if (c := ref()) is not None]
            self.members(node, registered, "(registered {})")

    def list_subclasses(self) -> None:
        """Says of each class by what classes it is inherited."""
        classes = [(node, cls) for node, cls in zip(self.nodes, self.objects, strict=True) if node.kind == "class"]
        reached = {node.data["home"] for node, _ in classes}
        for node, cls in classes:
            heirs = [s for s in type.__subclasses__(cls)  # type: ignore[type-var]  # it is one
                     if not self.only_read(s, reached)]  # fmt: skip
            node.data["subclasses"] = sorted(f"{s.__module__}.{s.__qualname__}" for s in heirs)

    def only_read(self, cls: type, reached: set[object]) -> bool:
        """Whether nothing leads to a class any more, an earlier reading did, and another has taken its place."""
        again = (cls.__module__, cls.__qualname__) in reached
        return again and id(cls) not in self.seen and id(cls) in self.reader.classes

    def function(self, node: Node, function: types.FunctionType) -> None:
        node.kind = "function"
        code = function.__code__
        node.data = {
            "home": (function.__module__, function.__qualname__),
            "__name__": function.__name__,
            "globals": self.namespaces.get(id(function.__globals__), "<stray>"),
            **describe_code(code, self.text),
        }
        node.edges["(doc)"] = self.node(function.__doc__)
        for index, value in enumerate(function.__defaults__ or ()):
            node.edges[f"(default {index})"] = self.node(value)
        for name, value in sorted((function.__kwdefaults__ or {}).items()):
            node.edges[f"(default {name})"] = self.node(value)
        self.items(node, dict(sorted(function.__annotations__.items())), "(annotation {})")
        for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
            node.edges[f"(closure {name})"] = self.node(cell)
        for index, value in enumerate(getattr(function, "__type_params__", ())):
            node.edges[f"(type parameter {index})"] = self.node(value)
        for name, value in sorted(function.__dict__.items()):
            if name != _CACHED:
                node.edges[f"->{name}"] = self.node(value)

    def other(self, node: Node, value: object) -> None:
        kind = type(value)
        if isinstance(value, _LAZY):
            node.kind, node.data = "leaf", {"type": kind.__name__, "name": value.__name__}
        elif isinstance(value, (logging.Logger, contextvars.ContextVar)):
            node.kind, node.data = "leaf", {"type": kind.__name__, "name": value.name}
        elif isinstance(value, _BY_TYPE):
            node.kind, node.data = "leaf", {"type": kind.__name__}
        elif isinstance(value, _DESCRIPTORS):
            home = value.__objclass__
            node.kind, node.data = "leaf", {"type": kind.__name__, "name": (home.__qualname__, value.__name__)}
        elif isinstance(value, types.CellType):
            node.kind = "cell"
            try:
                node.edges["(content)"] = self.node(value.cell_contents)
            except ValueError:
                node.data["empty"] = True
        elif isinstance(value, types.MethodType):
            node.kind = "method"
            node.edges.update({"(function)": self.node(value.__func__), "(self)": self.node(value.__self__)})
        elif isinstance(value, (types.BuiltinFunctionType, types.MethodWrapperType)):
            node.kind, node.data = "method", {"name": value.__qualname__}
            if not isinstance(value.__self__, (types.ModuleType, type(None))):
                node.edges["(self)"] = self.node(value.__self__)
        elif isinstance(value, weakref.ref):
            node.kind = "weak"
            target = weakref.ref.__call__(value)
            node.edges["(referent)"] = self.node(target)
        else:
            self.instance(node, value)

    def instance(self, node: Node, value: object) -> None:
        """Any other object: its type, what it contains, its attributes."""
        kind = type(value)
        node.kind = "container" if kind in (dict, list, tuple, set, frozenset, deque) else "instance"
        node.edges["(type)"] = self.node(kind)
        if isinstance(value, (dict, types.MappingProxyType)):
            node.ordered = True
            held = dict(dict.items(value)) if isinstance(value, dict) else dict(value)
            left_out = _MODULE_SKIPPED if id(value) in self.namespaces else ()
            self.items(node, {key: item for key, item in held.items() if key not in left_out}, "[{}]")
        elif isinstance(value, (list, tuple, deque)):
            node.ordered = node.sequence = True
            base = next(t for t in (list, tuple, deque) if isinstance(value, t))
            for index, item in enumerate(base.__iter__(value)):  # type: ignore[arg-type]
                node.edges[f"[{index}]"] = self.node(item)
        elif isinstance(value, (set, frozenset)):
            base = set if isinstance(value, set) else frozenset
            self.members(node, list(base.__iter__(value)), "[{}]")
        elif isinstance(value, BaseException):
            for index, item in enumerate(value.args):
                node.edges[f"[{index}]"] = self.node(item)
        for base in (str, bytes, int, float, complex):
            if isinstance(value, base):
                node.data["value"] = self.text(base.__repr__(value))
        self.attributes(node, value)
        if isinstance(value, functools._lru_cache_wrapper):
            node.edges["(cached)"] = self.node(value.cache_info().currsize)
        seen = isinstance(value, _CONTAINERS) or len(node.edges) > 1 or node.data
        if not seen and not kind.__flags__ & 1 << 9:  # an extension type's object that does not show what it holds
            node.data["repr"] = self.text(value)

    def attributes(self, node: Node, value: object) -> None:
        try:
            held = object.__getattribute__(value, "__dict__")
        except (AttributeError, TypeError):
            held = None
        for name, item in sorted(held.items(), key=str) if type(held) is dict else ():
            if name != "__module__" or not _is_alias(value):  # some write to what all others get too
                node.edges[f"->{name}"] = self.node(item)
        for cls in type(value).__mro__:
            for name, member in sorted(cls.__dict__.items(), key=lambda pair: str(pair[0])):
                if isinstance(member, types.MemberDescriptorType) and f"->{name}" not in node.edges:
                    try:
                        node.edges[f"->{name}"] = self.node(member.__get__(value, cls))
                    except AttributeError:
                        continue

    def items(self, node: Node, mapping: dict[object, object], form: str) -> None:
        for key, value in mapping.items():
            label = self.free(node, form.format(self.label(key)))
            node.edges[label] = self.node(value)
            if not is_plain(key):
                node.edges[f"{label}(key)"] = self.node(key)

    def members(self, node: Node, values: list[object], form: str) -> None:
        for value in sorted(values, key=self.label):
            node.edges[self.free(node, form.format(self.label(value)))] = self.node(value)

    def free(self, node: Node, label: str) -> str:
        count, free = 1, label
        while free in node.edges:
            count += 1
            free = f"{label}#{count}"
        return free

    def label(self, value: object) -> str:
        """What a key or member of a set is told by."""
        if is_plain(value):
            return self.text(value)
        if isinstance(value, weakref.ref):
            return f"ref {self.label(weakref.ref.__call__(value))}"
        if isinstance(value, tuple):
            return f"({', '.join(map(self.label, value))})"
        if isinstance(value, types.CodeType):
            return f"code {value.co_qualname}"
        named = value if isinstance(value, (type, types.FunctionType)) else type(value)
        return f"{'' if named is value else 'a '}{named.__module__}.{named.__qualname__}"
