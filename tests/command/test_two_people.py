"""Releases that several people sign: written by the first, looked at and signed by the others, pushed by the last."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from habanero_py import events as e
from habanero_py import pending
from habanero_py.commands.sign import sign_file
from habanero_py.commands.writes import Consent, freeze, rollback
from habanero_py.pipeline import Pusher
from habanero_receiver.errors import HabaneroError
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope
from habanero_receiver.release.manifest import BlobRef, Manifest
from habanero_receiver.release.roles import parse_roles

YES = Consent(yes=True, ask=None)
NO = Consent(yes=False, ask=lambda question: False)
EVIL = b"other bytecode"


@pytest.fixture
def people(join: Callable[[str], Any]) -> Callable[..., list[Any]]:
    """Developers whose server takes a release only with so many signatures."""

    def make(threshold: int, *names: str) -> list[Any]:
        found = [join(name) for name in names]
        object.__setattr__(found[0].receiver.policy, "threshold", threshold)
        return found

    return make


def pushed(laptop: Any, number: int = 2) -> Path:
    """A push, which waits for others; its file."""
    laptop.write("shop/pricing.py", f"def price():\n    return {number}\n")
    assert laptop.session().pusher.push() == 10
    return Path(laptop.said(e.Pending)[-1].file)


def refused(laptop: Any, path: Path) -> HabaneroError:
    with pytest.raises(HabaneroError) as caught:
        sign_file(laptop.session(), YES, path, show_diff=False)
    assert caught.value.help
    return caught.value


def test_the_first_person_writes_and_the_second_pushes(people: Any) -> None:
    """Nothing leaves the first laptop but reads; with the second signature it is live, by its author's name."""
    ana, ben = people(2, "ana", "ben")
    file = pushed(ana)
    assert file.parent == ana.root / ".habanero/pending"
    assert ana.receiver.entries == []
    [said] = ana.said(e.Pending)
    assert (said.push, said.have, said.need) == (1, 1, 2)
    assert not ana.said(e.Pushing)

    assert sign_file(ben.session(), YES, file, show_diff=True) == 0
    assert ana.receiver.overlay() == {"shop.pricing": "def price():\n    return 2\n"}
    assert ana.receiver.statement.author == "ana@laptop"
    assert len(Envelope.decode(ana.receiver.entries[0]).signatures) == 2
    assert not file.exists()
    assert [live.push for live in ben.said(e.Live)] == [1]


def test_the_second_person_sees_what_the_signature_is_for(people: Any) -> None:
    """Author, place, gate, time, signers, and each module with its lines; the bytecode was built here again."""
    ana, ben = people(2, "ana", "ben")
    file = pushed(ana)
    sign_file(ben.session(), NO, file, show_diff=True)
    [shown], [diff] = ben.said(e.PendingShown), ben.said(e.ModuleDiff)
    assert (shown.author, shown.target, shown.kind) == ("ana@laptop", "shop/production#0011", "push")
    assert (shown.signed_by, shown.need, shown.rebuilt) == (("ana",), 2, 1)
    assert [(m.module, m.change, m.added, m.removed) for m in shown.modules] == [("shop.pricing", "changed", 1, 1)]
    assert "+    return 2" in diff.diff and "-    return 1" in diff.diff
    window = datetime.fromisoformat(shown.accept_until) - datetime.fromisoformat(shown.issued)
    assert window == timedelta(seconds=ben.receiver.policy.limits.max_window_s)


def test_who_says_no_signs_nothing(people: Any) -> None:
    """The file is as it was, and so is the server."""
    ana, ben = people(2, "ana", "ben")
    file = pushed(ana)
    before = file.read_bytes()
    assert sign_file(ben.session(), NO, file, show_diff=False) == 130
    assert file.read_bytes() == before
    assert ana.receiver.entries == []


