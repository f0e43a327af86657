r"""JSON that has one reading only: what the signer's parser saw is what ours sees.

Refused beside what is not JSON: a byte order mark, anything but UTF-8, keys given twice, floats, NaN and infinities,
integers beyond ±2^53, lone surrogates, and nesting beyond a limit, which is measured before the parser runs.

It does not check shapes (`fields`) and signs nothing. The rule it upholds: no input, however hostile, costs more than
time linear in its length or raises anything but RequestError.
"""

from __future__ import annotations

import json
import re
from itertools import accumulate, pairwise
from typing import NoReturn

from habanero_receiver.errors import RequestError

MAX_INTEGER = 2**53
_MAX_INTEGER_CHARS = len(str(-MAX_INTEGER))

# Possessive, and content with a missing end quote: so no input makes the search start twice over the same bytes.
_STRINGS = rb'(?s)"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_ESCAPED_SURROGATE = rb"\\u[dD][89abcdefABCDEF]"


def loads(data: bytes, *, max_depth: int) -> object:
    """The value in `data`. RequestError: json, not-utf8, json-depth, duplicate-key, number or surrogate."""
    if data.startswith(b"\xef\xbb\xbf"):
        raise RequestError("json", "the JSON begins with a byte order mark")
    if b"\0" in data:
        raise RequestError("not-utf8", "the JSON holds NUL bytes, as UTF-16 does; it must be UTF-8")
    _check_depth(data, max_depth)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError("not-utf8", f"the JSON is not UTF-8 from byte {error.start} on") from None
    try:
        value: object = _DECODER.decode(text)
    except ValueError as error:
        raise RequestError("json", f"not JSON: {error}") from None
    if b"\\" in data and re.search(_ESCAPED_SURROGATE, data):
        _check_surrogates(value)
    return value


def dumps(value: object) -> bytes:
    """Compact UTF-8 with sorted keys; RequestError "surrogate" for text that has no UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise _surrogate() from None


def _check_depth(data: bytes, max_depth: int) -> None:
    # Without escapes every other quote ends a string, whatever is in it.
    outside = re.sub(_STRINGS, b"", data) if b"\\" in data else b"".join(data.split(b'"')[::2])
    brackets = outside.translate(None, _NOT_BRACKETS)
    if len(brackets) > max_depth and max(accumulate(map(_STEP.__getitem__, brackets))) > max_depth:
        raise RequestError("json-depth", f"the JSON is nested more than {max_depth} deep")


def _check_surrogates(value: object) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str) and any("\ud800" <= char <= "\udfff" for char in item):
            raise _surrogate()


def _surrogate() -> RequestError:
    return RequestError("surrogate", "text holds half of a surrogate pair")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        keys = sorted(key for key, _ in pairs)
        twice = next(key for key, after in pairwise(keys) if key == after)[:80]
        raise RequestError("duplicate-key", f"the key {twice!r} is given twice", subject=twice)
    return value


def _integer(digits: str) -> int:
    if len(digits) <= _MAX_INTEGER_CHARS and -MAX_INTEGER <= (number := int(digits)) <= MAX_INTEGER:
        return number
    raise RequestError("number", f"{digits[:24]} is beyond ±2^53")


def _refuse_number(word: str) -> NoReturn:
    raise RequestError("number", f"{word[:24]} is not an integer")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_refuse_number, parse_constant=_refuse_number
)
