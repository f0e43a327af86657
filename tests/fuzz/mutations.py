"""Makes near misses of right inputs: bytes flipped, cut, doubled and spliced, and JSON with fields that nobody meant.

Pure: the dice come in, so a seed gives the same inputs on every machine.
"""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

TOKENS = (
    b'"', b"\\", b"\\u0000", b"\\ud800", b"\\udfff\\ud800", b"[", b"]", b"{", b"}", b":", b",", b"null", b"true",
    b"NaN", b"-Infinity", b"1e999", b"-0", b"9007199254740993", b"0.1", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00",
    b"\xed\xa0\x80", b"sha256:", b"=", b"==", b"../", b"\n", b"\r\n", b"\xe2\x80\xa8", b"\xe2\x80\xae",
    b"[" * 64, b'{"a":' * 32, b"HABPUSH1", b'"payload":"",', b'"deleted":true,', b'"__proto__":{},',
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**53, 2**53 + 1, 2**64, -(2**63), 0.0, 1.5, float("nan"), float("inf"), "",
    " ", "\x00", "\n", "é", "\u202e", "\ud800", "a" * 5_000, "../../etc/passwd", "sha256:" + "0" * 64, [], {}, [[]],
    {"": {}}, [None] * 20, "2026-11-21T12:04:08.210000Z", "os", "habanero_receiver",
)  # fmt: skip


def mutate(dice: Random, data: bytes, others: list[bytes]) -> bytes:
    """One to four changes to bytes."""
    for _ in range(dice.choice((1, 1, 1, 2, 3, 4))):
        data = dice.choice(_BY_BYTE)(dice, data, others)
    return data[:200_000]


def restructure(dice: Random, value: Any) -> bytes:
    """JSON of the value with one to three of its parts replaced, removed, moved or given twice."""
    value = json.loads(json.dumps(value))
    for _ in range(dice.choice((1, 1, 2, 3))):
        _change_part(dice, value)
    text = json.dumps(value, ensure_ascii=dice.random() < 0.5, separators=dice.choice(((",", ":"), (", ", ": "))))
    if dice.random() < 0.1:
        text = text.replace("{", '{"' + dice.choice(("payload", "seq", "modules", "target")) + '":1,', 1)
    return text.encode("utf-8", "surrogatepass")


def _change_part(dice: Random, value: Any) -> None:
    place = value
    while isinstance(place, (dict, list)) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = dice.choice(keys)
        inner = place[key]
        if not (isinstance(inner, (dict, list)) and inner) or dice.random() < 0.25:
            _replace_part(dice, place, key)
            return
        place = inner


def _replace_part(dice: Random, place: Any, key: Any) -> None:
    how = dice.randrange(5)
    if how == 0:
        del place[key]
    elif how == 1 and isinstance(place, dict):
        place[str(dice.choice(ODD))[:100]] = place[key]
    elif how == 2 and isinstance(place[key], str):
        place[key] = _change_text(dice, place[key])
    elif how == 3 and isinstance(place[key], int):
        place[key] += dice.choice((-1, 1, 2**53, -(2**53)))
    else:
        place[key] = deepcopy(dice.choice(ODD))


def _change_text(dice: Random, text: str) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(("", "\n", "A", "=", "\u0430", "\x00", "/", ".")) + text[at + dice.randrange(2) :]


def _flip(dice: Random, data: bytes, _: list[bytes]) -> bytes:
    if not data:
        return bytes([dice.randrange(256)])
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << dice.randrange(8))]) + data[at + 1 :]


def _set(dice: Random, data: bytes, _: list[bytes]) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]


def _cut(dice: Random, data: bytes, _: list[bytes]) -> bytes:
    first, last = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
    return data[:first] + data[last:]


def _end(dice: Random, data: bytes, _: list[bytes]) -> bytes:
    return data[: dice.randrange(len(data) + 1)]


def _double(dice: Random, data: bytes, _: list[bytes]) -> bytes:
    first, last = sorted((dice.randrange(len(data) + 1), dice.randrange(len(data) + 1)))
    return data[:last] + data[first:last] * dice.choice((1, 1, 1, 20)) + data[last:]


def _insert(dice: Random, data: bytes, _: list[bytes]) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + dice.choice(TOKENS) + data[at:]


def _splice(dice: Random, data: bytes, others: list[bytes]) -> bytes:
    other = dice.choice(others)
    return data[: dice.randrange(len(data) + 1)] + other[dice.randrange(len(other) + 1) :]


_BY_BYTE = (_flip, _flip, _set, _cut, _end, _double, _insert, _insert, _splice)
