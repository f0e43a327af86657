"""The push body: a state machine without I/O."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from forging import sha
from hypothesis import given
from hypothesis import strategies as st

from habanero_receiver.errors import RequestError
from habanero_receiver.release import body
from habanero_receiver.release.body import BlobPart, EnvelopePart, ManifestPart, Part, PushParser, State

ENVELOPE, MANIFEST = b"an envelope", b"a manifest"
BLOBS = {sha(data): data for data in (b"", b"one", b"two" * 1_000)}
SIZES = {name: len(data) for name, data in BLOBS.items()}
BODY = body.encode(ENVELOPE, MANIFEST, BLOBS)


def advance(parser: PushParser, part: Part | None) -> None:
    """What a caller does who finds everything in order."""
    if isinstance(part, EnvelopePart):
        parser.expect_manifest(len(MANIFEST))
    elif isinstance(part, ManifestPart):
        parser.expect_blobs(SIZES)


def run(chunks: list[bytes]) -> list[Part]:
    parser, found = PushParser(), list[Part]()
    for chunk in chunks:
        parser.feed(chunk)
        while (part := parser.next_part()) is not None:
            found.append(part)
            advance(parser, part)
    parser.close()
    return found


EXPECTED = [EnvelopePart(ENVELOPE), ManifestPart(MANIFEST), *(BlobPart(name, BLOBS[name]) for name in sorted(BLOBS))]


@given(st.lists(st.integers(0, len(BODY)), max_size=12))
def test_chunks_of_any_size_give_the_same_parts(cuts: list[int]) -> None:
    """How the network cuts the body makes no difference."""
    edges = [0, *sorted(cuts), len(BODY)]
    assert run([BODY[start:end] for start, end in pairwise(edges)]) == EXPECTED


def test_no_byte_is_asked_for_beyond_the_next_part() -> None:
    """Fed exactly what it needs, the parser gives every part as soon as it can; it needs nothing at the end."""
    parser, at, found = PushParser(), 0, list[Part]()
    while parser.state is not State.DONE or at < len(BODY):
        if (part := parser.next_part()) is not None:
            found.append(part)
            advance(parser, part)
        else:
            wanted = parser.need
            assert wanted > 0
            parser.feed(BODY[at : at + wanted])
            at += wanted
    assert found[:2] == EXPECTED[:2]
    assert (at, parser.need) == (len(BODY), 0)


def test_nothing_is_needed_while_the_caller_judges() -> None:
    """Until an envelope is found trustworthy, not one more byte is wanted."""
    parser = PushParser()
    parser.feed(BODY[: 12 + len(ENVELOPE)])
    assert parser.next_part() == EnvelopePart(ENVELOPE)
    assert (parser.state, parser.need, parser.next_part()) == (State.JUDGE_ENVELOPE, 0, None)


def test_a_body_that_ends_early_is_truncated() -> None:
    """Wherever a connection breaks, the push is refused."""
    for size in range(len(BODY)):
        with pytest.raises(RequestError) as caught:
            run([BODY[:size]])
        assert caught.value.code == "truncated"


def test_too_many_blobs_are_refused_by_their_number() -> None:
    """Before the first of them is waited for."""
    start = BODY.index(MANIFEST) + len(MANIFEST)
    with pytest.raises(RequestError) as caught:
        run([BODY[:start] + (len(BLOBS) + 1).to_bytes(4, "big")])
    assert caught.value.code == "unexpected-blob"


def test_what_is_behind_the_end_is_refused_at_once() -> None:
    """In the same chunk or in a later one."""
    for chunks in ([BODY + b"x"], [BODY, b"x"]):
        with pytest.raises(RequestError) as caught:
            run(chunks)
        assert caught.value.code == "truncated"


@pytest.mark.parametrize("early", [State.HEAD, State.ENVELOPE, State.JUDGE_ENVELOPE])
def test_the_manifest_cannot_be_expected_out_of_turn(early: State) -> None:
    """A caller that forgets to judge is stopped by the parser, not by luck."""
    parser = PushParser()
    if early is not State.HEAD:
        parser.feed(BODY[:12] if early is State.ENVELOPE else BODY)
        parser.next_part()
    assert parser.state is early
    with pytest.raises(RuntimeError):
        parser.expect_blobs({})
    if early is not State.JUDGE_ENVELOPE:
        with pytest.raises(RuntimeError):
            parser.expect_manifest(1)


def test_the_table_in_the_docstring_is_the_table_of_states() -> None:
    """The docs name every state, in order, and nothing else."""
    named = re.findall(r"^    ([A-Z]+(?:_[A-Z]+)?)  ", body.__doc__ or "", re.MULTILINE)
    assert named == [state.name for state in State]


def test_a_blob_is_given_out_verified_or_not_at_all() -> None:
    """A blob with other bytes than its digest says ends the push."""
    name = sha(b"one")
    spoilt = body.encode(ENVELOPE, MANIFEST, {**BLOBS, name: b"0ne"})
    with pytest.raises(RequestError) as caught:
        run([spoilt])
    assert (caught.value.code, caught.value.subject) == ("blob-digest", name)
