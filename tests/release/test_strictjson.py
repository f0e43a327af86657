"""JSON with one reading only; more of what is refused is in the table of hostile pushes."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from habanero_receiver.errors import RequestError
from habanero_receiver.release import strictjson

DEPTH = 16

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner, max_size=4),
    max_leaves=20,
)


def loads(data: bytes, max_depth: int = DEPTH) -> object:
    return strictjson.loads(data, max_depth=max_depth)


def code_of(data: bytes, max_depth: int = DEPTH) -> str:
    with pytest.raises(RequestError) as caught:
        loads(data, max_depth)
    return caught.value.code


@given(values)
def test_what_was_written_is_read(value: object) -> None:
    """Round trip, and the same reading as the standard library's of what either writes."""
    assert loads(strictjson.dumps(value), 100) == value
    assert loads(json.dumps(value, indent=1).encode(), 100) == value


@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_whatever_is_accepted_means_the_same_to_everyone(data: bytes) -> None:
    """No bytes raise anything but RequestError, and what is accepted is what the standard library reads."""
    try:
        value = loads(data)
    except RequestError:
        return
    assert value == json.loads(data)


def test_equal_values_have_equal_bytes() -> None:
    """Keys are sorted and nothing is padded, so a payload's digest does not depend on the order of a dict."""
    assert strictjson.dumps({"b": 1, "a": [1, "é"]}) == '{"a":[1,"é"],"b":1}'.encode()


def test_text_without_utf8_cannot_be_written() -> None:
    """A file name that the system could not decode is refused before it is signed."""
    with pytest.raises(RequestError) as caught:
        strictjson.dumps({"path": "caf\udce9.py"})
    assert caught.value.code == "surrogate"


@pytest.mark.parametrize("depth", [1, 2, 16])
def test_depth_is_counted_exactly(depth: int) -> None:
    """As deep as the limit is fine, one deeper is not; brackets inside strings do not count."""
    nested = b'["[[[{{{\\"[[",' * depth + b"0" + b"]" * depth
    assert loads(nested, depth) is not None
    assert code_of(nested, depth - 1) == "json-depth"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'"\\ud83d\\ude00', "json"),
        (b'{"a":1,}', "json"),
        (b"'a'", "json"),
        (b'"\t"', "json"),
        (b"", "json"),
        (b"]", "json"),
        (b"9007199254740993", "number"),
        (b"-9007199254740993", "number"),
        (b"1.0", "number"),
        (b"1E2", "number"),
        (b"Infinity", "number"),
        (b'["\\udc00\\ud800"]', "surrogate"),
        (b'{"a":1,"b":{"c":1,"c":1}}', "duplicate-key"),
    ],
)
def test_what_has_two_readings_is_refused(data: bytes, code: str) -> None:
    """Each kind of ambiguity has its code."""
    assert code_of(data) == code


def test_pairs_of_surrogates_are_one_character() -> None:
    """Escaped characters beyond the BMP are legal JSON."""
    assert loads(b'"\\ud83d\\ude00"') == "\U0001f600"
    assert loads(b"[9007199254740992,-9007199254740992]") == [2**53, -(2**53)]


@pytest.mark.parametrize(
    "unit",
    [b'\\"', b'"', b"\\", b"[", b'["', b'{"', b'\\u"', b"1", b'"a":1,', b"\xc3\xa9"],
)
def test_no_input_takes_longer_than_its_length_allows(unit: bytes) -> None:
    """A hundred kilobytes of anything are refused in a moment: nothing here is quadratic."""
    data = b'"' + unit * (100_000 // len(unit))
    began = time.process_time()
    with pytest.raises(RequestError):
        loads(data)
    assert time.process_time() - began < 2.0  # what is linear takes milliseconds, what is not takes minutes
