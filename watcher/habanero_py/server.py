"""What a command needs of a place to push to, however it is reached: over HTTP (`client`) or through the bucket.

The rule it upholds: a command knows this interface and neither of the two.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from habanero_py import remote, remote_fleet, remote_journal


class Server(Protocol):
    """One place to push to. Not for several threads at once. Errors are those of `client` and `through_bucket`."""

    url: str
    clock_skew_s: float | None

    def state(self) -> remote.ServerState:
        """What the server and its workers run."""
        ...

    def keys(self) -> remote.ServerKeys:
        """Whom the server trusts, with what."""
        ...

    def base(self) -> dict[str, remote.BaseModule]:
        """The modules as they lie on the server's disk."""
        ...

    def base_source(self, sha256: str, max_bytes: int) -> bytes:
        """The source of a module of the base by its digest; other bytes are an error."""
        ...

    def journal(self, after: int, *, details: bool = False) -> tuple[remote_journal.Entry, ...]:
        """The entries after number `after`, oldest first; may be given in parts."""
        ...

    def running(self) -> tuple[remote.WorkerCode, ...]:
        """What each worker says that its modules are, after looking at them for this question."""
        ...

    def errors(self) -> remote_fleet.Heard:
        """What came out of released code on all workers, and whether the head was withdrawn."""
        ...

    def previous(self) -> remote_journal.Previous | None:
        """The last release over the base that was deployed before, if there is one."""
        ...

    def listing(self) -> remote_journal.Listing:
        """What a listing of the bucket shows of this journal."""
        ...

    def blob(self, sha256: str, max_bytes: int) -> bytes:
        """The bytes with this digest; other bytes are an error."""
        ...

    def prunable(self, days: int, keep: int) -> remote_journal.Prunable:
        """What could be removed from the bucket under these rules."""
        ...

    def prune(self, found: remote_journal.Prunable, days: int, keep: int) -> remote_journal.Prunable:
        """Have it removed; what was."""
        ...

    def push(self, content: bytes, *, check: bool = False) -> remote.PushAnswer:
        """Deliver a push body; `check` has it staged and thrown away."""
        ...

    def __enter__(self) -> Server:
        """Use it for a block, and close it at the end."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        ...

    def close(self) -> None:
        """End the connection."""
        ...
