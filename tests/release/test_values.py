"""Envelope, statement, manifest and request: what was written is what is read."""

# ruff: noqa: E501  (one row each)

from __future__ import annotations

import string
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from forging import ANA, BASE, BEN, NOW, PREV, PYTHON, TARGET, sha
from hypothesis import given
from hypothesis import strategies as st

from habanero_receiver.errors import RequestError
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope, Signature, pae
from habanero_receiver.release.limits import DEFAULT_LIMITS
from habanero_receiver.release.manifest import EMPTY, BlobRef, Manifest, ModuleEntry
from habanero_receiver.release.publickey import verify
from habanero_receiver.release.request import ReadRequest, compose, decode_header
from habanero_receiver.release.statement import Gate, PythonTag, Statement, Withdraw

STATEMENT = Statement(
    target=TARGET,
    base=BASE,
    seq=17,
    prev=PREV,
    kind="push",
    python=PYTHON,
    manifest_digest="sha256:" + "ab" * 32,
    manifest_size=25_491,
    issued=NOW,
    accept_until=NOW + timedelta(minutes=5),
    nonce="0f" * 16,
    author="ana@laptop",
)

lines = st.text(st.characters(categories=("L", "N", "P", "S")), min_size=1, max_size=60)
hexes = st.binary(min_size=32, max_size=32).map(bytes.hex)
digests = hexes.map(lambda each: "sha256:" + each)
times = st.datetimes(timezones=st.just(UTC))
statements = st.builds(
    Statement,
    target=lines,
    base=digests,
    seq=st.integers(-(2**53), 2**53),
    prev=digests,
    kind=st.just("push"),
    python=st.builds(PythonTag, lines.map(lambda s: s[:40]), lines.map(lambda s: s[:40]), st.integers(0, 65_535), st.integers(0, 2)),
    manifest_digest=digests,
    manifest_size=st.integers(1, DEFAULT_LIMITS.max_manifest_bytes),
    issued=times,
    accept_until=times,
    nonce=st.binary(min_size=16, max_size=16).map(bytes.hex),
    author=lines,
    git=st.none() | lines,
    gate=st.none() | st.builds(Gate, lines, st.integers(-64, 255), st.none() | lines.map(lambda s: s[:80])),
    withdraw=st.builds(Withdraw, st.integers(0, 1_000), st.integers(1, 86_400)),
    restores=st.none(), frozen=st.just(False), reason=st.none(),
)  # fmt: skip
parts = st.text(string.ascii_lowercase, min_size=1, max_size=8).map(lambda part: part + "_")
refs = hexes.map(lambda each: BlobRef(each, 1 + int(each[:4], 16)))  # one digest, one size


@st.composite
def manifests(draw: Any) -> Manifest:
    modules: dict[str, ModuleEntry | None] = {}
    for name in draw(st.lists(st.lists(parts, min_size=1, max_size=3).map(".".join), unique=True, max_size=5)):
        package = draw(st.booleans())
        source = draw(refs | st.just(EMPTY))
        modules[name] = draw(st.none() | st.just(ModuleEntry(package, source, draw(refs), draw(refs))))
    return Manifest(modules)


@given(statements)
def test_a_statement_is_read_as_it_was_written(statement: Statement) -> None:
    """Every field survives, times to the microsecond."""
    assert Statement.decode(statement.encode()) == statement


def test_a_rollback_is_read_as_it_was_written() -> None:
    """The release that it restores is part of what is signed."""
    rollback = STATEMENT._replace(kind="rollback", restores=3)
    assert Statement.decode(rollback.encode()) == rollback


@given(manifests())
def test_a_manifest_is_read_as_it_was_written(manifest: Manifest) -> None:
    """Modules, deletions and empty files survive, and equal overlays have equal bytes."""
    assert Manifest.decode(manifest.encode()) == manifest
    assert Manifest(dict(reversed(manifest.modules.items()))).encode() == manifest.encode()


SMALL = DEFAULT_LIMITS._replace(max_modules=3, max_blob_bytes=60_000, max_total_bytes=150_000)
EDITS = st.lists(
    st.tuples(
        st.integers(0, 3_000),
        st.integers(0, 30),
        st.sampled_from([b"", b'"', b"},", b'"},"', b":", b":0", b"0", b"\\u0061", b"\xc3\xa4", b" ", b'"deleted":true', b"true"]),
    ),
    max_size=2,
)


def outcome(data: bytes) -> Manifest | str:
    try:
        return Manifest.decode(data, SMALL)
    except RequestError as error:
        return error.code


@given(manifests(), EDITS)
def test_a_manifest_means_the_same_however_it_is_spaced(manifest: Manifest, edits: list[tuple[int, int, bytes]]) -> None:
    """What `encode` writes is read by a short way; whatever somebody makes of it, that finds what the long way finds."""
    data = manifest.encode()
    for at, length, new in edits:
        data = data[: at % len(data)] + new + data[at % len(data) + length :]
    assert outcome(data) == outcome(b" " + data)


