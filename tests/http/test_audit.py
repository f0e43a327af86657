"""The audit log: one line for each attempt, whatever is in it."""

from __future__ import annotations

import logging

import pytest
from asking import Endpoints
from authoring import Author
from hypothesis import given
from hypothesis import strategies as st

from habanero_receiver.http import audit


def records(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "habanero.audit"]


def test_each_attempt_is_one_record_with_its_fields(endpoints: Endpoints, caplog: pytest.LogCaptureFixture) -> None:
    """Success is INFO, refusal is WARNING with the code; author and key are those that were verified."""
    caplog.set_level(logging.INFO, logger="habanero.audit")
    push = endpoints.world.push()
    endpoints.push(push)
    endpoints.push(endpoints.world.push(author=Author("mallory")))
    endpoints.get("/v1/state")
    endpoints.send("GET", "/v1/state")
    done, refused, read, nobody = (vars(record) for record in records(caplog))
    assert (done["levelname"], done["outcome"], done["seq"], done["digest"]) == ("INFO", "ok", "1", push.digest)
    assert done["author"] == "ana@laptop" and done["keyids"].startswith("SHA256:")
    assert (refused["levelname"], refused["code"], refused["author"]) == ("WARNING", "unauthorized", "-")
    assert (read["action"], read["outcome"]) == ("state", "ok")
    assert (nobody["action"], nobody["code"]) == ("state", "unauthorized")


def test_who_signed_is_told_of_a_push_that_is_refused_for_what_it_says(
    endpoints: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    """A trusted key's push for another place names the key in its record, though nothing in it is believed."""
    caplog.set_level(logging.INFO, logger="habanero.audit")
    author = endpoints.world.author
    endpoints.push(endpoints.world.push(target="shop/elsewhere#1"))
    endpoints.push(endpoints.world.push(author=Author("mallory")))
    known, stranger = (vars(record) for record in records(caplog))
    assert (known["code"], known["seq"], known["author"]) == ("wrong-target", "-", "-")
    assert known["keyids"] == audit.safe(author.public.keyid)
    assert (stranger["code"], stranger["keyids"]) == ("unauthorized", "-")


def test_an_authors_name_cannot_write_a_second_line(endpoints: Endpoints, caplog: pytest.LogCaptureFixture) -> None:
    """Text from outside is escaped in the message and in the fields alike."""
    caplog.set_level(logging.INFO, logger="habanero.audit")
    evil = "ana outcome=ok code=-"
    endpoints.push(endpoints.world.author.push(endpoints.world.base.digest, {"shop.rates": "RATE = 1\n"}, author=evil))
    for record in records(caplog):
        fields = dict(word.split("=") for word in record.getMessage().split(" "))
        assert record.getMessage().isprintable() and fields["outcome"] == vars(record)["outcome"]
    assert records(caplog)


@given(st.text())
def test_any_text_becomes_one_plain_word(text: str) -> None:
    """No line end, no escape sequence, no space, no equals sign: nothing that could pass for more than one value."""
    word = audit.safe(text)
    assert word.isascii() and word.isprintable() and " " not in word and "=" not in word and word


def test_long_text_is_cut() -> None:
    """A line has a bounded length."""
    assert len(audit.safe("\u2028" * 10_000)) < 3_000
