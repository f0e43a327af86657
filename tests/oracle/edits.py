"""Draws the changes from one version of a made-up app to the next. Whatever is drawn compiles.

A change is of one statement (a number, what it reads, its kind, its place, its name, a comment), of one module (how it
imports, what it exports, whether its annotations are text, its docstring), or of the modules that there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import strategies as st
from oracle.app import FORMS, MODULES, App, Part
from oracle.kinds import KINDS, NUMBERS, VARIANTS, Statement

Draw = st.DrawFn
LITERAL = "'literal'"


def values(app: App, part: Part, place: int, tag: str) -> list[str]:
    """The names of a kind that a statement may read that stands at ``place`` of a module."""
    earlier = [p for p in app.parts if MODULES.index(p.name) < MODULES.index(part.name)]
    seen = [s for p in earlier for s in p.statements] + list(part.statements[:place])
    return [s.name for s in seen if tag in KINDS[s.kind].tags]


def draw_statement(draw: Draw, app: App, part: Part, place: int, name: str) -> Statement:
    """A statement that reads only what is bound before it."""
    present = {s.kind for s in part.statements}
    possible = [
        k for k, kind in KINDS.items()
        if (app.frameworks or not kind.frameworks) and not (kind.single and k in present)
        and (not kind.needs or values(app, part, place, kind.needs))
    ]  # fmt: skip
    if app.frameworks and draw(st.booleans()):
        possible = [k for k in possible if KINDS[k].frameworks]
    kind = draw(st.sampled_from(possible))
    numbers = tuple(draw(st.integers(0, VARIANTS - 1)) for _ in range(NUMBERS))
    return Statement(kind, name, numbers, _reads(draw, app, part, place, kind))


def _reads(draw: Draw, app: App, part: Part, place: int, kind: str) -> tuple[str, ...]:
    known = values(app, part, place, "value")
    reads = [draw(st.sampled_from(known)) if known else LITERAL]
    if KINDS[kind].needs:
        reads.append(draw(st.sampled_from(values(app, part, place, KINDS[kind].needs))))
    return tuple(reads)


def free_name(app: App, part: Part) -> str:
    """A name that nothing has."""
    taken, prefix = {s.name for p in app.parts for s in p.statements}, part.name.replace(".", "_") or "root"
    return next(n for n in (f"{prefix}_{i}" for i in range(99)) if not {n, f"{n}r"} & taken)


@st.composite
def edits(draw: Draw, app: App) -> App:
    """The next version: one to three changes."""
    for _ in range(draw(st.integers(1, 3))):
        app = _EDITS[draw(st.sampled_from(_WEIGHTED))](draw, app)
    return app


def _chosen(draw: Draw, app: App) -> tuple[Part, int]:
    """A statement; of an app that uses frameworks more often one that does."""
    places = [(part, place) for part in app.parts for place in range(len(part.statements))]
    using = [(part, place) for part, place in places if KINDS[part.statements[place].kind].frameworks]
    return draw(st.sampled_from(using if using and draw(st.booleans()) else places))


def _with(app: App, part: Part, place: int, statement: Statement) -> App:
    before, after = part.statements[:place], part.statements[place + 1 :]
    return app.with_part(replace(part, statements=(*before, statement, *after)))


def _number(draw: Draw, app: App) -> App:
    part, place = _chosen(draw, app)
    chosen = part.statements[place]
    index = draw(st.integers(0, NUMBERS - 1))
    value = (chosen.numbers[index] + draw(st.integers(1, VARIANTS - 1))) % VARIANTS
    numbers = (*chosen.numbers[:index], value, *chosen.numbers[index + 1 :])
    return _with(app, part, place, replace(chosen, numbers=numbers))


def _rewrite(draw: Draw, app: App) -> App:
    """Writes a statement of the same kind otherwise in several respects at once."""
    part, place = _chosen(draw, app)
    numbers = tuple(draw(st.integers(0, VARIANTS - 1)) for _ in range(NUMBERS))
    return _with(app, part, place, replace(part.statements[place], numbers=numbers))


def _comment(draw: Draw, app: App) -> App:
    part, place = _chosen(draw, app)
    chosen = part.statements[place]
    return _with(app, part, place, replace(chosen, comment=(chosen.comment + 1) % 3))


def _reread(draw: Draw, app: App) -> App:
    """Reads others: another constant, another base, another decorator."""
    part, place = _chosen(draw, app)
    chosen = part.statements[place]
    return _with(app, part, place, replace(chosen, reads=_reads(draw, app, part, place, chosen.kind)))


def _rekind(draw: Draw, app: App) -> App:
    """Binds the name to something else, if what reads it can."""
    part, place = _chosen(draw, app)
    chosen = part.statements[place]
    new = draw_statement(draw, app, replace(part, statements=part.statements[:place]), place, chosen.name)
    wanted = {("value", KINDS[s.kind].needs)[s.reads.index(chosen.name)] for _, s in app.readers(chosen.name)}
    single = KINDS[new.kind].single
    return app if single or not wanted <= {*KINDS[new.kind].tags} else _with(app, part, place, new)


def _add(draw: Draw, app: App) -> App:
    part, place = _chosen(draw, app)
    new = draw_statement(draw, app, part, place, free_name(app, part))
    statements = (*part.statements[:place], new, *part.statements[place:])
    return app.with_part(replace(part, statements=statements))


def _remove(draw: Draw, app: App) -> App:
    part, place = _chosen(draw, app)
    if app.readers(part.statements[place].name) or len(part.statements) == 1:
        return app
    return app.with_part(replace(part, statements=(*part.statements[:place], *part.statements[place + 1 :])))


def _move(draw: Draw, app: App) -> App:
    """Moves a statement, if it stays after what it reads and before what reads it."""
    part, place = _chosen(draw, app)
    moved, rest = part.statements[place], [*part.statements[:place], *part.statements[place + 1 :]]
    earliest = max((i + 1 for i, s in enumerate(rest) if s.name in moved.reads), default=0)
    latest = min((i for i, s in enumerate(rest) if moved.name in s.reads), default=len(rest))
    to = draw(st.integers(earliest, max(earliest, latest)))
    return app.with_part(replace(part, statements=(*rest[:to], moved, *rest[to:])))


def _rename(draw: Draw, app: App) -> App:
    part, place = _chosen(draw, app)
    old = part.statements[place].name
    new = f"{old}r"
    for each in app.parts:
        renamed = tuple(
            replace(s, name=new if s.name == old else s.name, reads=tuple(new if r == old else r for r in s.reads))
            for s in each.statements
        )
        app = app.with_part(replace(each, statements=renamed))
    return app


def _relocate(draw: Draw, app: App) -> App:
    """Moves a statement to another module, whose end it comes to stand at, or the place before what reads it."""
    part, place = _chosen(draw, app)
    moved, homes = part.statements[place], app.homes()
    order = {p.name: MODULES.index(p.name) for p in app.parts}
    lowest = max((order[homes[n].name] for n in moved.reads if n in homes), default=0)
    highest = min((order[p.name] for p, _ in app.readers(moved.name)), default=len(MODULES))
    possible = [p for p in app.parts if p is not part and lowest <= order[p.name] <= highest]
    if not possible or len(part.statements) == 1:
        return app
    target = draw(st.sampled_from(possible))
    rest = [*target.statements]
    earliest = max((i + 1 for i, s in enumerate(rest) if s.name in moved.reads), default=0)
    latest = min((i for i, s in enumerate(rest) if moved.name in s.reads), default=len(rest))
    if earliest > latest or (KINDS[moved.kind].single and any(s.kind == moved.kind for s in rest)):
        return app
    rest.insert(latest, moved)
    app = app.with_part(replace(part, statements=(*part.statements[:place], *part.statements[place + 1 :])))
    return app.with_part(replace(target, statements=tuple(rest)))


def _restyle(draw: Draw, app: App) -> App:
    """Changes how a module imports from another."""
    homes = app.homes()
    pairs = sorted({(p.name, homes[n].name) for p in app.parts for s in p.statements for n in s.reads
                    if n in homes and homes[n] is not p})  # fmt: skip
    if not pairs:
        return _number(draw, app)
    name, other = draw(st.sampled_from(pairs))
    part = next(p for p in app.parts if p.name == name)
    index = MODULES.index(other)
    form = (part.forms[index] + draw(st.integers(1, FORMS - 1))) % FORMS
    return app.with_part(replace(part, forms=(*part.forms[:index], form, *part.forms[index + 1 :])))


def _document(draw: Draw, app: App) -> App:
    part, _ = _chosen(draw, app)
    return app.with_part(replace(part, doc=part.doc + 1))


def _future(draw: Draw, app: App) -> App:
    part, _ = _chosen(draw, app)
    return app.with_part(replace(part, future=not part.future))


def _export(draw: Draw, app: App) -> App:
    part, _ = _chosen(draw, app)
    return app.with_part(replace(part, exports=(part.exports + 1) % 3))


def _add_module(draw: Draw, app: App) -> App:
    missing = [name for name in MODULES if name not in {p.name for p in app.parts}]
    return draw_part(draw, app, draw(st.sampled_from(missing)), 3) if missing else app


def _remove_module(draw: Draw, app: App) -> App:
    part, _ = _chosen(draw, app)
    read = any(reader is not part for s in part.statements for reader, _ in app.readers(s.name))
    return app if read or len(app.parts) == 1 else app.without(part.name)


def draw_part(draw: Draw, app: App, name: str, most: int) -> App:
    """The app with one more module."""
    part = Part(name, forms=tuple(draw(st.integers(0, FORMS - 1)) for _ in MODULES),
                future=draw(st.booleans()), exports=draw(st.integers(0, 2)))  # fmt: skip
    app = app.with_part(part)
    for place in range(draw(st.integers(1, most))):
        statement = draw_statement(draw, app, part, place, free_name(app, part))
        part = replace(part, statements=(*part.statements, statement))
        app = app.with_part(part)
    return app


_EDITS: dict[str, Callable[[Draw, App], App]] = {
    "number": _number, "rewrite": _rewrite, "comment": _comment, "reread": _reread, "rekind": _rekind, "add": _add,
    "remove": _remove, "move": _move, "rename": _rename, "relocate": _relocate, "restyle": _restyle,
    "document": _document, "future": _future, "export": _export, "add module": _add_module,
    "remove module": _remove_module,
}  # fmt: skip
_WEIGHTED = (*["number"] * 9, *["rewrite", "reread", "add", "remove", "relocate", "restyle"] * 2, *_EDITS)
