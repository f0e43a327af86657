"""What must be true of a bucket after any fault, read by a process that had no part in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

from serving import Shop

from faults.scenario import Outcome
from habanero_receiver import trust
from habanero_receiver.config import ReceiverConfig
from habanero_receiver.errors import HabaneroError
from habanero_receiver.journal.base import Base
from habanero_receiver.journal.bucket import Bucket, open_bucket
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.manifest import Manifest


def journal_of(shop: Shop, bucket: Bucket) -> Journal:
    """The shop's journal over its base, as it lies on the disk."""
    config = config_of(shop)
    return Journal(bucket, config.app, config.environment, Base.scan(config.root, config.top_level).digest)


def check(shop: Shop, outcome: Outcome, when: str, bucket: Bucket | None = None) -> int:
    """The chain is whole from 1, each release has all of its code, no key holds half of anything; the last number."""
    if bucket is None:
        bucket = open_bucket(shop.environ()["HABANERO_BUCKET"])
        _check_blobs(shop.bucket, outcome, when)
    config, journal = config_of(shop), journal_of(shop, bucket)
    base = Base.scan(config.root, config.top_level).digest
    previous, seq = trust.Head.start(base), 0
    try:
        while (data := journal.entry(seq + 1)) is not None:
            statement = trust.judge_entry(data, config.policy(), base, previous, seq=seq + 1, require_trusted_key=True)
            previous, seq = trust.head_of(Envelope.decode(data), statement), seq + 1
            manifest = journal.get_blob(statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size)
            sizes = Manifest.decode(manifest or b"").blobs()
            lost = [sha256 for sha256, size in sizes.items() if journal.get_blob(sha256, size) is None]
            outcome.expect(not lost, f"{when}: release {seq} has lost {len(lost)} blobs")
    except HabaneroError as error:
        outcome.violations.append(f"{when}: entry {seq + 1}: {error.code}: {error.message}")
    return seq


def _check_blobs(bucket: Path, outcome: Outcome, when: str) -> None:
    for file in (bucket / "v1" / "blobs").rglob("*"):
        if file.is_file():
            right = hashlib.sha256(file.read_bytes()).hexdigest() == file.name
            outcome.expect(right, f"{when}: blob {file.name[:12]} is not what its name says")


def config_of(shop: Shop) -> ReceiverConfig:
    """The settings that a server of the shop has."""
    config = ReceiverConfig.from_env(shop.environ(), shop.root)
    assert config is not None
    return config
