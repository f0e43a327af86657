"""Says in the bucket which releases were found bad here, so that every other machine leaves them too.

What it does: writes a verdict beside the journal's entry, once for each release and machine, as soon as the bucket
takes it. What it does not: it decides nothing; `journal.starts` and `probation` do, and who reads it is
`journal.newest` at a start and `fleet.withdrawal` in a running process.

The rule it upholds: a verdict is words, needs no key, and is believed for one thing alone: the head it stands beside is
passed over for what came before it.
"""

from __future__ import annotations

import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.journal.patience import within

if TYPE_CHECKING:
    from habanero_receiver.journal.bucket import Bucket
    from habanero_receiver.journal.journal import Journal
    from habanero_receiver.journal.starts import Ledger
    from habanero_receiver.journal.verdict import Verdict
    from habanero_receiver.starting import StartLedger

_log = logging.getLogger("habanero")


def of_this_machine(ledger: StartLedger, instance: str) -> dict[str, Verdict]:
    """What this machine itself found bad, by payload digest."""
    condemned = ledger.condemned()
    if not condemned:
        return {}
    from habanero_receiver.journal.verdict import Verdict  # a start that goes well does not pay for it

    return {digest: Verdict(digest, record.condemned, instance, 0) for digest, record in condemned.items()}


def tell(ledger: StartLedger, bucket: Bucket, journal: Journal, instance: str, wait_s: float) -> bool:
    """Write what is not in the bucket yet; what it does not take now is told at the next occasion: False then."""
    whole = True
    for digest, record in ledger.condemned().items():
        if record.told:
            continue
        from habanero_receiver.journal.verdict import Verdict  # likewise

        data = Verdict(digest, record.condemned, instance, time.time()).encode()
        try:
            within(wait_s, "a verdict", partial(_put, bucket, journal, record.seq, instance, data))
        except HabaneroError as error:
            _log.warning("the verdict on release %d is not in the bucket yet: %s", record.seq, error.message)
            whole = False
            continue
        ledger.close(partial(_told, digest))
    return whole


def _put(bucket: Bucket, journal: Journal, seq: int, instance: str, data: bytes) -> None:
    if not bucket.check():  # writing would make one, in the place of a volume that is not mounted
        raise StoreError("store", "the bucket is not there")
    journal.put_verdict(seq, instance, data)


def _told(digest: str, ledger: Ledger) -> Ledger:
    return ledger.told(digest)