def test_of_three_the_second_hands_on(people: Any) -> None:
    """The file gains a signature; the third push takes it."""
    ana, ben, eve = people(3, "ana", "ben", "eve")
    file = pushed(ana)
    assert sign_file(ben.session(), YES, file, show_diff=False) == 10
    assert ben.said(e.Pending)[-1].have == 2
    assert refused(ben, file).code == "already-signed"
    assert sign_file(eve.session(), YES, file, show_diff=False) == 0
    assert len(ana.receiver.entries) == 1


def test_one_person_is_not_two(people: Any, tmp_path: Path) -> None:
    """Not by signing twice, and not by a second key of the same name."""
    ana, second = people(2, "ana", "ben")
    file = pushed(ana)
    assert refused(ana, file).code == "already-signed"
    keys = ana.receiver.policy.keys
    object.__setattr__(ana.receiver.policy, "keys", (keys[0], keys[1]._replace(principal="ana")))
    assert sign_file(second.session(), YES, file, show_diff=False) == 10
    assert ana.receiver.entries == []


def test_who_may_not_push_adds_no_signature_to_a_push(people: Any) -> None:
    """That is told before it is asked for; a reader's signature is none."""
    ana, ben, eve = people(2, "ana", "ben", "eve")
    roles = "ana push shop/production\nben read shop/production\neve push shop/production"
    object.__setattr__(ana.receiver.policy, "roles", parse_roles(roles))
    file = pushed(ana)
    assert refused(ben, file).code == "role-missing"
    found = pending.read(file)
    pending.replace(file, found.signed(ben.session().signer).content)
    assert sign_file(eve.session(), NO, file, show_diff=False) == 130
    assert eve.said(e.PendingShown)[-1].signed_by == ("ana",)


def test_what_came_first_makes_a_pending_release_stale(people: Any) -> None:
    """Another release, or its time: it is told before anything is signed."""
    ana, ben = people(2, "ana", "ben")
    late, first = pushed(ana, 2), pushed(ben, 3)
    assert sign_file(ana.session(), YES, first, show_diff=False) == 0
    assert refused(ben, late).code == "pending-stale"
    session = ana.session()
    tools = replace(session.tools, clock=lambda: datetime.now(UTC) - timedelta(hours=2))
    object.__setattr__(ana.receiver.policy, "threshold", 1)  # so that the head's time does not matter
    ana.receiver.entries.clear()
    object.__setattr__(ana.receiver.policy, "threshold", 2)
    ana.write("shop/pricing.py", "x = 4\n")
    assert Pusher(tools, "shop/production#0011").push() == 10
    error = refused(ben, Path(ana.said(e.Pending)[-1].file))
    assert error.code == "pending-stale" and "until" in error.message


def test_a_release_for_another_place_is_not_signed(people: Any) -> None:
    """The target in the signed bytes decides, whatever the file is called."""
    ana, ben = people(2, "ana", "ben")
    file = pushed(ana)
    object.__setattr__(ana.receiver.policy, "target", "shop/staging#2")
    text = (ben.root / "pyproject.toml").read_text().replace("shop/production#0011", "shop/staging#2")
    (ben.root / "pyproject.toml").write_text(text)
    assert refused(ben, file).code == "wrong-target"


def forged(laptop: Any, file: Path, **changes: Any) -> Path:
    """The release with other bytecode, or another source, under its author's good signature."""
    found = pending.read(file)
    entry = found.manifest.modules["shop.pricing"]
    assert entry is not None
    manifest = Manifest({"shop.pricing": entry._replace(**changes)})
    data = manifest.encode()
    statement = found.statement._replace(
        manifest_digest=f"sha256:{hashlib.sha256(data).hexdigest()}", manifest_size=len(data)
    )
    signer = laptop.session().signer
    envelope = Envelope(PAYLOAD_TYPE, statement.encode()).sign(signer.public.keyid, signer.sign)
    blobs = {sha256: blob for sha256, blob in found.blobs.items() if sha256 in manifest.blobs()}
    evil = hashlib.sha256(EVIL).hexdigest()
    if evil in manifest.blobs():
        blobs[evil] = EVIL
    pending.replace(file, pending.Pending(envelope, statement, manifest, data, blobs).content)
    return file


