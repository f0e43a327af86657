"""What workers said in the bucket of errors and of a release that they went back from, for who has no endpoint to ask.

Pure but for reads of the journal's notes. The rule it upholds: these are words, believed for telling a person alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from habanero_py import remote_fleet
from habanero_py.events import Verdict
from habanero_receiver.errors import HabaneroError
from habanero_receiver.fleet import heartbeat, reports
from habanero_receiver.journal import verdict
from habanero_receiver.journal.head import Found
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.envelope import Envelope

LISTEN_LOCAL_S, LISTEN_REMOTE_S = 1.0, 10.0


def withdrawn(journal: Journal, found: Found, beats: Sequence[heartbeat.Beat]) -> Mapping[str, object] | None:
    """The verdict beside the head in the form of a server's answer, and what the workers run that went back."""
    if found.statement is None:
        return None
    head = found.head
    said = verdict.beside(found.statement, head.digest, [journal.newest_verdict(head.seq)])
    if said is None:
        return None
    back = [beat.running for beat in beats if beat.failed is not None and beat.failed.code == "condemned"]
    runs = max(back, default=head.seq - 1)
    return {"seq": head.seq, "runs": runs, "reason": said.reason, "machine": said.machine, "at": said.at}


def errors(journal: Journal, verdict_on_head: Mapping[str, object] | None) -> remote_fleet.Heard:
    """What came out of released code, as every worker last said it."""
    workers = [worker for worker in map(reports.decode, journal.errors().values()) if worker is not None]
    again_s = LISTEN_REMOTE_S if journal.remote else LISTEN_LOCAL_S
    return remote_fleet.parse_errors({"workers": workers, "withdrawn": verdict_on_head, "again_s": again_s})


def beside(journal: Journal, seq: int, envelope: bytes) -> Verdict | None:
    """What was said last of a release, if it was said of this one."""
    found = verdict.decode(journal.newest_verdict(seq))
    try:
        if found is None or Envelope.decode(envelope).digest != found.digest:
            return None
    except HabaneroError:
        return None
    return Verdict(found.machine, found.reason, remote_fleet.moment(found.at))
