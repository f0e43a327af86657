"""Which text a code object was made from, told by its file name.

A frame can outlive the version of the module that it runs: a loop, a suspended generator, a thread. Python names a
frame by file and line alone, so it would be shown the new text at the old line number. Therefore code has the true
file name only while it is *current*: while the running version contains it at the same place. All other code, of
versions gone by, staged or taken back, has its version's name, ``/srv/shop/cart.py@1f3a60cc91d2``: the true one and
the first digits of the sha256 of that version's source. The line cache shows that source under that name as long as
such code lives.

It finds the code that is concerned and prepares the renaming; when that is done is `staged`'s to say. The rules it
upholds: current code is never left with another name than the true one, and nothing is kept for code that is gone.
"""

from __future__ import annotations

import importlib
import linecache
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from types import CodeType, FrameType
from typing import Any

from habanero_receiver.swap.building.units import Build, Unit
from habanero_receiver.swap.diff import functions_in
from habanero_receiver.swap.undo import Step, UndoLog

from .sources import line_cache_entry

_DIGITS = 12
_rename: Any = importlib.import_module("_imp")._fix_co_filename
"""Names the file of a code object, and of those inside that had the same; in one call that runs no bytecode."""
_shown: dict[Edition, None] = {}


def edition_name(filename: str, source: bytes) -> str:
    """The file name of code that was made from this source of the file and is not current."""
    return f"{filename}@{sha256(source).hexdigest()[:_DIGITS]}"


def names_of(filename: str) -> frozenset[str]:
    """All names that living code of this file has."""
    return frozenset((filename, *(edition.name for edition in list(_shown) if edition.filename == filename)))


class Edition:
    """Code objects made from one source of one file; while it is shown, their name shows that source.

    Code can die at any time, in any thread and inside of any call here: each change is one that cannot be seen half
    done, and hiding looks again at what it took away.
    """

    def __init__(self, filename: str, source: bytes, codes: Iterable[CodeType]) -> None:
        self.filename = filename
        self.name = edition_name(filename, source)
        self._entry = line_cache_entry(self.name, source)
        gone = partial(_forget, weakref.ref(self))
        self._living = {id(code): weakref.ref(code, partial(gone, id(code))) for code in codes}

    def codes(self) -> list[CodeType]:
        """Those that live."""
        return [code for ref in list(self._living.values()) if (code := ref()) is not None]

    def show(self) -> None:
        """Has the line cache show the source, until the last of the code is gone."""
        if self._living:
            _shown[self] = None
            self._put()

    def hide(self) -> None:
        """Takes the name out of the line cache, if no other edition shown has it."""
        _shown.pop(self, None)
        if not self._has_twin():
            linecache.cache.pop(self.name, None)
            if self._has_twin():  # shown since, by another thread
                self._put()

    def drop(self, key: int) -> None:
        """Notes that the code of this identity is gone."""
        self._living.pop(key, None)
        if not self._living and self in _shown:
            self.hide()

    def _put(self) -> None:
        cache: dict[str, Any] = linecache.cache
        cache[self.name] = self._entry

    def _has_twin(self) -> bool:
        return any(edition.name == self.name for edition in list(_shown))


def _forget(edition: weakref.ref[Edition], key: int, _: object) -> None:
    if (living := edition()) is not None:
        living.drop(key)


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a module: the true name of its file, its source, and its build."""

    filename: str
    source: bytes
    build: Build


@dataclass(frozen=True, slots=True)
class Renaming:
    """The names that the code of one module has before and after a commit: of the old version and of the new one."""

    old: Edition
    new: Edition | None
    pairs: tuple[tuple[Step, Step], ...]
    """Steps with their inverses."""

    def before(self, log: UndoLog) -> None:
        """Has the old text shown, before the steps are done."""
        log.do((self.old.show,), (self.old.hide,))

    def seal(self) -> None:
        """Forgets the new version's own name, which its code could have got back: it has the true one for good."""
        if self.new is not None:
            self.new.hide()


def edition_of(build: Build, filename: str, source: bytes) -> Edition:
    """The edition of all code of a build that was decoded with `edition_name` for its file; shown."""
    edition = Edition(filename, source, _all_inside(_codes_of(build.units)))
    edition.show()
    return edition


