"""The audit log: one line for each attempt, whatever is in it."""

from __future__ import annotations

import dataclasses
import json
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


EVIL = [
    "ana\noutcome=ok", "ana\r\n2026-11-21 INFO habanero.audit action=push outcome=ok", "ana\u2028outcome=ok",
    "ana\u2029x", "ana\x85x", "ana\x0bx\x0cx\x1cx\x1dx\x1e", "ana\u202eko=emoctuo", "ana\u2066x\u2069",
    "ana\x1b[2J\x1b]0;x\x07", 'ana","outcome":"ok', "ana\\x{a}", "ana%0aoutcome=ok", "ana=ok code=-", "ana\x00",
    "ana\ud800", "ａｎａ", "a" * 100_000,
    "%s%s%n{0}{x}", "<script>", "$(id)", "`id`", "'; drop table audit; --",
]  # fmt: skip
"""What somebody might call himself."""


@pytest.mark.parametrize("evil", EVIL, ids=range(len(EVIL)))
def test_no_field_can_say_more_than_itself(evil: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is in each field, the record is one line of as many words as there are fields, each under its name.

    The same holds for a JSON line made of the record's attributes, as structured handlers make it.
    """
    caplog.set_level(logging.INFO, logger="habanero.audit")
    audit.record(audit.Attempt(evil, evil, evil, peer=evil, target=evil, digest=evil, keyids=evil, author=evil))
    [record] = records(caplog)
    line = record.getMessage()
    assert len(line.splitlines()) == 1 and line.isascii() and line.isprintable() and len(line) < 20_000
    words = [word.partition("=") for word in line.split(" ")]
    assert [name for name, _, _ in words] == [field.name for field in dataclasses.fields(audit.Attempt)]
    assert all("=" not in value for _, _, value in words)
    for name, _, value in words:
        assert vars(record)[name] == value
        assert json.loads(json.dumps(vars(record)[name])) == value and '"' not in value and "\\n" not in value


def test_two_names_that_differ_are_written_differently() -> None:
    """What is escaped cannot be written out by somebody to look the same."""
    assert audit.safe("ana\n") != audit.safe("ana\\x{a}") != audit.safe("ana")


def test_every_outcome_is_recorded_once(endpoints: Endpoints, caplog: pytest.LogCaptureFixture) -> None:
    """Taken, refused for what it says, refused for who sent it, a dry run, a read, an unknown path: one record each."""
    caplog.set_level(logging.INFO, logger="habanero.audit")
    world = endpoints.world
    attempts = [
        lambda: endpoints.push(world.push(), action="check"),
        lambda: endpoints.push(world.push()),
        lambda: endpoints.push(world.push(seq=9)),
        lambda: endpoints.push(world.push(author=Author("mallory"))),
        lambda: endpoints.push(b"junk"),
        lambda: endpoints.push(b"", headers={}),
        lambda: endpoints.get("/v1/state"),
        lambda: endpoints.get("/v1/blobs/" + "0" * 64),
        lambda: endpoints.send("GET", "/v1/state"),
        lambda: endpoints.send("PUT", "/v1/push"),
        lambda: endpoints.send("GET", "/v1/nothing"),
    ]
    for attempt in attempts:
        caplog.clear()
        answer = attempt()
        [record] = records(caplog)
        ok = answer.status_code == 200
        assert vars(record)["outcome"] == ("ok" if ok else "refused")
        assert vars(record)["code"] == ("-" if ok else answer.json()["code"])
