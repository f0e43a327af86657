"""Somebody else writes to the bucket: what a running process does, and what a start does, for each thing they can do.

Every attack is made twice: under a process that runs release 2, and before one that starts with a disk that remembers
nothing. Both stay on code that was signed for them, and say what is wrong.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from deployment import TARGET, Deployment, Key
from nodes import FakeSwapper

from habanero_receiver.config import ReceiverConfig
from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.fleet import follower
from habanero_receiver.fleet.guard import Guard
from habanero_receiver.fleet.node import Identity, Node, Release
from habanero_receiver.journal.journal import Journal
from habanero_receiver.journal.local import LocalState
from habanero_receiver.journal.newest import Chooser, Chosen, Place
from habanero_receiver.overlay import Overlay
from habanero_receiver.starting import StartLedger
from habanero_receiver.trust import Head

ELSEWHERE = "sha256:" + "0" * 64
EVIL = "PRICE = 666\n"


@dataclass(frozen=True)
class Attack:
    """What is done to the bucket; what a follower says, and what a start says and runs. "" is that nothing is wrong."""

    what: str
    do: Callable[[Deployment], object]
    follower: str
    boot: str
    starts_on: int = 2


def junk(data: bytes, seq: int = 3) -> Callable[[Deployment], object]:
    """Bytes in the place of entry `seq`."""
    return lambda app: app.entry_file(seq).write_bytes(data)


def next_entry(key: Key | None = None, **fields: object) -> Callable[[Deployment], object]:
    """A next entry that is made as it should be, but for `fields`."""
    return lambda app: app.push({"shop.pricing": EVIL}, key=key, **fields)


def gap(app: Deployment) -> None:
    for _ in range(2):
        app.push({"shop.pricing": EVIL})
    app.entry_file(3).unlink()


def blob(change: Callable[[Path], object]) -> Callable[[Deployment], object]:
    """A right release 3 whose code is changed in the bucket."""

    def attack(app: Deployment) -> None:
        app.push({"shop.pricing": EVIL})
        entry = app.manifest().modules["shop.pricing"]
        assert entry is not None
        change(app.blob_file(entry.code.sha256))

    return attack


def huge(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(10 * 2**30)  # ten gigabytes, of which the disk holds nothing


def mixed(app: Deployment) -> None:
    """The manifest of release 1 in the place of that of release 3."""
    first = json.loads(app.entry_file(1).read_bytes())
    old = json.loads(base64.b64decode(first["payload"]))["subject"][0]["digest"]["sha256"]
    new = app.push({"shop.pricing": EVIL}).manifest_digest[7:]
    app.blob_file(new).write_bytes(app.blob_file(old).read_bytes())


def rewritten(app: Deployment) -> None:
    """Entry 2 was replaced by another release that somebody signed for that number, as a restored bucket may hold."""
    before = app.head
    app.entry_file(2).unlink()
    first = json.loads(app.entry_file(1).read_bytes())
    digest = hashlib.sha256(base64.b64decode(first["payload"])).hexdigest()
    app.head = Head(1, f"sha256:{digest}", before.issued)
    app.push({"shop.pricing": "PRICE = 22\n"})


def emptied(app: Deployment) -> None:
    for seq in (1, 2):
        app.entry_file(seq).unlink()


def format_of(version: object) -> Callable[[Deployment], object]:
    return lambda app: (app.folder / "format.json").write_text(json.dumps({"version": version}))


def crowded(app: Deployment) -> None:
    """Thousands of keys that are none of ours, beside the entries and among the notes."""
    for folder in ("journal", "hosts", "verdicts/00000009"):
        (app.folder / folder).mkdir(parents=True, exist_ok=True)
        for number in range(3_000):
            (app.folder / folder / f"x{number}.json").touch()


def special(make: Callable[[Path], object]) -> Callable[[Deployment], object]:
    return lambda app: make(app.entry_file(3))


ATTACKS = [
    Attack("N+1 not JSON", junk(b"not JSON"), "json", "json"),
    Attack("N+1 is HTML", junk(b"<html>200 OK</html>"), "json", "json"),
    Attack("N+1 empty", junk(b""), "envelope-size", "envelope-size"),
    Attack("N+1 of 10 GB", lambda app: (junk(b"x")(app), huge(app.entry_file(3))), "envelope-size", "envelope-size"),
    Attack("N+1 is N once more", lambda app: junk(app.entry_file(2).read_bytes())(app), "not-next", "not-next"),
    Attack("N+1 doubled in one file", lambda app: junk(app.entry_file(2).read_bytes() * 2)(app), "json", "json"),
    Attack("N+1 signed by a stranger", next_entry(Key()), "unauthorized", "unauthorized"),
    Attack("N+1 with prev of another chain", next_entry(prev=ELSEWHERE), "not-next", "not-next"),
    Attack("N+1 for staging", next_entry(target="shop/staging#d3adb33f"), "wrong-target", "wrong-target"),
    Attack("N+1 for another deployment", next_entry(target=TARGET + "0"), "wrong-target", "wrong-target"),
    Attack("N+1 of another app", next_entry(target="bank/test#d3adb33f"), "wrong-target", "wrong-target"),
    Attack("N+1 for another base", next_entry(base=ELSEWHERE), "base-mismatch", "base-mismatch"),
    Attack("N+2 without N+1", gap, "", ""),
    Attack("N changed after it was applied", rewritten, "journal-turned-back", ""),
    Attack("N torn after it was applied", lambda app: junk(b"{", 2)(app), "journal-turned-back", "json", 1),
    Attack("entries exchanged", lambda app: junk(app.entry_file(1).read_bytes(), 2)(app), "journal-turned-back",
           "not-next", 1),
    Attack("journal emptied", emptied, "journal-turned-back", "", 0),
    Attack("blob with wrong bytes", blob(lambda file: file.write_bytes(bytes(file.stat().st_size))), "store-corrupt",
           "store-corrupt", 0),
    Attack("blob cut", blob(lambda file: file.write_bytes(file.read_bytes()[:-1])), "store-corrupt", "store-corrupt",
           0),
    Attack("blob of 10 GB", blob(huge), "store-corrupt", "store-corrupt", 0),
    Attack("blob missing", blob(Path.unlink), "blob-missing", "blob-missing", 0),
    Attack("blobs mixed", mixed, "store-corrupt", "store-corrupt", 0),
    Attack("format of an unknown version", format_of(2), "store-format", "store-format", 0),
    Attack("format that is true", format_of(True), "store-format", "store-format", 0),
    Attack("thousands of foreign keys", crowded, "", ""),
    Attack("N+1 is a folder", special(Path.mkdir), "store", "store", 0),
    Attack("N+1 is a pipe", special(os.mkfifo), "store", "store", 0),
    Attack("N+1 is a link out", special(lambda file: file.symlink_to("/etc/passwd")), "store", "store", 0),
    Attack("N+1 is a link to itself", special(lambda file: file.symlink_to(file)), "store", "store", 0),
]  # fmt: skip


@pytest.fixture
def app(tmp_path: Path) -> Deployment:
    deployment = Deployment(tmp_path, {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 0\n"})
    deployment.push({"shop.pricing": "PRICE = 1\n"})
    deployment.push({"shop.pricing": "PRICE = 2\n"})
    return deployment


def node_of(app: Deployment, bucket: Any = None) -> tuple[Node, FakeSwapper]:
    release, swapper = Release(Head.start(app.base.digest)), FakeSwapper()
    journal = Journal(bucket or app.bucket, "shop", "test", app.base.digest)
    node = Node(
        identity=Identity.of_this_process("box"), policy=app.policy(), base=app.base, journal=journal,
        overlay=Overlay({}, lambda *_: None), swapper=swapper,  # type: ignore[arg-type]  # the interface of an engine
        tip=release.head, seen=release, known=None, running=None,
        ledger=StartLedger(LocalState(app.root / "state"), 3, 10),
    )  # fmt: skip
    return node, swapper


def choose(app: Deployment, bucket: Any = None, wait_s: float = 5.0) -> Chosen:
    """What a start would run, as `boot` asks for it, on a machine whose disk is empty."""
    config = ReceiverConfig.from_env(app.environ(HABANERO_ROOT=str(app.root)), app.root)
    assert config is not None
    bucket = bucket or app.bucket
    journal = Journal(bucket, "shop", "test", app.base.digest)
    local = LocalState.of(config.state, config.target, "box", app.base.digest)
    place = Place(app.base.digest, app.root, config.policy(), local, journal)
    return Chooser(bucket, journal, place, wait_s).choose()


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.what)
def test_a_running_process_stays_on_what_it_runs(
    app: Deployment, attack: Attack, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is staged, the process goes on with release 2, and an error names what was found."""
    node, swapper = node_of(app)
    follower.catch_up(node)
    live = dict(swapper.live)
    swapper.log.clear()
    caplog.clear()
    attack.do(app)
    said = ""
    try:
        follower.catch_up(node)
    except HabaneroError as error:
        said = error.code
    Guard(node).look()
    alarms = said + " ".join(record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR)
    assert swapper.live == live and swapper.log == [] and node.running_seq == 2 and not node.dirty
    assert (attack.follower in alarms) if attack.follower else alarms == ""
    if attack.follower in ("journal-turned-back", "store-format"):
        failed = node.beat_now().failed
        assert failed is not None and (failed.code, failed.seq) == (attack.follower, 2)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.what)