def renaming(left: Version, living: Iterable[CodeType], new: Build | None, edition: Edition | None) -> Renaming:
    """Prepares that what is old by ``new`` gets its own name, and what is new the true one.

    ``left`` is what runs until then, ``living`` the code of functions of its file that were found; ``new`` and
    ``edition`` are None for a module that goes away.
    """
    filename, is_current = left.filename, _Current(left.build, new)
    inside = [code for other in list(_shown) if other.filename == filename for code in other.codes()]
    roots = [*_codes_of(left.build.units), *living, *inside, *_running(filename)]
    gone, kept = _sort(roots, filename, is_current)
    old = Edition(filename, left.source, gone)
    pairs = _exchange(filename, old.name, gone, kept)
    if new is not None and edition is not None:
        fresh = edition.codes()
        back = _exchange(filename, edition.name, fresh, [code for code in fresh if is_current.was(code)])
        pairs += [(inverse, step) for step, inverse in reversed(back)]
    return Renaming(old, edition, tuple(pairs))


def _exchange(now: str, then: str, codes: list[CodeType], kept: list[CodeType]) -> list[tuple[Step, Step]]:
    """The steps, with inverses, that rename ``codes`` from ``now`` to ``then``, with all inside but what is ``kept``.

    What is nested follows the code around it, so what is kept is put right by a second call. The codes may have been
    renamed already: the inverses come first then.
    """
    whole, again = _bundle(codes[0].co_filename if codes else now, codes), _bundle(then, kept)
    return [((_rename, whole, then), (_rename, whole, now)), ((_rename, again, now), (_rename, again, then))]


class _Current:
    """Whether code of the running version, or of one before it, is in the next version too, at the same place."""

    def __init__(self, old: Build, new: Build | None) -> None:
        self._new = set(map(_place, _all_inside(_codes_of(new.units)))) if new is not None else set()
        before = list(_all_inside(_codes_of(old.units)))
        self._old = set(map(_place, before))
        self._names = {_name(code) for code in before if _place(code) in self._new and code.co_name != "<module>"}

    def __call__(self, code: CodeType) -> bool:
        place = _place(code)
        if place in self._new:
            return True
        return place not in self._old and _name(code) in self._names  # rewritten by a tool when it was imported

    def was(self, code: CodeType) -> bool:
        """Whether code of the next version is in the running one too."""
        return _place(code) in self._old


def _name(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _place(code: CodeType) -> object:
    """Equal for the same code at the same place, all that it contains included."""
    return code, _tables(code)


def _tables(code: CodeType) -> tuple[object, ...]:
    return code.co_linetable, *(_tables(inner) for inner in functions_in(code))


def _sort(
    roots: list[CodeType], filename: str, is_current: Callable[[CodeType], bool]
) -> tuple[list[CodeType], list[CodeType]]:
    """The code under the true name that is not current, and what directly inside of it is."""
    gone: list[CodeType] = []
    kept: list[CodeType] = []
    seen: set[int] = set()
    waiting = [(code, False) for code in roots]
    while waiting:
        code, nested = waiting.pop()
        unnamed = code.co_filename == filename
        if unnamed and is_current(code):
            if nested:
                kept.append(code)
        elif id(code) not in seen:
            seen.add(id(code))
            if unnamed:
                gone.append(code)
            waiting.extend((inner, unnamed) for inner in functions_in(code))
    return gone, kept


def _running(filename: str) -> Iterator[CodeType]:
    """The code of this file that a thread is in the middle of: of a module's own statements, no function has it."""
    for frame in list(sys._current_frames().values()):
        at: FrameType | None = frame
        while at is not None:
            if at.f_code.co_filename == filename:
                yield at.f_code
            at = at.f_back


def _codes_of(units: Iterable[Unit]) -> Iterator[CodeType]:
    for unit in units:
        yield from (code for code in (unit.code, unit.bare, unit.decorate, unit.bases) if code is not None)
        yield from _codes_of(unit.members)


def _all_inside(codes: Iterable[CodeType]) -> Iterator[CodeType]:
    seen: set[int] = set()
    waiting = list(codes)
    while waiting:
        code = waiting.pop()
        if id(code) not in seen:
            seen.add(id(code))
            yield code
            waiting.extend(functions_in(code))


def _bundle(filename: str, codes: Iterable[CodeType]) -> CodeType:
    """A code object of this file name around others; it is never run."""
    shell = compile("", filename, "exec")
    return shell.replace(co_consts=tuple(codes))
