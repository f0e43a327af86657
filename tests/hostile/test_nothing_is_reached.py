"""Unverified bytes reach nothing but the decoder of envelopes: on a push, in a follower, and at boot.

Each attack is right up to one point; what comes after that point carries a word that nobody may get to see.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import tainted
from asking import Endpoints
from authoring import Author, Push
from deployment import Deployment, Key
from nodes import World
from tainted import TAINT

from habanero_receiver.errors import HabaneroError
from habanero_receiver.fleet import follower
from habanero_receiver.swap.building.modulecode import MAGIC

EVIL = f"RATE = {TAINT!r}\n"
CODE = marshal.dumps(compile(f"raise SystemExit({TAINT!r})", f"{TAINT}.py", "exec"))
"""What runs away with the process, if anybody unmarshals and runs it."""


@pytest.fixture(scope="module", autouse=True)
def _watching() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:  # what the watch replaces is put back at the end of this file
        for module, name in tainted._PARSERS:
            patch.setattr(module, name, getattr(module, name))
        patch.setattr(json.JSONDecoder, "decode", json.JSONDecoder.decode)
        tainted.install()
        yield


def test_the_watch_sees_what_it_is_for() -> None:
    """Each way from bytes to meaning is noticed, and what has not the word is not."""
    for reach in (
        lambda: marshal.loads(CODE),
        lambda: compile(EVIL, "x", "exec"),
        lambda: exec(compile("1", f"{TAINT}.py", "exec")),
        lambda: json.loads(json.dumps(EVIL)),
        lambda: __import__(f"{TAINT}_and_not_there"),
    ):
        with tainted.seeing() as seen, suppress(ImportError):
            reach()
        assert seen.tainted
    with tainted.seeing() as seen:
        marshal.loads(marshal.dumps("harmless"))
    assert seen.reached and not seen.tainted


def past() -> dict[str, datetime]:
    then = datetime.now(UTC) - timedelta(hours=2)
    return {"issued": then, "accept_until": then + timedelta(minutes=1)}


def with_blobs(push: Push) -> Push:
    """Every blob with other bytes, of the size that was signed."""
    evil = MAGIC + CODE
    blobs = {name: (evil * (len(data) // len(evil) + 1))[: len(data)] for name, data in push.blobs.items()}
    return replace(push, blobs=blobs)


def with_manifest(push: Push, world: World) -> Push:
    """The manifest of another release, cut or filled to the size that was signed."""
    other = world.push(EVIL, name=f"shop.{TAINT}").manifest
    return replace(push, manifest=other.ljust(len(push.manifest))[: len(push.manifest)])


@dataclass(frozen=True)
class Attack:
    """A push in which everything from one point on must not be reached; `decoded` is how often JSON may be read."""

    what: str
    code: str
    decoded: int
    make: Callable[[World], Push]


def evil(world: World, **changes: Any) -> Push:
    """A push that is right but for `changes`; its manifest and its blobs carry the word."""
    return world.push(EVIL, name=f"shop.{TAINT}", **changes)


ATTACKS = [
    Attack("a stranger", "unauthorized", 1, lambda world: evil(world, author=Author("mallory"), git=TAINT)),
    Attack("a stranger with the id of a trusted key", "unauthorized", 1, lambda world: _claiming(world)),
    Attack("another target", "wrong-target", 2, lambda world: evil(world, target="shop/other#1")),
    Attack("another base", "base-mismatch", 2, lambda world: evil(world, base="sha256:" + "0" * 64)),
    Attack("another number", "not-next", 3, lambda world: evil(world, seq=9)),
    Attack("another predecessor", "not-next", 3, lambda world: evil(world, prev="sha256:" + "0" * 64)),
    Attack("expired", "expired", 2, lambda world: evil(world, **past())),
    Attack("another Python", "python-mismatch", 2, lambda world: evil(world, python=_other_python(world))),
    Attack("another manifest", "manifest-digest", 2, lambda world: with_manifest(world.push(), world)),
    Attack("other blobs", "blob-digest", 3, lambda world: with_blobs(world.push())),
]


def _claiming(world: World) -> Push:
    push = evil(world, author=Author("mallory"), git=TAINT)
    signature = push.envelope.signatures[0]._replace(keyid=world.author.public.keyid)
    return replace(push, envelope=push.envelope._replace(signatures=(signature,)))


def _other_python(world: World) -> Any:
    return world.node.policy.python._replace(magic=world.node.policy.python.magic + 1)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.what)
def test_a_push(tmp_path: Path, attack: Attack) -> None:
    """What came after the rule that failed was seen by no parser, unmarshaller, compiler or importer."""
    endpoints = Endpoints(World(tmp_path / "srv"))
    body = attack.make(endpoints.world).encode()
    endpoints.get("/v1/state")  # imports what the first request imports
    with tainted.seeing() as seen:
        answer = endpoints.push(body)
    assert answer.json()["code"] == attack.code
    assert seen.tainted == [] and len(seen.strict) == attack.decoded
    assert not [who for who, _ in seen.reached if who.startswith(("marshal", "compile", "ast", "pickle"))]
    assert endpoints.world.files() == set() and endpoints.world.swapper.log == []


IN_THE_BUCKET = [attack for attack in ATTACKS if attack.what not in ("expired", "another number", "another Python")]


def record(world: World, push: Push) -> None:
    """Put a push into the bucket as it is, whatever its blobs are: who can write there can do that."""
    folder = world.root / "bucket/v1/blobs/sha256"
    named = {push.statement.manifest_digest.removeprefix("sha256:"): push.manifest, **push.blobs}
    for name, data in named.items():
        file = folder / name[:2] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    assert world.make_journal().append(1, push.envelope.encode())


@pytest.mark.parametrize("attack", IN_THE_BUCKET, ids=lambda attack: attack.what)
def test_a_follower(tmp_path: Path, attack: Attack) -> None:
    """An entry, manifest or blob that is not what was signed is not looked into; the process goes on as it was.

    But for one thing: where an entry stands in the chain is read from its statement before its signature counts, since
    under the head the chain of hashes is what holds. That is the strict decoder, over 4 KiB at most.
    """
    world = World(tmp_path / "srv")
    push = attack.make(world)
    follower.catch_up(world.node)
    world.swapper.log.clear()
    record(world, push)
    with tainted.seeing() as seen:
        try:
            follower.catch_up(world.node)
        except HabaneroError:
            assert attack.what in ("another manifest", "other blobs")
    assert seen.tainted == (["the strict decoder"] if attack.code == "unauthorized" else [])
    assert not [who for who, _ in seen.reached if who.startswith(("marshal", "compile", "ast", "pickle"))]
    assert world.node.running_seq == 0 and world.swapper.log == [] and world.swapper.live == {}


BOOT = """
import sys
sys.path.insert(0, {tests!r})
import tainted
tainted.install()
with tainted.seeing() as seen:
    from habanero_receiver import boot
    booted = boot.boot_from_env()
    from shop import pricing
