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
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError
from habanero_receiver.journal.patience import within

if TYPE_CHECKING:
    from habanero_receiver.journal.journal import Journal
    from habanero_receiver.journal.starts import Record
    from habanero_receiver.starting import StartLedger

_log = logging.getLogger("habanero")


def tell(ledger: StartLedger, journal: Journal, instance: str, wait_s: float) -> None:
    """Write what is not in the bucket yet; what it does not take now is told at the next occasion."""
    for digest, record in ledger.condemned().items():
        if not record.told:
            _tell(ledger, journal, instance, wait_s, digest, record)


def _tell(ledger: StartLedger, journal: Journal, instance: str, wait_s: float, digest: str, record: Record) -> None:
    said = {"v": 1, "kind": "bad", "digest": digest, "reason": record.condemned, "machine": instance}
    data = json.dumps({**said, "at": int(time.time())}, sort_keys=True).encode()
    try:
        within(wait_s, "a verdict", lambda: journal.put_verdict(record.seq, instance, data))
    except HabaneroError as error:
        _log.warning("the verdict on release %d is not in the bucket yet: %s", record.seq, error.message)
        return
    _log.error("release %d is condemned: %s", record.seq, record.condemned)
    ledger.close(lambda known: known.told(digest))
