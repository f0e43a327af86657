"""Which release brought the code that an exception came out of.

What it does: compares the code object of each frame with those of the release's builds, by what they do and not by
where they stand: a function that only moved came with an older release. What it does not: it looks at functions alone.
A changed constant that makes an unchanged function fail is not seen to be the cause.

The rule it upholds: code is said to have come with a release only if that release has it and the one before has not; a
frame that went on with older code, or is of no release, is of neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from habanero_receiver.swap.building.modulecode import main_code
from habanero_receiver.swap.building.units import decode
from habanero_receiver.tasks.codeprint import code_print

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import CodeType

    from habanero_receiver.fleet.sightings import Place, Sighting
    from habanero_receiver.swap import ModuleImage
    from habanero_receiver.swap.building.units import Unit

    Images = Mapping[str, ModuleImage | None]


class Version:
    """One release as it is compared: its overlay, over the base."""

    def __init__(self, images: Images, base: Callable[[str], ModuleImage | None]) -> None:
        self._images, self._base = images, base
        self._names = {image.filename: name for name, image in images.items() if image is not None}
        self._codes: dict[str, dict[str, list[CodeType]]] = {}

    def module_of(self, code: CodeType) -> str | None:
        """The module of the overlay that code says it is of; None for code of the base or of others."""
        return self._names.get(code.co_filename)

    def image(self, name: str) -> ModuleImage | None:
        """What it has for a module; None where it has none."""
        return self._images[name] if name in self._images else self._base(name)

    def has(self, name: str, code: CodeType) -> bool:
        """Whether its module has a function that does the very same, under the same name."""
        if name not in self._codes:
            self._codes[name] = _codes(self.image(name))
        mine = self._codes[name].get(code.co_qualname, ())
        return any(each == code for each in mine) or any(code_print(each) == code_print(code) for each in mine)


def _codes(image: ModuleImage | None) -> dict[str, list[CodeType]]:
    """All code objects of a build by their qualified names: as an import makes them, and as a swap does."""
    found: dict[str, list[CodeType]] = {}
    if image is None:
        return found
    for code in _all_of(image):
        found.setdefault(code.co_qualname, []).append(code)
    return found


def _all_of(image: ModuleImage) -> Iterator[CodeType]:
    main = main_code(image.code, image.filename)
    yield main
    yield from _nested(main)
    for unit in decode(image.units, image.filename).units:
        yield from _of_unit(unit)


def _nested(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if hasattr(constant, "co_consts"):
            yield constant
            yield from _nested(constant)


def _of_unit(unit: Unit) -> Iterator[CodeType]:
    for code in (unit.code, unit.bare):
        if code is not None:
            yield from _nested(code)
    for member in unit.members:
        yield from _of_unit(member)


@dataclass(frozen=True, slots=True)
class Suspect:
    """One frame in released code: its module, the number of the release that brought the code.

    `current`: whether the newest release has that code.
    """

    module: str
    place: Place
    release: int
    current: bool

    @property
    def words(self) -> str:
        """Where that is, as "module.function:line"."""
        return f"{self.module}.{self.place.code.co_qualname}:{self.place.line}"


def suspects(sighting: Sighting, versions: Sequence[tuple[int, Version]], base: Version) -> list[Suspect]:
    """The frames in code that a release brought, innermost last. `versions` are those that ran here, newest first."""
    found = (_suspect(place, versions, base) for part in sighting.parts for place in part.places)
    return [suspect for suspect in found if suspect is not None]


def _suspect(place: Place, versions: Sequence[tuple[int, Version]], base: Version) -> Suspect | None:
    for at, (_, version) in enumerate(versions):
        name = version.module_of(place.code)
        if name is not None and version.has(name, place.code):
            return None if base.has(name, place.code) else Suspect(
                name, place, _brought(name, place.code, versions[at:]), current=at == 0
            )  # fmt: skip
    return None


def _brought(name: str, code: CodeType, versions: Iterable[tuple[int, Version]]) -> int:
    """The oldest of those in a row that have it."""
    found = 0
    for seq, version in versions:
        if not version.has(name, code):
            break
        found = seq
    return found