def test_a_start_runs_what_was_signed_for_it(app: Deployment, attack: Attack) -> None:
    """The newest release that can be verified in full, else the deployed code; and what is wrong is said."""
    attack.do(app)
    chosen = choose(app)
    assert chosen.run.head.seq == attack.starts_on
    assert (chosen.trouble.code if chosen.trouble else "") == attack.boot
    for image in chosen.images.values():
        assert image is not None and b"666" not in image.source


def test_what_was_wrong_is_said_once_and_taken_back(app: Deployment, caplog: pytest.LogCaptureFixture) -> None:
    """One error however often it is looked at, a word when it is well again, and then no heartbeat tells of it."""
    node, _ = node_of(app)
    follower.catch_up(node)
    whole = app.entry_file(2).read_bytes()
    app.entry_file(2).unlink()
    guard = Guard(node)
    for _ in range(3):
        guard._next = 0.0
        guard.look()
    assert caplog.text.count("journal-turned-back") == 1 and node.beat_now().failed is not None
    app.entry_file(2).write_bytes(whole)
    guard._next = 0.0
    guard.look()
    assert "holds again" in caplog.text and node.beat_now().failed is None


class Broken:
    """A bucket on a network that answers as it is told, in the interface of any bucket."""

    remote = True

    def __init__(self, answer: Callable[[], bytes | None]) -> None:
        self._answer = answer

    def check(self) -> bool:
        return True

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        return None if "format" in key else self._answer()

    def get_all(self, sizes: dict[str, int]) -> dict[str, bytes]:
        return {key: found for key in sizes if (found := self._answer()) is not None}

    def list(self, folder: str, *, max_keys: int = 0) -> list[str]:
        raise AssertionError("the head is never found by a listing")

    def aside(self) -> Any:
        return nullcontext(self)


