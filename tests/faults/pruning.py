"""A bucket with old releases and the journal of an older base; its prune, and what holds however far that got."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from deployment import START, TARGET, Deployment

from faults.scenario import Outcome
from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.journal import prune
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.head import find_head
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.manifest import Manifest
from habanero_receiver.release.statement import Statement
from habanero_receiver.trust import Head

LATER = START + timedelta(days=60)
RULES = prune.Rules(days=30, keep=2, running=5)


def deploy(folder: Path) -> tuple[Deployment, str]:
    """Three releases over one base, five over the next; gives the deployment and the digest of the older base."""
    shop = Deployment(folder, {"shop/__init__.py": "", "shop/cart.py": "x = 0\n"})
    (shop.root / "shop").mkdir(exist_ok=True)
    for number in range(1, 4):
        shop.push({"shop.cart": f"x = {number}\n"})
    older = shop.base.digest
    shop.write("shop/cart.py", "x = 'deployed anew'\n")
    shop.head, shop.overlay = Head(0, "", None), {}
    for number in range(1, 6):
        shop.push({"shop.cart": f"x = {number * 10}\n"})
    return shop, older


def carry_out(bucket: Path, base: str) -> None:
    """Prune, in the process under test."""
    journal = Journal(DirectoryBucket(bucket), "shop", "test", base)
    prune.carry_out(journal, prune.find(journal, TARGET, RULES, LATER))


def check(shop: Deployment, older: str, outcome: Outcome, when: str, *, done: bool) -> None:
    """Both journals are chains from 1; a release has all of its code or is known to have none; `done`: none is left."""
    for base, last in ((older, None), (shop.base.digest, 5)):
        journal = Journal(shop.bucket, "shop", "test", base)
        numbers = journal.numbers()
        outcome.expect(numbers == list(range(1, len(numbers) + 1)), f"{when}: the journal holds {numbers}")
        outcome.expect(last is None or len(numbers) == last, f"{when}: entries of the base that runs went: {numbers}")
        previous = Head.start(base)
        for seq in numbers:
            data = journal.entry(seq) or b""
            try:
                statement = trust.judge_entry(
                    data, shop.policy(), base, previous, seq=seq, require_trusted_key=True
                )
            except HabaneroError as error:
                outcome.violations.append(f"{when}: entry {seq}: {error.code}")
                break
            previous = trust.head_of(Envelope.decode(data), statement)
            if last is not None:
                _check_code(journal, statement, outcome, when, needed=seq >= last - 1)
    outcome.expect(find_head(shop.journal, shop.policy(), shop.base.digest).head == shop.head, f"{when}: another head")
    if done:
        left = prune.find(shop.journal, TARGET, RULES, LATER)
        outcome.expect(not left.blobs and not left.bases, f"{when}: there is still something to prune: {left}")


def _check_code(journal: Journal, statement: Statement, outcome: Outcome, when: str, *, needed: bool) -> None:
    data = journal.get_blob(statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size)
    if data is None:
        outcome.expect(not needed, f"{when}: the manifest of release {statement.seq} went")
        return
    lost = [sha256 for sha256, size in Manifest.decode(data).blobs().items() if journal.get_blob(sha256, size) is None]
    outcome.expect(not lost, f"{when}: release {statement.seq} has its manifest and lost {len(lost)} blobs")
