"""Reads the parts of a server's answer by kind: parsed JSON in, plain values out, or one error that says what is wrong.

Pure. The rule it upholds: an answer that does not have the expected form is told as such (`unexpected-answer`), and is
never a crash further on.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from habanero_receiver.errors import HabaneroError


def unexpected(subject: str, what: str) -> HabaneroError:
    """The server answered, but not as this version of the command understands."""
    return HabaneroError(
        "unexpected-answer",
        f"the server's answer cannot be used: {what}",
        subject=subject,
        help="check that url ends with the receiver's prefix, /_habanero, and that both sides run one version",
    )


def as_object(value: object, what: str) -> dict[str, object]:
    """An object with its fields."""
    if not isinstance(value, dict):
        raise unexpected(what, f"{what} is not an object")
    return value


def as_list(value: object, what: str) -> Sequence[object]:
    """A list."""
    if not isinstance(value, list):
        raise unexpected(what, f"{what} is not a list")
    return value


def get(data: Mapping[str, object], key: str) -> object:
    """A field that has to be there."""
    if key not in data:
        raise unexpected(key, f"{key} is missing")
    return data[key]


def get_text(data: Mapping[str, object], key: str) -> str:
    """A field that is text."""
    value = get(data, key)
    if not isinstance(value, str):
        raise unexpected(key, f"{key} is not text")
    return value


def get_int(data: Mapping[str, object], key: str) -> int:
    """A field that is a whole number."""
    value = get(data, key)
    if not isinstance(value, int) or isinstance(value, bool):
        raise unexpected(key, f"{key} is not a whole number")
    return value


def get_optional(data: Mapping[str, object], key: str) -> str | None:
    """A field that is text, or is not there."""
    return get_text(data, key) if data.get(key) is not None else None


def get_words(data: Mapping[str, object], key: str) -> tuple[str, ...]:
    """A field that is a list of texts."""
    return tuple(str(word) for word in as_list(get(data, key), key))


def decode_base64(text: str) -> bytes:
    """The bytes that base64 stands for."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise unexpected("base64", "what should be base64 is not") from error
