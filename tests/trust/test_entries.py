"""What is believed of a journal: entries read back from a bucket that anyone may have written to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from forging import ANA, BASE, BEN, CODE, HEAD, NOW, PREV, PYTHON, STRANGER, Deployment, Forged, sha

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.release.manifest import BlobRef
from habanero_receiver.release.statement import PythonTag, Statement

HERE = Deployment()


def entry(deployment: Deployment = HERE, *, seq: int = 17, trusted: bool = True, **forged: Any) -> Statement:
    data = Forged(**forged).the_envelope()
    return trust.judge_entry(
        data, deployment.policy, deployment.base, deployment.head, seq=seq, require_trusted_key=trusted
    )


def code_of(deployment: Deployment = HERE, *, seq: int = 17, trusted: bool = True, **forged: Any) -> str:
    with pytest.raises(HabaneroError) as caught:
        entry(deployment, seq=seq, trusted=trusted, **forged)
    return caught.value.code


def test_an_entry_stays_right_for_ever() -> None:
    """Expiry counts when a release is appended; a server that boots years later still loads it."""
    assert entry(HERE.but(now=NOW + timedelta(days=3_650))).seq == 17


@pytest.mark.parametrize(
    ("forged", "code"),
    [
        ({"envelope": b"<html>It works!</html>"}, "json"),
        ({"envelope": b""}, "envelope-size"),
        ({"signers": (STRANGER,)}, "unauthorized"),
        ({"signers": ()}, "unauthorized"),
        ({"payload": b"junk", "signers": (STRANGER,)}, "unauthorized"),
        ({"payload": b"junk"}, "json"),
        ({"predicate": {"prev": "sha256:" + "77" * 32}}, "not-next"),
        ({"predicate": {"target": "shop/staging#5f2c"}}, "wrong-target"),
        ({"predicate": {"base": "sha256:" + "00" * 32}}, "base-mismatch"),
        ({"predicate": {"seq": 18}}, "not-next"),
    ],
)
def test_a_wrong_entry_is_refused(forged: dict[str, Any], code: str) -> None:
    """Whatever the bucket holds under the next number, only the signed successor is believed."""
    assert code_of(**forged) == code


def test_an_entry_under_another_number_is_refused() -> None:
    """Entry 17 copied to the place of 18 is not entry 18."""
    assert code_of(seq=18) == "not-next"


def test_what_lies_under_the_head_needs_no_key_of_today() -> None:
    """The chain of hashes covers it: the key that signed it may have gone since."""
    gone = HERE.but(keys=(BEN.trusted(),))
    assert entry(gone, trusted=False).seq == 17
    assert code_of(gone) == "unauthorized"


def test_a_revoked_key_holds_no_head() -> None:
    """Revoking works at the next boot, however long ago the release was signed."""
    assert code_of(HERE.but(revoked=frozenset({ANA.keyid}))) == "unauthorized"


def test_a_key_counts_by_the_time_of_issue() -> None:
    """A release signed while its key was valid boots after that, one signed after it never does."""
    ended = HERE.but(keys=(ANA.trusted(valid_before=NOW + timedelta(seconds=1)),))
    assert entry(ended).seq == 17
    assert code_of(HERE.but(keys=(ANA.trusted(valid_before=NOW),))) == "unauthorized"
    assert code_of(HERE.but(keys=(ANA.trusted(valid_after=NOW + timedelta(seconds=1)),))) == "unauthorized"


def test_the_head_needs_the_threshold_of_today() -> None:
    """Raising the threshold means signing the head again."""
    assert code_of(HERE.but(threshold=2)) == "unauthorized"
    assert entry(HERE.but(threshold=2), signers=(ANA, BEN)).seq == 17


def test_a_journal_outlives_the_python_that_it_was_made_for_but_nothing_of_it_is_loaded() -> None:
    """After the server's Python was exchanged its journal can be read and appended to, while no foreign code loads."""
    newer = HERE.but(python=PythonTag("cpython", "cpython-313", 3571, 0))
    statement = entry(newer)
    with pytest.raises(HabaneroError) as caught:
        trust.judge_manifest(Forged().the_manifest(), statement, newer.policy)
    assert caught.value.code == "python-mismatch"
    assert str(PYTHON) in caught.value.message


@pytest.mark.parametrize("change", [lambda data: data + b" ", lambda data: data[:-1], lambda _: b"{}", lambda _: b""])
def test_a_manifest_is_looked_into_only_if_it_is_the_signed_one(change: Any) -> None:
    """Bytes from a bucket are compared with the signed digest before anything is read out of them."""
    with pytest.raises(HabaneroError) as caught:
        trust.judge_manifest(change(Forged().the_manifest()), entry(), HERE.policy)
    assert caught.value.code == "manifest-digest"


def test_a_signed_size_is_binding_even_with_the_right_digest() -> None:
    """A manifest and a blob have both the size and the digest that were signed."""
    statement = entry(predicate={"manifest_size": len(Forged().the_manifest()) + 1})
    with pytest.raises(HabaneroError) as caught:
        trust.judge_manifest(Forged().the_manifest(), statement, HERE.policy)
    assert caught.value.code == "manifest-digest"
    with pytest.raises(HabaneroError) as caught:
        trust.judge_blob(b"code", BlobRef(sha(b"code"), 5))
    assert caught.value.code == "blob-digest"


def test_an_allow_list_that_shrank_holds_for_old_releases_too() -> None:
    """The operator's word of today decides, also over a release that was accepted before."""
    with pytest.raises(HabaneroError) as caught:
        trust.judge_manifest(Forged().the_manifest(), entry(), HERE.but(allowed_modules=frozenset()).policy)
    assert caught.value.code == "module-not-allowed"


@pytest.mark.parametrize("data", [b"", b"code of carT", b"code of cart ", b"code of car"])
def test_a_blob_is_believed_only_with_its_size_and_digest(data: bytes) -> None:
    """Other bytes under the right name are refused."""
    ref = BlobRef(sha(CODE["shop.cart"]), len(CODE["shop.cart"]))
    trust.judge_blob(CODE["shop.cart"], ref)
    with pytest.raises(HabaneroError) as caught:
        trust.judge_blob(data, ref)
    assert caught.value.code == "blob-digest"


def test_heads_chain() -> None:
    """The head of an accepted push is what its successor must name; an empty journal begins at the base."""
    assert trust.Head.start(BASE) == trust.Head(0, BASE, None)
    accepted = HERE.receive(Forged().body()).accepted
    successor = Forged(predicate={"seq": 18, "prev": accepted.head.digest}).the_envelope()
    assert trust.judge_entry(successor, HERE.policy, BASE, accepted.head, seq=18, require_trusted_key=True).seq == 18
    assert HEAD.digest == PREV
