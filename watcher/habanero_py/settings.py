"""Where one setting comes from, and whether its value is one: flag, environment, pyproject.toml, default.

Pure. It knows no setting by name (that is `config`), reads no file and asks nobody. The rule it upholds: the
origin of every value is kept, so that an error and `habanero-py doctor` can say where to change it.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from habanero_receiver.errors import ConfigError
from habanero_receiver.release.statement import NEVER, Withdraw

PYPROJECT = "pyproject.toml"
_WITHDRAW = {"errors_per_minute": 1_000_000, "window_s": 86_400}
"""The numbers of a policy, and the most that each may be."""


@dataclass(frozen=True, slots=True)
class Found:
    """A value as it was written, and where: "--gate", "HABANERO_GATE", "pyproject.toml" or "default"."""

    name: str
    value: object
    origin: str

    def words(self) -> tuple[str, ...]:
        """A list of words; text from a flag or the environment is split as a shell would, without running one."""
        value = self.value
        if value is None:
            return ()
        if isinstance(value, str) and self.origin != PYPROJECT:
            try:
                return tuple(shlex.split(value.replace(",", " ") if self.name == "watch" else value))
            except ValueError as error:
                raise self._bad(f"cannot be split into words: {error}") from error
        if isinstance(value, list | tuple) and all(isinstance(word, str) and word for word in value):
            return tuple(value)
        raise self._bad("is not a list of words", f'{self.name} = ["first", "second"]: no shell splits it')

    def seconds(self) -> float:
        """A time of more than 0 and at most one day, in seconds."""
        number = -1.0
        if isinstance(self.value, str | int | float) and not isinstance(self.value, bool):
            try:
                number = float(self.value)
            except ValueError:
                number = -1.0
        if not 0 < number <= 86_400:
            raise self._bad(f"is {self.value!r}", "a number of seconds, more than 0 and at most 86400")
        return number

    def text(self) -> str:
        """Text that is not empty."""
        if isinstance(self.value, str) and self.value:
            return self.value
        if self.value is None:
            raise ConfigError(
                "missing-setting",
                f"{self.name} is set nowhere",
                subject=self.name,
                help=f"add it to {self.origin}, or say --{self.name}, or HABANERO_{self.name.upper()}",
            )
        raise self._bad("is not text")

    def flag(self) -> bool:
        """True or false."""
        if isinstance(self.value, bool):
            return self.value
        raise self._bad("is not true or false")

    def withdraw(self) -> Withdraw:
        """When a release may be taken back: a table with either number, true for the usual, false for never.

        In the environment `off`, or errors per minute and seconds as in `5/300`.
        """
        value = self.value
        if value is True or value is False or value == "off":
            return Withdraw() if value is True else NEVER
        if isinstance(value, str):
            errors, _, window = value.partition("/")
            numbers = [int(word) if word.isascii() and word.isdigit() and len(word) <= 7 else 0
                       for word in (errors, window)]  # fmt: skip
            value = dict(zip(_WITHDRAW, numbers, strict=True))
        if isinstance(value, dict):
            refuse_unknown(value, _WITHDRAW, f"{self.name} ({self.origin})")
            good = (type(value[name]) is int and 1 <= value[name] <= _WITHDRAW[name] for name in value)
            if all(good):
                return Withdraw(**value)
        raise self._bad(f"is {self.value!r}", "withdraw = { errors_per_minute = 5, window_s = 300 }, or false")

    def _bad(self, what: str, hint: str = "") -> ConfigError:
        return ConfigError("bad-setting", f"{self.name} ({self.origin}) {what}", subject=self.name, help=hint)


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks in the four places in their order and remembers which one answered."""

    environ: Mapping[str, str]
    origins: dict[str, str] = field(default_factory=dict)

    def find(
        self, name: str, flag: object, table: Mapping[str, object], default: object = None, *, where: str = PYPROJECT
    ) -> Found:
        """`where` names the table for a message about a setting that is missing."""
        variable = f"HABANERO_{name.upper()}"
        if flag is not None and flag != ():
            found = Found(name, flag, f"--{name.replace('_', '-')}")
        elif self.environ.get(variable):
            found = Found(name, self.environ[variable], variable)
        elif name in table:
            found = Found(name, table[name], PYPROJECT)
        elif default is not None:
            found = Found(name, default, "default")
        else:
            found = Found(name, None, where)
        self.origins[name] = found.origin if found.value is not None else "not set"
        return found


def refuse_unknown(table: Mapping[str, object], known: Iterable[str], where: str) -> None:
    """A setting that nobody reads is a mistake that nobody sees: refused, with the nearest known name."""
    for key in table:
        if key not in known:
            raise ConfigError(
                "unknown-setting",
                f"{where} has no setting {key}",
                subject=key,
                help=nearest(key, known) or f"settings: {', '.join(sorted(known))}",
            )


def nearest(word: str, known: Iterable[str]) -> str:
    """A "did you mean" line, or nothing."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""
