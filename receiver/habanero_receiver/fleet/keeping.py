"""Keeps this machine's own copy of the release that runs, so that its next start needs no bucket.

What it does: copies a release to the disk once it has run for a moment, in a thread where nobody waits for it; that of
a process that started from the bucket is made whole. What cannot be read now is tried again, less and less often. What
it does not: it verifies nothing (a start verifies all of it again) and raises nothing: without a copy, the bucket is
asked.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.fleet.images import in_memory
from habanero_receiver.journal.candidate import Candidate
from habanero_receiver.journal.newest import keep
from habanero_receiver.release.envelope import Envelope

if TYPE_CHECKING:
    from habanero_receiver.fleet.node import Loaded, Node
    from habanero_receiver.journal.local import LocalState
    from habanero_receiver.release.manifest import Manifest

QUIET_S = 2.0
"""How long a release has to run before it is copied: of one save after the other only the last is."""
RETRY_FIRST_S = 5.0
RETRY_LAST_S = 600.0
_log = logging.getLogger("habanero")


class Keeping:
    """Looked at every moment by the follower's thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._done: Loaded | None = None
        self._tried: Loaded | None = None
        self._retry_at = 0.0
        self._retry_s = RETRY_FIRST_S

    def look(self) -> None:
        """Copy what runs, if it is time to and it was not."""
        running = self._node.running
        if running is None or running is self._done or time.time() - self._node.since < QUIET_S:
            return
        if running is not self._tried:
            self._tried, self._retry_at, self._retry_s = running, 0.0, RETRY_FIRST_S
        if time.monotonic() < self._retry_at:
            return
        try:
            whole = self._copy(running)
        except (OSError, HabaneroError) as error:
            whole = False
            _log.warning("release %d is not kept on this machine's disk: %s", running.release.head.seq, error)
        if whole:
            self._done = running
        else:
            self._retry_at = time.monotonic() + self._retry_s
            self._retry_s = min(self._retry_s * 2, RETRY_LAST_S)

    def _copy(self, running: Loaded) -> bool:
        """Whether there is nothing left to try."""
        local, head = self._node.local, running.release.head
        if local is None or running.manifest is None:
            return True
        whole = True
        if not local.has_whole_pack(head.seq, head.digest):
            envelope = self._node.journal.entry(head.seq) or b""
            if Envelope.decode(envelope, self._node.policy.limits).digest == head.digest:
                candidate = Candidate(head, running.release.statement, envelope)
                whole = self._keep(local, candidate, running.manifest, running)
        local.raise_floor(head.seq, head.digest)
        return whole

    def _keep(self, local: LocalState, candidate: Candidate, manifest: Manifest, running: Loaded) -> bool:
        """Whether the bucket has given all of it."""
        data = manifest.encode()
        if candidate.statement is None or trust.digest_of(data) != candidate.statement.manifest_digest:
            return True  # written by a tool that spells manifests otherwise: the signed bytes are in the bucket alone
        blobs = in_memory(running)
        blobs |= self._node.journal.get_blobs({
            sha256: size for sha256, size in manifest.blobs().items() if sha256 not in blobs
        })  # fmt: skip
        lost = sorted(manifest.blobs().keys() - blobs.keys())
        if lost:
            _log.error("error[blob-missing]: the bucket lacks %d blobs of release %d, which runs; first %s",
                       len(lost), candidate.head.seq, lost[0])  # fmt: skip
        keep(local, candidate, data, manifest, blobs, whole=not lost)
        return not lost