@given(st.text(max_size=20), st.binary(max_size=60), st.lists(st.builds(Signature, st.text(max_size=9), st.binary(max_size=70)), max_size=4))
def test_an_envelope_is_read_as_it_was_written(kind: str, payload: bytes, signatures: list[Signature]) -> None:
    """Type, payload and signatures survive byte by byte."""
    envelope = Envelope(kind, payload, tuple(signatures))
    assert Envelope.decode(envelope.encode()) == envelope


def test_the_signed_bytes_are_those_of_dsse() -> None:
    """The example of the DSSE 1.0 specification."""
    assert pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )
    assert pae("é", b"") == "DSSEv1 2 é 0 ".encode()


def test_signing_adds_a_signature_and_keeps_the_identity() -> None:
    """A second signer changes the envelope but not the release that it names."""
    one = Envelope(PAYLOAD_TYPE, b"payload").sign(ANA.keyid, ANA.sign)
    two = one.sign(BEN.keyid, BEN.sign)
    assert one.digest == two.digest == "sha256:" + sha(b"payload")
    assert [signature.keyid for signature in two.signatures] == [ANA.keyid, BEN.keyid]
    assert verify(BEN.public, two.signatures[1].sig, pae(PAYLOAD_TYPE, b"payload"))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"author": "a" * 501}, "schema"),
        ({"git": "line\nline"}, "schema"),
        ({"nonce": ""}, "schema"),
        ({"manifest_size": 0}, "manifest-size"),
        ({"prev": "none"}, "digest"),
        ({"manifest_digest": "ab" * 31}, "digest"),
        ({"issued": datetime(2026, 11, 21)}, "time"),  # noqa: DTZ001  (that is what is wrong with it)
        ({"kind": "thaw"}, "statement-kind"),
        ({"kind": "freeze"}, "schema"),
        ({"frozen": True}, "schema"),
        ({"reason": "because"}, "schema"),
        ({"kind": "clear"}, "schema"),
        ({"restores": 3}, "schema"),
        ({"author": "ä" * 300, "git": "ä" * 300, "target": "ä" * 300, "gate": Gate("ä" * 300, 0)}, None),
        ({"author": "中" * 499, "git": "中" * 499, "target": "中" * 499, "gate": Gate("中" * 499, 0)}, "payload-size"),
    ],
)
def test_nothing_is_composed_that_would_be_refused(changes: dict[str, Any], code: str | None) -> None:
    """The sender learns what is wrong with a statement before it is signed."""
    statement = STATEMENT._replace(**changes)
    if code is None:
        assert Statement.decode(statement.encode()) == statement
        return
    with pytest.raises(RequestError) as caught:
        statement.encode()
    assert caught.value.code == code


def test_times_of_other_zones_are_written_in_utc() -> None:
    """The moment is kept, whatever zone the sender's clock shows it in."""
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    assert STATEMENT._replace(issued=tokyo).encode() == STATEMENT.encode()
    early = STATEMENT._replace(issued=datetime(1, 1, 1, tzinfo=UTC))
    assert Statement.decode(early.encode()) == early


def test_the_python_of_this_process_has_a_tag() -> None:
    """The tag of the running Python survives JSON and reads well."""
    tag = PythonTag.current()
    assert PythonTag.from_json(tag.to_json()) == tag
    assert str(PYTHON) == "cpython-311 (magic 3495)"
    assert str(PYTHON._replace(optimize=2)).endswith("-OO")


def test_blobs_are_counted_once() -> None:
    """Modules with the same bytes share one blob."""
    ref, other, third = BlobRef("ab" * 32, 7), BlobRef("cd" * 32, 9), BlobRef("ef" * 32, 8)
    entries = dict.fromkeys(("a", "b"), ModuleEntry(False, ref, other, third))
    assert Manifest({**entries, "c": None}).blobs() == {"ab" * 32: 7, "cd" * 32: 9, "ef" * 32: 8}


def test_an_empty_file_is_a_module() -> None:
    """The only blob without bytes is the empty one: most packages have such an __init__.py."""
    entry = ModuleEntry(True, EMPTY, BlobRef("ab" * 32, 7), BlobRef("cd" * 32, 7))
    assert Manifest.decode(Manifest({"shop": entry}).encode()).modules == {"shop": entry}


def test_a_read_is_read_as_it_was_written() -> None:
    """The header carries the request whole; other schemes' headers are nobody's envelope."""
    request = ReadRequest(TARGET, "GET", "/v1/state", NOW, NOW + timedelta(minutes=1), "0f" * 16)
    envelope = decode_header(compose(request, ANA.keyid, ANA.sign))
    assert envelope is not None
    assert ReadRequest.decode(envelope.payload) == request
    assert decode_header("Bearer abc") is None


def test_a_body_within_its_limits_fits_the_limit_of_bodies() -> None:
    """The largest of everything is still a body that the HTTP layer lets through."""
    limits = DEFAULT_LIMITS
    largest = 16 + limits.max_envelope_bytes + limits.max_manifest_bytes + limits.max_total_bytes
    assert limits.max_body_bytes == largest + 3 * limits.max_modules * 32
