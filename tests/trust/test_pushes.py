"""What a deployment answers to a push: the right one, and every hostile one of the table."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from forging import ANA, BASE, BEN, NOW, REMOVE, STRANGER, Deployment, Forged, entry, good_blobs, manifest_json, sha
from hostile_pushes import CASES, HERE_AND_NOW, MANIFEST, STATEMENT, Case, push, seconds

from habanero_receiver import trust
from habanero_receiver.errors import CODES, ConfigError, ConflictError, HabaneroError, RequestError, TrustError
from habanero_receiver.release.statement import PythonTag
from habanero_receiver.trust import Head

HERE = Deployment()


def names(case: Case) -> str:
    return case.what


def refused(body: bytes, deployment: Deployment = HERE, chunk: int = 65_536) -> HabaneroError:
    with pytest.raises(HabaneroError) as caught:
        deployment.receive(body, chunk)
    return caught.value


@pytest.mark.parametrize("chunk", [1, 65_536])
def test_a_right_push_is_taken_whole_in_chunks_of_any_size(chunk: int) -> None:
    """The very bytes that were signed come out, and nothing is left over."""
    received = HERE.receive(Forged().body(), chunk)
    assert received.accepted.keyids == (ANA.keyid,)
    assert received.accepted.head == Head(17, received.accepted.envelope.digest, NOW)
    assert received.manifest is not None
    assert set(received.manifest.modules) == {"shop", "shop.cart"}
    assert received.blobs == good_blobs()
    assert not received.accepted.already_applied


@pytest.mark.parametrize("case", CASES, ids=names)
def test_a_hostile_push_gets_its_status_and_code(case: Case) -> None:
    """Each wrong push is refused by the rule that it breaks, whole or byte by byte."""
    body = case.body()
    error = refused(body, HERE.but(**case.but))
    assert (error.info.status, error.code) == (case.status, case.code)
    assert error.problem(16)["code"] == case.code
    kind = {401: TrustError, 403: (TrustError, RequestError), 409: ConflictError}.get(case.status, RequestError)
    assert isinstance(error, kind)
    if len(body) < 20_000:
        assert refused(body, HERE.but(**case.but), chunk=1).code == case.code


@pytest.mark.parametrize("case", [*STATEMENT, *HERE_AND_NOW, *MANIFEST], ids=names)
def test_a_stranger_cannot_tell_what_else_is_wrong(case: Case) -> None:
    """Whatever is behind the envelope, the answer to an untrusted signature is the same, word for word."""
    uniform = refused(Forged(signers=(STRANGER,)).body())
    nobody = HERE.but(keys=(BEN.trusted(),), **{name: value for name, value in case.but.items() if name != "keys"})
    error = refused(case.body(), nobody)
    assert error.problem(16) == uniform.problem(16)
    assert error.code == "unauthorized"


def test_the_table_is_the_whole_list() -> None:
    """No row is lost by a name given twice."""
    assert len({case.what for case in CASES}) == len(CASES)


@pytest.mark.parametrize("seconds_late", [0, 299])
def test_the_head_once_more_is_no_error(seconds_late: int) -> None:
    """A push whose answer was lost can be repeated: it is told that it is in place, and nothing else is looked at."""
    first = HERE.receive(Forged().body()).accepted
    later = HERE.but(head=first.head, now=NOW + timedelta(seconds=seconds_late))
    again = later.receive(Forged().body())
    assert again.accepted.already_applied
    assert again.accepted.head == first.head


def test_the_head_once_more_under_another_signature_is_the_same_release() -> None:
    """A release is its payload: who else signed it makes no second release of it."""
    first = HERE.receive(Forged().body()).accepted
    again = HERE.but(head=first.head).receive(Forged(signers=(BEN,)).body())
    assert again.accepted.already_applied


def test_the_head_once_more_after_its_time_is_expired() -> None:
    """What was captured long ago opens nothing, not even the answer that it is in place."""
    first = HERE.receive(Forged().body()).accepted
    late = HERE.but(head=first.head, now=NOW + timedelta(minutes=5, seconds=1))
    assert refused(Forged().body(), late).code == "expired"


def test_the_head_once_more_from_a_stranger_is_unauthorized() -> None:
    """That a release is in place is told to who may push only."""
    first = HERE.receive(Forged().body()).accepted
    assert refused(Forged(signers=(STRANGER,)).body(), HERE.but(head=first.head)).code == "unauthorized"


def test_the_first_release_follows_the_base() -> None:
    """With an empty journal the predecessor is the base itself."""
    first = push(predicate={"seq": 1, "prev": BASE})()
    assert HERE.but(head=Head.start(BASE)).receive(first).accepted.statement.seq == 1
    assert refused(push(predicate={"seq": 1})(), HERE.but(head=Head.start(BASE))).code == "not-next"


@pytest.mark.parametrize(
    "changes",
    [
        {"issued": seconds(60), "accept_until": seconds(360)},
        {"issued": seconds(-300), "accept_until": seconds(0)},
        {"issued": seconds(-3_600), "accept_until": seconds(0)},
    ],
)
def test_the_edges_of_time_are_inside(changes: dict[str, str]) -> None:
    """A clock 60 s ahead, the last moment of acceptance, and a release of the head's own moment are all accepted."""
    assert HERE.receive(push(predicate=changes)()).accepted.statement.seq == 17


