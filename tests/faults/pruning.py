"""What holds of a pruned bucket, however far the prune got; and buckets to prune: old releases, and an older base's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from deployment import START, TARGET, Deployment
from serving import Shop

from faults import forked, pushing, truth
from faults.scenario import Outcome
from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.journal import prune
from habanero_receiver.journal.bucket import Bucket
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.head import find_head
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.manifest import Manifest
from habanero_receiver.release.statement import Statement
from habanero_receiver.trust import Head, TrustPolicy

LATER = START + timedelta(days=60)
RULES = prune.Rules(days=30, keep=2, running=5)
SERVED = 1, 3
"""How many releases a server was pushed over the older base, and over the one that runs; few, each of few blobs."""


@dataclass(frozen=True)
class Pruned:
    """A bucket that is pruned: digests of the base that runs and the one before, and how many releases are to stay.

    `last` is the newest release, which runs. It and the one before it have to keep all of their code.
    """

    bucket: Bucket
    policy: TrustPolicy
    base: str
    older: str
    last: int

    def journal(self, base: str) -> Journal:
        return Journal(self.bucket, "shop", "test", base)


def deploy(folder: Path) -> tuple[Deployment, Pruned]:
    """Releases that were made in the bucket's folder directly, long ago."""
    shop = Deployment(folder, {"shop/__init__.py": "", "shop/cart.py": "x = 0\n"})
    (shop.root / "shop").mkdir(exist_ok=True)
    for number in range(1, 4):
        shop.push({"shop.cart": f"x = {number}\n"})
    older = shop.base.digest
    shop.write("shop/cart.py", "x = 'deployed anew'\n")
    shop.head, shop.overlay = Head(0, "", None), {}
    for number in range(1, 6):
        shop.push({"shop.cart": f"x = {number * 10}\n"})
    return shop, Pruned(shop.bucket, shop.policy(), shop.base.digest, older, 5)


def push_all(shop: Shop, bucket: Bucket, outcome: Outcome, **settings: str) -> Pruned:
    """Releases that were pushed to servers, the second of which was deployed anew. Release n of a base has rate n."""
    pricing = shop.root / "shop" / "pricing.py"
    older = _pushed(shop, SERVED[0], outcome, settings)
    pricing.write_text(pricing.read_text() + "\n# deployed anew\n")
    base = _pushed(shop, SERVED[1], outcome, settings)
    return Pruned(bucket, truth.config_of(shop).policy(), base, older, SERVED[1])


def _pushed(shop: Shop, count: int, outcome: Outcome, settings: dict[str, str]) -> str:
    with forked.serve(shop, **settings) as server:
        for number in range(count):
            pushing.attempt(server, server.next({"shop.rates": f"RATE = {number + 1}\n"}), outcome)
        base: str = server.state()["base"]
    return base


def carry_out(bucket: Path, base: str) -> None:
    """Prune, in the process under test."""
    journal = Journal(DirectoryBucket(bucket), "shop", "test", base)
    prune.carry_out(journal, prune.find(journal, TARGET, RULES, LATER))


def check(pruned: Pruned, outcome: Outcome, when: str) -> None:
    """Both journals are chains from 1; the head is the newest release; each has all of its code or none of its own."""
    for base, last in ((pruned.older, None), (pruned.base, pruned.last)):
        journal = pruned.journal(base)
        numbers = journal.numbers()
        outcome.expect(numbers == list(range(1, len(numbers) + 1)), f"{when}: the journal holds {numbers}")
        outcome.expect(last is None or len(numbers) == last, f"{when}: entries of the base that runs went: {numbers}")
        previous = Head.start(base)
        for seq in numbers:
            data = journal.entry(seq) or b""
            try:
                statement = trust.judge_entry(data, pruned.policy, base, previous, seq=seq, require_trusted_key=True)
            except HabaneroError as error:
                outcome.violations.append(f"{when}: entry {seq}: {error.code}")
                break
            previous = trust.head_of(Envelope.decode(data), statement)
            if last is not None:
                _check_code(journal, statement, outcome, when, needed=seq >= last - 1)
    head = find_head(pruned.journal(pruned.base), pruned.policy, pruned.base).head
    outcome.expect(head is not None and head.seq == pruned.last, f"{when}: another head: {head}")


def check_done(pruned: Pruned, outcome: Outcome, when: str) -> None:
    """Nothing is left to prune of what was made long ago."""
    left = prune.find(pruned.journal(pruned.base), TARGET, RULES, LATER)
    outcome.expect(not left.blobs and not left.bases, f"{when}: there is still something to prune: {left}")


def _check_code(journal: Journal, statement: Statement, outcome: Outcome, when: str, *, needed: bool) -> None:
    data = journal.get_blob(statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size)
    if data is None:
        outcome.expect(not needed, f"{when}: the manifest of release {statement.seq} went")
        return
    lost = [sha256 for sha256, size in Manifest.decode(data).blobs().items() if journal.get_blob(sha256, size) is None]
    outcome.expect(not lost, f"{when}: release {statement.seq} has its manifest and lost {len(lost)} blobs")