@pytest.mark.parametrize("part", ["code", "units"])
def test_bytecode_that_is_not_of_its_source_is_not_signed(people: Any, part: str) -> None:
    """Who looks at a source signs that source: an author cannot slip other code under it, for imports or for swaps."""
    ana, ben = people(2, "ana", "ben")
    evil = BlobRef(hashlib.sha256(EVIL).hexdigest(), len(EVIL))
    assert refused(ben, forged(ana, pushed(ana), **{part: evil})).code == "build-differs"
    assert ana.receiver.entries == []


def test_a_strangers_signature_beside_the_authors_is_not_told_as_one(people: Any) -> None:
    """Only signatures that hold, by keys that the server trusts, are named and counted."""
    ana, ben, eve = people(3, "ana", "ben", "eve")
    file = pushed(ana)
    found = pending.read(file)
    liar = found.envelope.sign(eve.session().signer.public.keyid, lambda message: bytes(64))
    pending.replace(file, replace(found, envelope=liar).content)
    assert sign_file(ben.session(), YES, file, show_diff=False) == 10
    assert ben.said(e.PendingShown)[-1].signed_by == ("ana",)
    assert ben.said(e.Pending)[-1].have == 2


@pytest.mark.parametrize("data", [b"", b"HABPUSH1", b"HABPUSH1\0\0\0\x02{}", b"\xff" * 100])
def test_a_file_that_is_no_release_is_told(people: Any, tmp_path: Path, data: bytes) -> None:
    """Cut, changed, or something else: an error with its reason, whoever sent it."""
    ana, ben = people(2, "ana", "ben")
    (tmp_path / "x.release").write_bytes(data)
    assert refused(ben, tmp_path / "x.release").code == "pending-file"
    assert refused(ben, tmp_path / "none.release").code == "pending-file"
    file = pushed(ana)
    whole = file.read_bytes()
    for cut in (whole[:-1], whole + b"!", whole[:-1] + bytes([whole[-1] ^ 1])):
        file.write_bytes(cut)
        assert refused(ben, file).code == "pending-file"


def test_a_dry_run_takes_as_many_signatures(people: Any) -> None:
    """It loads code on the server, so it is refused here with help."""
    ana, _ = people(2, "ana", "ben")
    ana.write("shop/pricing.py", "x = 1\n")
    with pytest.raises(HabaneroError) as caught:
        ana.session().pusher.push(check=True)
    assert caught.value.code == "signatures-needed"


def test_a_rollback_and_a_freeze_wait_for_the_second_person_too(people: Any) -> None:
    """What brings no new code is signed by as many."""
    ana, ben = people(2, "ana", "ben")
    sign_file(ben.session(), YES, pushed(ana), show_diff=False)
    assert rollback(ana.session(), YES, 0) == 10
    assert sign_file(ben.session(), YES, Path(ana.said(e.Pending)[-1].file), show_diff=False) == 0
    assert (ana.receiver.statement.kind, ana.receiver.overlay()) == ("rollback", {})
    assert freeze(ana.session(), YES, "holidays") == 10
    assert sign_file(ben.session(), YES, Path(ana.said(e.Pending)[-1].file), show_diff=False) == 0
    assert ana.receiver.head.frozen
    assert ben.said(e.PendingShown)[-1].reason == "holidays"


def test_what_can_no_longer_be_pushed_is_cleared_away(people: Any) -> None:
    """The folder keeps what is pending, and nothing for ever."""
    ana, _ = people(2, "ana", "ben")
    session = ana.session()
    ana.write("shop/pricing.py", "x = 1\n")
    old = replace(session.tools, clock=lambda: datetime.now(UTC) - timedelta(hours=2))
    assert Pusher(old, "shop/production#0011").push() == 10
    gone = Path(ana.said(e.Pending)[-1].file)
    assert gone.exists()
    kept = pushed(ana)
    assert kept.exists() and not gone.exists()
