"""Signed reads: who may ask what runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from forging import ANA, BEN, NOW, STRANGER, TARGET, Deployment, Forged, Person, b64

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.release.request import ReadRequest, compose

HERE = Deployment()
READ = ReadRequest(TARGET, "GET", "/v1/journal?after=3", NOW, NOW + timedelta(minutes=1), "0f" * 16)


def header(who: Person = ANA, **changes: Any) -> str:
    return compose(replace(READ, **changes), who.keyid, who.sign)


def code_of(value: str, deployment: Deployment = HERE, path: str = READ.path, method: str = "GET") -> str:
    with pytest.raises(HabaneroError) as caught:
        trust.judge_request(value, method, path, deployment.policy, deployment.now)
    return caught.value.code


def test_a_trusted_read_tells_who_asks() -> None:
    """One trusted key is enough to read, whatever threshold a push must reach."""
    assert trust.judge_request(header(), "GET", READ.path, HERE.but(threshold=2).policy, NOW) == ANA.keyid
    assert trust.judge_request(header(BEN), "GET", READ.path, HERE.policy, NOW) == BEN.keyid


@pytest.mark.parametrize("value", ["", "Bearer abc", "Basic YTpi", "habanero", header(STRANGER)])
def test_without_a_trusted_signature_a_read_is_unauthorized(value: str) -> None:
    """No header, another scheme's, or a stranger's: the same answer."""
    expected = "envelope-size" if value == "habanero" else "unauthorized"
    assert code_of(value) == expected


def test_an_entry_of_the_journal_is_no_ticket_to_read() -> None:
    """What was signed as a release cannot be shown as a read: the payload's type is signed with it."""
    assert code_of(f"Habanero {b64(Forged().the_envelope())}") == "unauthorized"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (header(target="shop/staging#5f2c"), "wrong-target"),
        (header(method="POST"), "wrong-request"),
        (header(path="/v1/state"), "wrong-request"),
        (header(issued=NOW - timedelta(minutes=2), accept_until=NOW - timedelta(minutes=1)), "expired"),
        (header(issued=NOW + timedelta(minutes=2), accept_until=NOW + timedelta(minutes=3)), "not-yet-valid"),
        (header(accept_until=NOW + timedelta(days=1)), "window"),
        (header(accept_until=NOW), "window"),
        (header(target="two\nlines"), "schema"),
        (header(path="/" + "x" * 4_096), "payload-size"),
        (header(path="/" + "x" * 9_000), "envelope-size"),
        ("Habanero !", "base64"),
        (f"Habanero {b64(b'junk')}", "json"),
    ],
)
def test_a_wrong_read_gets_its_code(value: str, code: str) -> None:
    """Each wrong read is refused by the rule that it breaks."""
    assert code_of(value) == code


def test_the_query_is_signed() -> None:
    """A read of one page of the journal is not a read of another."""
    assert code_of(header(), path="/v1/journal?after=4") == "wrong-request"


def test_revoked_and_ended_keys_do_not_read() -> None:
    """Whoever may not push any more may not look either."""
    assert code_of(header(), HERE.but(revoked=frozenset({ANA.keyid}))) == "unauthorized"
    assert code_of(header(), HERE.but(keys=(ANA.trusted(valid_before=NOW),))) == "unauthorized"