import json
print(json.dumps([seen.tainted, len(seen.strict), pricing.PRICE]))
"""


def _stranger(app: Deployment) -> None:
    app.push({f"shop.{TAINT}": EVIL, "shop.pricing": EVIL}, key=Key(), git=TAINT)


def _pushed(**fields: object) -> Callable[[Deployment], None]:
    def attack(app: Deployment) -> None:
        app.push({f"shop.{TAINT}": EVIL, "shop.pricing": EVIL}, **fields)

    return attack


def _replaced(which: str) -> Callable[[Deployment], None]:
    """Bytes of a right release exchanged in the bucket: its manifest, or every blob of its code and sources."""

    def attack(app: Deployment) -> None:
        statement = app.push({"shop.pricing": "PRICE = 2\n"})
        entry = app.manifest().modules["shop.pricing"]
        assert entry is not None
        names = {"manifest": [statement.manifest_digest[7:]], "blobs": [entry.code.sha256, entry.source.sha256]}[which]
        for name in names:
            file = app.blob_file(name)
            file.write_bytes(((MAGIC + CODE) * 50)[: file.stat().st_size])

    return attack


def _copied(app: Deployment) -> None:
    """This machine's own copy, made by a good start, with other bytes in it; and no bucket to fall back to."""
    app.push({"shop.pricing": "PRICE = 2\n"})
    app.start("-c", "import shop.pricing")
    [copy] = (app.root / ".habanero/state").rglob("packs/*")
    data = copy.read_bytes()
    at = data.index(MAGIC)
    copy.write_bytes(data[:at] + ((MAGIC + CODE) * 50)[: len(data) - at])
    app.bucket_folder.rename(app.bucket_folder.with_name("away"))


@pytest.mark.parametrize(
    "attack",
    [
        _stranger, _pushed(target="shop/other#1"), _pushed(base="sha256:" + "0" * 64),
        _pushed(prev="sha256:" + "0" * 64), _replaced("manifest"), _replaced("blobs"), _copied,
    ],
    ids=["stranger", "another target", "another base", "another chain", "another manifest", "other blobs", "own copy"],
)  # fmt: skip
def test_a_boot(tmp_path: Path, attack: Callable[[Deployment], None]) -> None:
    """A start that meets it comes up on the deployed code, and nothing of it was unmarshalled, imported or parsed."""
    app = Deployment(tmp_path, {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 1\n"})
    attack(app)
    code = BOOT.format(tests=str(Path(tainted.__file__).parent))
    done = app.start("-c", code, launcher=False)
    reached, decoded, price = json.loads(done.stdout.splitlines()[-1])
    assert (reached, price) == ([], 1)
    assert decoded <= 6
    assert "error[" in done.stderr