def test_two_of_two_signers_reach_a_threshold_of_two() -> None:
    """Signatures of different trusted keys add up; a stranger's beside them does no harm."""
    two = HERE.but(threshold=2)
    assert set(two.receive(Forged(signers=(STRANGER, BEN, ANA)).body()).accepted.keyids) == {ANA.keyid, BEN.keyid}


def test_a_threshold_below_one_is_no_policy() -> None:
    """A deployment that would take unsigned code cannot be configured."""
    with pytest.raises(ConfigError) as caught:
        replace(HERE.policy, threshold=0)
    assert caught.value.code == "threshold"


def test_blobs_that_are_held_need_not_be_sent_but_may() -> None:
    """Only what the server lacks travels; what it came to hold meanwhile does no harm."""
    held = HERE.but(held=[sha(b"code of shop")])
    rest = [(name, data) for name, data in good_blobs().items() if data != b"code of shop"]
    assert len(held.receive(Forged(blobs=rest).body()).blobs) == len(rest)
    assert held.receive(Forged().body()).blobs == good_blobs()


def test_what_is_missing_is_named() -> None:
    """The sender can send exactly what lacks."""
    error = refused(Forged(blobs=[]).body())
    assert error.details == {"missing": sorted(good_blobs())}


def test_a_rollback_and_a_clearing_are_releases_like_others() -> None:
    """A rollback says which release it restores; an overlay of nothing brings the base back."""
    body = push(modules={}, blobs=[], predicate={"kind": "rollback", "restores": 0})()
    received = HERE.receive(body)
    assert received.accepted.statement.restores == 0
    assert received.manifest is not None
    assert received.manifest.modules == {}


def test_optional_fields_may_be_absent() -> None:
    """A project without git and without a gate can push where the server lets it."""
    statement = HERE.receive(push(predicate={"git": REMOVE, "gate": REMOVE})()).accepted.statement
    assert (statement.git, statement.gate) == (None, None)


@pytest.mark.parametrize("name", ["lib.util", "lib.util.text", "shop.new"])
def test_an_allowed_name_covers_what_is_below_it(name: str) -> None:
    """The allow-list holds packages, dotted or not; only the missing blobs are wrong with these."""
    body = push(modules={**manifest_json()["modules"], name: entry(name)})()
    assert refused(body).code == "blob-missing"


@pytest.mark.parametrize("name", ["os", "json.decoder", "sitecustomize", "habanero_receiver.trust", "habanero_py"])
def test_some_modules_cannot_even_be_allowed(name: str) -> None:
    """An allow-list that names the standard library or habanero-py itself opens neither."""
    careless = HERE.but(allowed_modules=frozenset({name, name.partition(".")[0]}))
    assert refused(push(modules={name: entry(name)})(), careless).code == "module-not-allowed"


def test_another_python_is_refused_by_the_envelope_alone() -> None:
    """Nobody sends megabytes of bytecode to a server that could not load it."""
    with pytest.raises(ConflictError) as caught:
        HERE.but(python=PythonTag("cpython", "cpython-313", 3571, 0)).judge(Forged().the_envelope())
    assert caught.value.code == "python-mismatch"


def test_help_and_words_are_for_people() -> None:
    """Every refusal of a push says what it is about in one line, without line ends or control characters."""
    for case in CASES:
        error = refused(case.body(), HERE.but(**case.but))
        assert error.message.isprintable(), case.what
        assert error.code in CODES


def test_every_rule_has_its_case() -> None:
    """Each code in the list of rules is the answer to at least one hostile push; the numbers have no gap."""
    rules = re.findall(r"^    ( ?\d+)  ([a-z0-9, -]+?)(?:, …|…)? {2,}", trust.__doc__ or "", re.MULTILINE)
    numbered = [int(number) for number, _ in re.findall(r"^    ( ?\d+)  (\S)", trust.__doc__ or "", re.MULTILINE)]
    assert numbered == list(range(1, 24))
    named = {code for _, codes in rules for code in codes.split(", ")}
    assert len(named) > 15
    assert named <= {case.code for case in CASES}
