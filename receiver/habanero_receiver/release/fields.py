"""Reads the fields of decoded JSON by name and kind, and refuses whatever is missing, left over or of another kind.

Pure. It gives no meaning to a value beyond its form. The rule it upholds: a decoder built from these reads every field
of its input exactly once, so nothing signed is silently ignored.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import NoReturn

from habanero_receiver.errors import RequestError

DIGEST_PREFIX = "sha256:"
_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{6})Z")


class Fields:
    """One JSON object. `where` names it in errors, as in "predicate.python"."""

    __slots__ = ("_values", "_where")

    def __init__(
        self, value: object, where: str, required: Collection[str], optional: Collection[str] = ()
    ) -> None:
        if not isinstance(value, dict):
            refuse(where, "is not an object")
        # A manifest has thousands of these: what is right is told apart from what is wrong at once.
        if len(value) != len(required) or not all(map(value.__contains__, required)):
            _check_keys(value, where, required, optional)
        self._values: Mapping[str, object] = value
        self._where = where

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __getitem__(self, key: str) -> object:
        return self._values[key]

    def name(self, key: str) -> str:
        """The field's full name, for errors."""
        return f"{self._where}.{key}" if self._where else key

    def string(self, key: str) -> str:
        """Any string."""
        value = self._values[key]
        if not isinstance(value, str):
            refuse(self.name(key), "is not a string")
        return value

    def text(self, key: str, max_chars: int) -> str:
        """One line for people, which may reach a terminal: nothing in it may steer one."""
        value = self.string(key)
        if not value or len(value) > max_chars or not value.isprintable():
            refuse(self.name(key), f"is not one printable line of 1 to {max_chars} characters")
        return value

    def integer(self, key: str, low: int | None = None, high: int | None = None) -> int:
        """An integer in low..high, never a bool."""
        value = self._values[key]
        if not isinstance(value, int) or isinstance(value, bool):
            refuse(self.name(key), "is not an integer")
        if (low is not None and value < low) or (high is not None and value > high):
            refuse(self.name(key), f"is {value}, not within {low} and {high}")
        return value

    def array(self, key: str) -> list[object]:
        """A list."""
        value = self._values[key]
        if not isinstance(value, list):
            refuse(self.name(key), "is not a list")
        return value

    def flag(self, key: str) -> bool:
        """True or false."""
        value = self._values[key]
        if not isinstance(value, bool):
            refuse(self.name(key), "is not true or false")
        return value

    def hexdigest(self, key: str) -> str:
        """64 lower-case hex digits; RequestError "digest"."""
        value = self.string(key)
        return value if _HEX.fullmatch(value) is not None else check_hex(value, self.name(key))

    def digest(self, key: str) -> str:
        """Text of "sha256:" and 64 lower-case hex digits; RequestError "digest"."""
        value = self.string(key)
        if not value.startswith(DIGEST_PREFIX):
            raise RequestError("digest", f"{self.name(key)} does not begin with sha256:", subject=self.name(key))
        check_hex(value.removeprefix(DIGEST_PREFIX), self.name(key))
        return value

    def time(self, key: str) -> datetime:
        """A time as `encode_time` writes it; RequestError "time"."""
        value, name = self.string(key), self.name(key)
        found = _TIME.fullmatch(value)
        if found is None:
            raise _not_a_time(name)
        try:
            return datetime(*(int(part) for part in found.groups()), tzinfo=UTC)  # type: ignore[arg-type,misc]  # seven parts
        except ValueError:
            raise _not_a_time(name) from None


def _check_keys(
    value: Mapping[str, object], where: str, required: Collection[str], optional: Collection[str]
) -> None:
    missing = [key for key in required if key not in value]
    if missing:
        refuse(where, f"lacks {missing[0]!r}")
    unknown = [key for key in value if key not in required and key not in optional]
    if unknown:
        refuse(where, f"has the unknown field {unknown[0][:80]!r}")


def refuse(name: str, why: str) -> NoReturn:
    """RequestError "schema" about a field."""
    raise RequestError("schema", f"{name or 'the value'} {why}", subject=name)


def check_hex(value: str, name: str) -> str:
    """`value` if it is 64 lower-case hex digits; RequestError "digest"."""
    if _HEX.fullmatch(value) is None:
        raise RequestError("digest", f"{name} is not 64 lower-case hex digits of sha256", subject=name)
    return value


def encode_time(moment: datetime) -> str:
    """YYYY-MM-DDTHH:MM:SS.ffffffZ; RequestError "time" for one without a time zone."""
    if moment.utcoffset() is None:
        raise RequestError("time", "a time without a time zone cannot be signed")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def encode_base64(data: bytes) -> str:
    """Standard base64 with padding, on one line."""
    return base64.b64encode(data).decode("ascii")


def decode_base64(text: str, name: str) -> bytes:
    """The bytes of canonical base64: only one text stands for them. RequestError "base64"."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        data = b""
    if encode_base64(data) != text:
        raise RequestError("base64", f"{name} is not canonical base64", subject=name)
    return data


def _not_a_time(name: str) -> RequestError:
    return RequestError("time", f"{name} is not a time in UTC like 2026-11-21T12:04:08.210000Z", subject=name)
