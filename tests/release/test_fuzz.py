"""Every decoder against bytes and structures that nobody meant: errors of ours with known codes, or a right value."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from forging import ANA, Deployment, Forged, b64, change, manifest_json, statement_json, to_json
from hypothesis import given, settings
from hypothesis import strategies as st

from habanero_receiver import trust
from habanero_receiver.errors import CODES, HabaneroError
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.manifest import Manifest
from habanero_receiver.release.request import ReadRequest
from habanero_receiver.release.statement import Statement

HERE = Deployment()

odd = st.sampled_from(
    [
        None, True, False, 0, 1, -1, 2**53, 2**64, 0.5, float("nan"), "", "sha256:", "é", "\ud800", "\n", [], {}, [[]],
        {"": 0},
    ]
) | st.text(max_size=5)  # fmt: skip


def paths(value: Any, here: str = "") -> list[str]:
    """Every dotted field of a JSON object."""
    if not isinstance(value, dict):
        return []
    names = [f"{here}.{key}".lstrip(".") for key in value if "." not in key]
    return names + [path for key in value if "." not in key for path in paths(value[key], f"{here}.{key}".lstrip("."))]


def decoded(decode: Callable[[bytes], Any], data: bytes) -> Any:
    """What comes of it; None for an error of ours."""
    try:
        return decode(data)
    except HabaneroError as error:
        assert error.code in CODES
        return None


def mutated(value: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """JSON near `value`: fields changed, bytes flipped, cut or repeated."""
    plain = to_json(value)
    fields = st.dictionaries(st.sampled_from(paths(value)), odd, min_size=1, max_size=2)
    at = st.integers(0, len(plain) - 1)

    def with_fields(changes: dict[str, Any]) -> bytes:
        try:
            return json.dumps(change(value, changes)).encode()
        except (TypeError, KeyError, IndexError):  # a parent of one field was changed by the other
            return plain

    return (
        fields.map(with_fields)
        | st.tuples(at, st.integers(0, 255)).map(lambda how: plain[: how[0]] + bytes([how[1]]) + plain[how[0] + 1 :])
        | at.map(lambda cut: plain[:cut])
        | st.tuples(at, at).map(lambda ends: plain[: ends[0]] + plain[ends[1] :])
    )


manifest_bytes = to_json(manifest_json())


@given(st.binary(max_size=100) | mutated(statement_json(manifest_bytes)))
def test_statements(data: bytes) -> None:
    """A statement that decodes is written as it was read, or at least read again as the same."""
    statement = decoded(Statement.decode, data)
    if statement is not None:
        assert Statement.decode(statement.encode()) == statement


@given(st.binary(max_size=100) | mutated(manifest_json()))
def test_manifests(data: bytes) -> None:
    """A manifest that decodes is read again as the same."""
    manifest = decoded(Manifest.decode, data)
    if manifest is not None:
        assert Manifest.decode(manifest.encode()) == manifest


@given(st.binary(max_size=100) | mutated(Forged().envelope_json()))
def test_envelopes(data: bytes) -> None:
    """An envelope that decodes is read again as the same."""
    envelope = decoded(Envelope.decode, data)
    if envelope is not None:
        assert Envelope.decode(envelope.encode()) == envelope


@given(st.binary(max_size=300), st.text(max_size=80))
def test_reads(payload: bytes, text: str) -> None:
    """Any header and any payload."""
    decoded(ReadRequest.decode, payload)
    for value in (text, f"Habanero {text}", f"Habanero {b64(payload)}"):
        decoded(lambda _, value=value: trust.judge_request(value, "GET", "/", HERE.policy, HERE.now), b"")


@settings(max_examples=200)
@given(st.data())
def test_no_change_to_a_push_is_taken(data: st.DataObject) -> None:
    """One byte changed, anywhere in a push, and it is refused; or it is, in what counts, the same push."""
    body = Forged().body()
    at = data.draw(st.integers(0, len(body) - 1))
    value = data.draw(st.integers(0, 255))
    received = decoded(HERE.receive, body[:at] + bytes([value]) + body[at + 1 :])
    if received is not None:
        original = HERE.receive(body)
        assert received.accepted.head == original.accepted.head
        assert (received.manifest, received.blobs) == (original.manifest, original.blobs)


@given(mutated(statement_json(manifest_bytes)), st.sampled_from([True, False]))
def test_whatever_a_trusted_key_signs_is_judged_without_a_crash(payload: bytes, trusted: bool) -> None:
    """A trusted sender's broken program gets an error of ours too, from a push and out of a journal."""
    envelope = Forged(payload=payload, signers=(ANA,)).the_envelope()
    decoded(HERE.judge, envelope)
    decoded(
        lambda data: trust.judge_entry(data, HERE.policy, HERE.base, HERE.head, seq=17, require_trusted_key=trusted),
        envelope,
    )
