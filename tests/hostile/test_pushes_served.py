"""Every hostile push of the table over a real socket: its status, its code, and nothing changed."""

from __future__ import annotations

import pytest
from attacked import Attacked
from forging import ANA, BASE, STRANGER, TARGET, Deployment, Forged
from hostile_pushes import CASES, ENVELOPE, FRAME, HERE_AND_NOW, MANIFEST, STATEMENT, STRANGERS, Case

SECRETS = (TARGET, TARGET.partition("#")[0], BASE, "shop.cart", "lib.util", ANA.keyid, "cpython", "3495", "/srv", "box")
"""What a stranger could want to know of this deployment."""


def names(case: Case) -> str:
    return case.what


@pytest.mark.parametrize("case", CASES, ids=names)
def test_a_hostile_push_changes_nothing(shop: Attacked, case: Case) -> None:
    """The answer is the problem document of its status and code; journal, blobs, modules and keys are as before."""
    shop.be(Deployment().but(**case.but))
    before = shop.picture()
    answer = shop.at.push(case.body())
    assert (answer.status_code, answer.json()["code"]) == (case.status, case.code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert shop.picture() == before


@pytest.mark.parametrize("case", [*FRAME, *ENVELOPE, *STRANGERS], ids=names)
def test_a_stranger_is_told_nothing_of_the_deployment(shop: Attacked, case: Case) -> None:
    """Neither target nor base, module, Python, key, machine or path is in an answer to who showed no signature."""
    shop.be(Deployment().but(**{**case.but, "keys": ()}))
    answer = shop.at.push(case.body())
    assert answer.json()["running"] is None
    for secret in SECRETS:
        assert secret not in answer.text and secret not in str(answer.headers)


def test_all_strangers_are_told_the_same(shop: Attacked) -> None:
    """Whatever is wrong behind an envelope without a trusted signature, the answer is the same to the last byte."""
    shop.be(Deployment().but(keys=()))
    uniform = shop.at.push(Forged(signers=(STRANGER,)).body())
    for case in [*STATEMENT, *HERE_AND_NOW, *MANIFEST]:
        answer = shop.at.push(case.body())
        assert (answer.status_code, answer.content) == (401, uniform.content), case.what
