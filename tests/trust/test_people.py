"""Roles, people and freezes, over entries and pushes: who may have signed what, and what it may carry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from forging import ANA, BASE, BEN, NOW, PYTHON, TARGET, Deployment, Forged, manifest_json

from habanero_receiver import trust
from habanero_receiver.errors import ConfigError, HabaneroError
from habanero_receiver.policy import TrustPolicy, people
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.roles import parse_roles
from habanero_receiver.release.statement import PythonTag, Statement
from habanero_receiver.trust import Head

HERE = Deployment()
ONLY_BACK = parse_roles(
    "ana@laptop push,rollback,freeze,clear shop/production\nben@desk rollback,freeze,clear shop/production"
)


class Chain:
    """Three pushes by Ana, each with other code, and what is signed on top of them."""

    def __init__(self) -> None:
        self.entries: dict[int, bytes] = {}
        self.head = Head.start(BASE)
        self.manifests: dict[int, dict[str, Any]] = {}
        for name in ("shop", "shop.cart", "shop.cart"):
            self.add(modules={name: manifest_json()["modules"][name]} if self.head.seq < 2 else None)

    def signed(self, **forged: Any) -> bytes:
        predicate = {"seq": self.head.seq + 1, "prev": self.head.digest} | forged.pop("predicate", {})
        return Forged(predicate=predicate, **forged).the_envelope()

    def add(self, **forged: Any) -> None:
        data = self.signed(**forged)
        self.entries[self.head.seq + 1] = data
        self.manifests[self.head.seq + 1] = forged
        envelope = Envelope.decode(data)
        self.head = trust.head_of(envelope, Statement.decode(envelope.payload))

    def judge(self, data: bytes, deployment: Deployment = HERE, previous: Head | None = None) -> Statement:
        """As the journal's newest entry."""
        return trust.judge_entry(
            data, deployment.policy, BASE, previous or self.head, seq=(previous or self.head).seq + 1,
            require_trusted_key=True, earlier=self.entries.get,
        )  # fmt: skip


def code_of(chain: Chain, data: bytes, deployment: Deployment = HERE, previous: Head | None = None) -> str:
    with pytest.raises(HabaneroError) as caught:
        chain.judge(data, deployment, previous)
    return caught.value.code


def back_to(seq: int, kind: str = "rollback", **more: Any) -> dict[str, Any]:
    return {"kind": kind, "restores": seq, **more}


@pytest.mark.parametrize(("kind", "seq"), [("rollback", 1), ("rollback", 2), ("clear", 3), ("freeze", 3)])
def test_a_role_for_going_back_takes_back_what_was_there(kind: str, seq: int) -> None:
    """Who may not push may still bring any release of the chain back, pause pushes, or have the newest tried again."""
    chain = Chain()
    ben = HERE.but(roles=ONLY_BACK, entries=chain.entries, head=chain.head)
    forged = chain.manifests[seq] | {"predicate": back_to(seq, kind), "signers": (BEN,)}
    data = chain.signed(**forged)
    assert ben.judge(data).statement.restores == seq
    assert chain.judge(data, ben).kind == kind


@pytest.mark.parametrize("kind", ["rollback", "clear", "freeze"])
def test_a_role_for_going_back_is_none_for_other_code(kind: str) -> None:
    """New code under the name of an old release is refused as a push, and as an entry that was put into the bucket."""
    chain = Chain()
    ben = HERE.but(roles=ONLY_BACK, entries=chain.entries, head=chain.head)
    data = chain.signed(predicate=back_to(1, kind), signers=(BEN,))
    with pytest.raises(HabaneroError) as caught:
        ben.judge(data)
    assert caught.value.code == "restores-mismatch"
    assert code_of(chain, data, ben) == "restores-mismatch"


def test_an_older_entry_that_was_exchanged_brings_nothing_back() -> None:
    """The chain of hashes says what #1 was: another one in its place in the bucket is not taken for it, by nobody."""
    chain = Chain()
    evil = {"modules": {"shop": {**manifest_json()["modules"]["shop"], "path": "shop/__init__.py"}}}
    data = chain.signed(**evil, predicate=back_to(1))
    chain.entries[1] = Forged(**evil, predicate={"seq": 1, "prev": BASE, "nonce": "aa" * 16}).the_envelope()
    for signers, roles in (((ANA,), None), ((BEN,), ONLY_BACK)):
        here = HERE.but(entries=chain.entries, head=chain.head, roles=roles)
        with pytest.raises(HabaneroError) as caught:
            here.judge(chain.signed(**evil, predicate=back_to(1), signers=signers))
        assert caught.value.code == "restores-mismatch"
    assert chain.judge(data).restores == 1, "Ana may push whatever she likes: her head is hers"


def test_a_rollback_to_code_of_another_python_is_refused() -> None:
    """What is brought back was built for the Python that the statement names, or it is not that release."""
    chain = Chain()
    other = PythonTag("cpython", "cpython-312", 3531, 0)
    forged = chain.manifests[1] | {"predicate": back_to(1, python=other.to_json())}
    with pytest.raises(HabaneroError) as caught:
        HERE.but(entries=chain.entries, head=chain.head, python=other).judge(chain.signed(**forged))
    assert caught.value.code == "restores-mismatch"