def raising(code: str) -> Callable[[], bytes | None]:
    def answer() -> bytes | None:
        raise StoreError(code, "as a store says it", help="none")

    return answer


@pytest.mark.parametrize(
    ("answer", "codes"),
    [
        (lambda: b"<html>200 OK</html>", {"store", "store-slow"}),  # every entry is there: the search's time ends
        (raising("store-endpoint"), {"store-endpoint"}),
        (raising("store-denied"), {"store-denied"}),
        (raising("store-unreachable"), {"store-unreachable"}),
        (raising("store-timeout"), {"store-timeout"}),
        (raising("store-clock"), {"store-clock"}),
    ],
    ids=["HTML with 200", "a redirect, HTML", "403", "TLS, DNS", "no answer", "clock"],
)
def test_an_endpoint_that_is_none(app: Deployment, answer: Any, codes: set[str]) -> None:
    """What a store's client makes of a broken endpoint leaves a process where it is and a start on the deployed code.

    That the client makes these codes of real answers is tested in `tests/journal/test_store_failures.py`.
    """
    node, swapper = node_of(app)
    follower.catch_up(node)
    swapper.log.clear()
    bucket = Broken(answer)
    node.journal = Journal(bucket, "shop", "test", app.base.digest)  # type: ignore[arg-type]  # as much as is asked for
    with suppress(HabaneroError):
        follower.catch_up(node)
    Guard(node).look()
    assert node.running_seq == 2 and swapper.log == []
    chosen = choose(app, Broken(answer), wait_s=0.2)
    assert chosen.run.head.seq == 0 and chosen.trouble is not None and chosen.trouble.code in codes


