"""Says in the bucket which releases do not start, so that no other machine tries them.

What it does: writes a verdict beside the journal's entry, once for each release and machine, as soon as the bucket
takes it. What it does not: it decides nothing; `journal.starts` does, and `journal.newest` reads what others said.

The rule it upholds: a verdict is words, needs no key, and is believed for one thing alone: the head it stands beside is
passed over for what came before it.
"""

from __future__ import annotations

import json
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.journal.patience import within

if TYPE_CHECKING:
    from habanero_receiver.journal.bucket import Bucket
    from habanero_receiver.journal.journal import Journal
    from habanero_receiver.journal.starts import Ledger, Record
    from habanero_receiver.starting import StartLedger

_log = logging.getLogger("habanero")


def tell(ledger: StartLedger, bucket: Bucket, journal: Journal, instance: str, wait_s: float) -> None:
    """Write what is not in the bucket yet; what it does not take now is told at the next occasion."""
    for digest, record in ledger.condemned().items():
        if record.told:
            continue
        data = _verdict(digest, record, instance)
        try:
            within(wait_s, "a verdict", partial(_put, bucket, journal, record.seq, instance, data))
        except HabaneroError as error:
            _log.warning("the verdict on release %d is not in the bucket yet: %s", record.seq, error.message)
            continue
        ledger.close(partial(_told, digest))


def _verdict(digest: str, record: Record, instance: str) -> bytes:
    said = {"v": 1, "kind": "bad", "digest": digest, "reason": record.condemned, "machine": instance}
    return json.dumps({**said, "at": int(time.time())}, sort_keys=True).encode()


def _put(bucket: Bucket, journal: Journal, seq: int, instance: str, data: bytes) -> None:
    if not bucket.check():  # writing would make one, in the place of a volume that is not mounted
        raise StoreError("store", "the bucket is not there")
    journal.put_verdict(seq, instance, data)


def _told(digest: str, ledger: Ledger) -> Ledger:
    return ledger.told(digest)