def test_an_entry_needs_the_role_of_its_kind() -> None:
    """A head in the bucket that its signers may not have made there is as one by strangers' hands."""
    chain = Chain()
    assert code_of(chain, chain.signed(signers=(BEN,)), HERE.but(roles=ONLY_BACK)) == "role-missing"
    assert code_of(chain, chain.signed(), HERE.but(roles=parse_roles(""))) == "unauthorized"


def test_nothing_follows_a_freeze_but_what_keeps_or_ends_it() -> None:
    """At a push, at boot and for a follower alike: a push is refused, a rollback stays frozen, a clear ends it."""
    chain = Chain()
    chain.add(**chain.manifests[3], predicate=back_to(3, "freeze", reason="holidays"))
    assert chain.head.frozen
    assert code_of(chain, chain.signed()) == "frozen"
    assert code_of(chain, chain.signed(**chain.manifests[1], predicate=back_to(1))) == "frozen"
    assert chain.judge(chain.signed(**chain.manifests[3], predicate=back_to(3, "freeze"))).freezes
    kept = chain.signed(**chain.manifests[1], predicate=back_to(1, frozen=True))
    assert chain.judge(kept).freezes
    chain.add(**chain.manifests[1], predicate=back_to(1, frozen=True))
    assert code_of(chain, chain.signed()) == "frozen"
    chain.add(**chain.manifests[1], predicate=back_to(1, "clear"))
    assert not chain.head.frozen
    assert chain.judge(chain.signed()).kind == "push"


def test_the_base_can_be_frozen_before_anything_was_pushed() -> None:
    """A freeze over an empty journal carries nothing and stops the first push."""
    start = Head.start(BASE)
    frozen = Forged(modules={}, blobs=[], predicate={"seq": 1, "prev": BASE, **back_to(0, "freeze")})
    accepted = HERE.but(head=start).receive(frozen.body()).accepted
    second = Forged(predicate={"seq": 2, "prev": accepted.head.digest}).body()
    with pytest.raises(HabaneroError) as caught:
        HERE.but(head=accepted.head).receive(second)
    assert caught.value.code == "frozen"


def test_keys_that_share_a_name_are_one_person() -> None:
    """Directly or through a third key: two devices of one person are no two people."""
    a, b = ANA.trusted(), BEN.trusted()
    assert people([a, b]) == 2
    assert people([a, b._replace(principal="ana@laptop")]) == 1
    assert people([a._replace(principal="x,y"), b._replace(principal="z,y")]) == 1
    third = a._replace(principal="p,q")
    assert people([a, b, third]) == 3
    assert people([a, b, third._replace(principal="ana@laptop,ben@desk")]) == 1
    assert people([]) == 0


@pytest.mark.parametrize(
    ("changes", "threshold", "met"),
    [
        ({}, 2, True),
        ({}, 3, False),
        ({"revoked": frozenset({BEN.keyid})}, 2, False),
        ({"roles": parse_roles("ana@laptop push shop/production\nben@desk push shop/staging")}, 2, False),
        ({"roles": parse_roles("ana@laptop push shop/production\nben@desk rollback shop/production")}, 2, False),
        ({"roles": parse_roles("ana@laptop push shop/production")}, 1, True),
        ({"roles": parse_roles("")}, 1, False),
        ({"keys": (ANA.trusted(), BEN.trusted(namespaces=("git",)))}, 2, False),
        ({"keys": (ANA.trusted(), BEN.trusted()._replace(principal="ana@laptop"))}, 2, False),
        ({"keys": (ANA.trusted(valid_before=NOW),)}, 1, True),
    ],
)
def test_a_threshold_that_can_never_be_met_is_no_policy(changes: dict[str, Any], threshold: int, met: bool) -> None:
    """What counts are people who may push here; time does not, or a restart would fail when a key ends."""
    policy = TrustPolicy(
        keys=(ANA.trusted(), BEN.trusted()), target=TARGET, allowed_modules=frozenset({"shop"}), python=PYTHON,
        threshold=threshold,
    )  # fmt: skip
    policy = replace(policy, **changes)
    if met:
        policy.check()
        return
    with pytest.raises(ConfigError) as caught:
        policy.check()
    assert caught.value.code == "threshold"
    assert caught.value.help


def test_a_role_does_what_its_name_says_to_reads() -> None:
    """Any role reads; without one a signed request is a stranger's, whatever namespaces the key has."""
    roles = parse_roles("ana@laptop read shop/production\nben@desk prune shop/production")
    policy = HERE.but(roles=roles).policy
    assert policy.may(ANA.trusted()) == {"read"}
    assert policy.may(BEN.trusted()) == {"read", "prune"}
    assert policy.may(BEN.trusted(namespaces=("habanero",))) == {"read"}
    assert policy.may(BEN.trusted(namespaces=("habanero-prune",))) == {"prune"}
    assert HERE.policy.may(ANA.trusted(namespaces=("git",))) == frozenset()
    assert policy.place == "shop/production"