def test_a_store_that_hangs_costs_a_start_its_budget_and_no_more(app: Deployment) -> None:
    """A name that is never resolved, an answer that never comes: the search ends when its time is over."""
    over = threading.Event()

    def hang() -> bytes | None:
        over.wait(60)
        return None

    try:
        chosen = choose(app, Broken(hang), wait_s=0.1)
    finally:
        over.set()
    assert (chosen.run.head.seq, chosen.trouble and chosen.trouble.code) == (0, "store-slow")


def test_replay_after_a_restart_with_an_empty_disk(app: Deployment) -> None:
    """An older signed entry put in the place of the next one is refused also by a machine that remembers nothing."""
    for seq in (1, 2):
        app.entry_file(3).write_bytes(app.entry_file(seq).read_bytes())
        chosen = choose(app)
        assert (chosen.run.head.seq, chosen.trouble and chosen.trouble.code) == (2, "not-next")


def test_rollback_and_freeze_by_who_can_write_the_bucket(app: Deployment) -> None:
    """What that somebody can do, exactly: withhold. A machine that ran the newer release notices, a new one cannot.

    It starts on an older release that was signed for this very base, and on nothing else.
    """
    app.start("-c", "import shop.pricing", HABANERO_INSTANCE="box")
    app.entry_file(2).unlink()
    state = app.root / ".habanero" / "state"
    remembers = choose_with(app, state)
    assert (remembers.run.head.seq, remembers.trouble and remembers.trouble.code) == (2, "journal-turned-back")
    forgot = choose(app) if not state.exists() else choose_with(app, app.root / "another")
    assert (forgot.run.head.seq, forgot.trouble) == (1, None)


def test_a_predecessor_that_is_withheld_turns_no_machine_back(app: Deployment) -> None:
    """Release 2 cannot be judged without entry 1, but the machine that ran it has a copy, signed and whole."""
    app.start("-c", "import shop.pricing", HABANERO_INSTANCE="box")
    app.entry_file(1).unlink()
    remembers = choose_with(app, app.root / ".habanero" / "state")
    assert (remembers.run.head.seq, remembers.trouble and remembers.trouble.code) == (2, "envelope-size")
    assert choose_with(app, app.root / "another").run.head.seq == 0


def choose_with(app: Deployment, state: Path) -> Chosen:
    config = ReceiverConfig.from_env(app.environ(HABANERO_ROOT=str(app.root), HABANERO_STATE=str(state)), app.root)
    assert config is not None
    local = LocalState.of(config.state, config.target, "box", app.base.digest)
    place = Place(app.base.digest, app.root, config.policy(), local, app.journal)
    return Chooser(app.bucket, app.journal, place).choose()
