"""What the units of a module are, and how they are written and read.

A *unit* is one top-level statement, or one member of a class body. The encoded form is ``MAGIC`` and the marshalled
docstring and units. This module neither parses nor compiles, and a process that only imports does not need it
(`modulecode` beside this file is what it needs). The rule it upholds: what it reads is of this format, and has the
file name that it is loaded under; it cannot know whether the bytes are to be trusted, so only verified ones may be
given to it.
"""

from __future__ import annotations

import marshal
from types import CodeType
from typing import Any, NamedTuple

from .modulecode import name_file, payload

MAGIC = b"HABUNIT3"
DECORATORS_NAME = "__habanero_decorators__"
"""The name under which a unit's ``decorate`` code leaves the tuple of its decorators."""

RESULT = "()"
PURE, CALLS, ANY = 0, 1, 2
"""What running a unit can do: only read names; also call what it reads; anything."""

_WORDS = {"AsyncFor": "for", "AsyncWith": "with", "AugAssign": "assignment", "Assign": "assignment", "Delete": "del",
          "AnnAssign": "assignment", "Expr": "expression", "TryStar": "try"}  # fmt: skip
"""How statements are called that are not called by their keyword."""


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
    """Of an annotated variable: records its annotation and leaves its value alone. Of a ``def`` of which a default or
    an annotation is the result of a call: the same with ``...`` in their places, without body and decorators."""
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
    def deletes(self) -> bool:
        """Whether it is a ``del`` statement."""
        return self.key.startswith("Delete")

    @property
    def bindings(self) -> tuple[str, ...]:
        """What people read of what the unit made: of a block, the names that it binds."""
        return self.names if self.kind == "other" and self.names else (self.label,)

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


class EncodedBuild(NamedTuple):
    """What a release carries for each module beside its source: two blobs, since an import needs the first alone."""

    code: bytes
    """The module's code object, see `modulecode`."""
    units: bytes


def encode(build: Build) -> bytes:
    """The units of a module as bytes."""
    return MAGIC + marshal.dumps((build.doc, tuple(map(_plain, build.units))))


def decode(blob: bytes | memoryview, filename: str) -> Build:
    """The units that were encoded, with ``filename`` as their file. Call it on verified bytes only."""
    doc, units = marshal.loads(payload(blob, MAGIC))
    return Build(doc, tuple(_unit(fields, filename) for fields in units))


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
            name_file(code, filename)
    return unit._replace(
        imports=tuple(Import(*i) for i in unit.imports),
        members=tuple(_unit(m, filename) for m in unit.members),
    )
