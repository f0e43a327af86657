"""Pushes through the bucket, to servers that have no endpoint: `url = "s3://bucket/prefix"` (or gs, az, file).

    read deployed.json and heartbeats -> ... -> blobs -> entry, create-only -> wait for the heartbeats

What it does: fills `server.Server` with the laptop's own credentials for the bucket. What it does not: nobody stages a
release before it is recorded, so what living code cannot take is found out by the machines afterwards, and said by
their heartbeats; a dry run, `verify` of running code and a prune need an endpoint.

The rule it upholds: of what lies in the bucket only what trusted keys signed is believed. Heartbeats decide nothing
but which deployment is meant and what a person is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import NoReturn

from habanero_py import remote, remote_fleet, remote_journal
from habanero_py import said as workers
from habanero_receiver.errors import ConfigError, ConflictError, HabaneroError, RequestError, StoreError, TrustError
from habanero_receiver.fleet import heartbeat
from habanero_receiver.journal.bucket import Bucket
from habanero_receiver.journal.deployed import MAX_BYTES, Deployed
from habanero_receiver.journal.elsewhere import last_elsewhere
from habanero_receiver.journal.head import Found, find_head
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release import body
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.keys import TrustedKey
from habanero_receiver.release.manifest import Manifest
from habanero_receiver.release.statement import Statement
from habanero_receiver.trust import TrustPolicy

ACKNOWLEDGE_S = 20.0
LOOK_S = 0.25
SILENT_LOCAL_S, SILENT_REMOTE_S = 20.0, 100.0
"""How much older than the newest heartbeat another may be, of a worker that counts as alive."""
MAX_ENTRIES = 100
_NOTHING_WRITTEN = frozenset({"journal-gap", "store-format", "store-not-exclusive", "store-denied"})


class BucketServer:
    """One bucket with servers behind it. Not for several threads at once."""

    def __init__(
        self,
        url: str,
        target: str,
        keys: tuple[TrustedKey, ...],
        bucket: Bucket,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url
        self.clock_skew_s: float | None = None
        self._target, self._keys, self._bucket = target, keys, bucket
        self._clock, self._sleep = clock, sleep
        self._silent_s = SILENT_REMOTE_S if bucket.remote else SILENT_LOCAL_S

    def __enter__(self) -> BucketServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nothing is kept open."""

    def state(self) -> remote.ServerState:
        """Which base is deployed, what the journal's head is, and what each worker says that it runs."""
        journal, base, beats = self._live()
        said = self._deployed(journal, base)
        found = self._head(journal, base, said)
        running = [beat.running for beat in beats]
        head = {"seq": found.head.seq, "digest": found.head.digest, "frozen": found.head.frozen}
        if found.statement is not None:
            head |= {"issued": found.statement.issued.isoformat(), "author": found.statement.author}
        return remote.parse_state({
            "target": said.target, "base": base, "python": said.python.to_json(), "head": head,
            "running": {"seq": min(running)} if running else None, "modules": list(said.allowed),
            "machines": heartbeat.machines(beats), "threshold": said.threshold, "max_window_s": said.max_window_s,
            "withdrawn": workers.withdrawn(journal, found, beats),
        })  # fmt: skip

    def base(self) -> dict[str, remote.BaseModule]:
        """The modules as they lie on the servers' disks."""
        journal, base, _ = self._live()
        files = self._deployed(journal, base).modules
        return {name: remote.BaseModule(file.package, file.path, file.sha256) for name, file in files.items()}

    def keys(self) -> remote.ServerKeys:
        """Not to be had: whom a server trusts is in its own configuration."""
        _needs_endpoint("the server's list of keys")

    def base_source(self, sha256: str, max_bytes: int) -> bytes:  # noqa: ARG002  (the interface's)
        """Not to be had: the deployed sources lie on the servers' disks alone."""
        _needs_endpoint("the deployed sources")

    def journal(self, after: int, *, details: bool = False) -> tuple[remote_journal.Entry, ...]:
        """The entries after number `after`, oldest first, at most 100."""
        journal, entries = self._live()[0], list[remote_journal.Entry]()
        while len(entries) < MAX_ENTRIES and (data := journal.entry(after + len(entries) + 1)) is not None:
            seq = after + len(entries) + 1
            manifest = _manifest(journal, data) if details else None
            verdict = workers.beside(journal, seq, data) if details else None
            entries.append(remote_journal.Entry(seq, data, manifest, withdrawn=verdict))
        return tuple(entries)

    def running(self) -> tuple[remote.WorkerCode, ...]:
        """Not to be had: it takes a question to every worker."""
        _needs_endpoint("a look at the live modules")

    def errors(self) -> remote_fleet.Heard:
        """What came out of released code on all workers, and whether the head was withdrawn."""
        journal, base, beats = self._live()
        found = self._head(journal, base, self._deployed(journal, base))
        return workers.errors(journal, workers.withdrawn(journal, found, beats))

    def previous(self) -> remote_journal.Previous | None:
        """The last release over the base that was deployed before, if there is one."""
        found = last_elsewhere(self._live()[0], self._target)
        if found is None:
            return None
        statement = found.statement
        return remote_journal.Previous(statement.base, statement.seq, statement.manifest_digest, found.manifest)

    def listing(self) -> remote_journal.Listing:
        """The numbers of the journal's entries, and the signed prunings."""
        journal = self._live()[0]
        return remote_journal.Listing(tuple(journal.numbers()), tuple(journal.prunings().values()))

    def blob(self, sha256: str, max_bytes: int) -> bytes:
        """The bytes with this digest. RequestError `not-found`."""
        data = self._live()[0].get_blob(sha256, max_bytes)
        if data is None:
            raise RequestError("not-found", "the bucket has no such blob", subject=sha256, help="habanero-py log")
        return data

    def prunable(self, days: int, keep: int) -> remote_journal.Prunable:  # noqa: ARG002  (the interface's)
        """Not to be had: what may go is worked out by a server."""
        _needs_endpoint("a prune")

    def prune(self, found: remote_journal.Prunable, days: int, keep: int) -> remote_journal.Prunable:  # noqa: ARG002
        """See `prunable`."""
        _needs_endpoint("a prune")

    def push(self, content: bytes, *, check: bool = False) -> remote.PushAnswer:
        """Record a push, and wait a bounded time for the workers to say what came of it.

        ConflictError `not-next` when another release has the number, `base-mismatch` when another base is deployed.
        """
        if check:
            _needs_endpoint("a dry run")
        parts = _Parts(content)
        journal, base, _ = self._live()
        if parts.statement.base != base:
            raise ConflictError("base-mismatch", "other code was deployed meanwhile; nothing was recorded",
                                subject=base, help="push again")  # fmt: skip
        lacking = {sha256 for sha256 in parts.lacking if not journal.has_blob(sha256)}
        if lacking:
            raise RequestError("blob-missing", f"{len(lacking)} blobs are neither sent nor in the bucket",
                               subject=min(lacking), help="push again")  # fmt: skip
        journal.put_blobs([parts.manifest, *parts.blobs.values()])
        self._record(journal, parts)
        return self._acknowledged(parts.statement.seq, parts.digest)

    def _record(self, journal: Journal, parts: _Parts) -> None:
        seq = parts.statement.seq
        try:
            won = journal.append(seq, parts.envelope)
        except StoreError as error:
            if error.code in _NOTHING_WRITTEN:
                raise
            raise StoreError(
                "outcome-unknown",
                f"#{seq} was sent, and the bucket did not say what became of it: {error.message}",
                subject=self.url,
                help="habanero-py status tells what runs",
            ) from error
        if not won:
            raise ConflictError("not-next", f"another release became #{seq}; nothing was recorded")

    def _acknowledged(self, seq: int, digest: str) -> remote.PushAnswer:
        deadline = self._clock() + ACKNOWLEDGE_S
        while True:
            beats = self._live()[2]
            if heartbeat.settled(beats, seq, digest) or self._clock() > deadline:
                machines = remote_fleet.parse_machines(heartbeat.machines(beats))
                in_step = heartbeat.in_step(beats, seq, digest)
                return remote.PushAnswer(seq, digest, False, (), machines, in_step)
            self._sleep(LOOK_S)

    def _live(self) -> tuple[Journal, str, list[heartbeat.Beat]]:
        """The journal of the base that is deployed, its fingerprint, and the workers that are alive there.

        It is the one of which somebody wrote last that he runs: who can write the bucket can name another base here,
        and then has a push made that no server takes.
        """
        app, _, rest = self._target.partition("/")
        environment = rest.partition("#")[0]
        best: tuple[float, Journal, str, list[heartbeat.Beat]] | None = None
        for folder in self._bucket.folders(f"v1/{app}/{environment}"):
            base = "sha256:" + folder.rpartition("/")[2]
            try:
                journal = Journal(self._bucket, app, environment, base)
            except StoreError:
                continue  # a folder of somebody else's
            beats = [beat for data in journal.hosts().values() if (beat := heartbeat.decode(data)) is not None]
            newest = max((beat.updated for beat in beats), default=0.0)
            if beats and (best is None or newest > best[0]):
                alive = [beat for beat in beats if newest - beat.updated < self._silent_s]
                best = newest, journal, base, alive
        if best is None:
            raise HabaneroError(
                "no-receiver",
                f"no server has written to {self.url} that it serves {app}/{environment}",
                subject=self.url,
                help="start it with this bucket and HABANERO_HTTP=off",
            )
        return best[1:]

    def _deployed(self, journal: Journal, base: str) -> Deployed:
        data = journal.deployed(MAX_BYTES)
        if data is None:
            raise HabaneroError(
                "no-receiver",
                "the servers do not say in the bucket what is deployed",
                subject=self.url,
                help="give them HABANERO_HTTP=off, or push to their address",
            )
        said = Deployed.decode(data, base)
        if said.target != self._target:
            raise TrustError(
                "wrong-target",
                f"the servers are {said.target!a}, and this is signed for {self._target!a}",
                subject=said.target,
                help="compare the target in pyproject.toml with the server's HABANERO_TARGET",
            )
        return said

    def _head(self, journal: Journal, base: str, said: Deployed) -> Found:
        policy = TrustPolicy(
            keys=self._keys, target=self._target, allowed_modules=frozenset(said.allowed), python=said.python
        )
        found = find_head(journal, policy, base)
        if found.refused is not None:
            raise TrustError(
                found.refused.code,
                f"entry {found.last} of the journal is refused here: {found.refused.message}",
                subject=journal.entry_key(found.last),
                help="list the keys of all who push in a file, and name it in pyproject.toml: trusted_keys_file",
            )
        return found


class _Parts:
    """A push body taken apart. It was made here a moment ago; the parser is the receiver's own."""

    def __init__(self, content: bytes) -> None:
        parser = body.PushParser()
        parser.feed(content)
        self.blobs: dict[str, bytes] = {}
        while (part := parser.next_part()) is not None:
            if isinstance(part, body.EnvelopePart):
                self.envelope = part.data
                envelope = Envelope.decode(part.data)
                self.digest, self.statement = envelope.digest, Statement.decode(envelope.payload)
                parser.expect_manifest(self.statement.manifest_size)
            elif isinstance(part, body.ManifestPart):
                self.manifest = part.data
                sizes: Mapping[str, int] = Manifest.decode(part.data).blobs()
                parser.expect_blobs(sizes, sizes)
            else:
                self.blobs[part.sha256] = part.data
        parser.close()
        self.lacking = sizes.keys() - self.blobs.keys()


def _manifest(journal: Journal, data: bytes) -> bytes | None:
    """The manifest that an entry names; None when the bucket cannot give it, or the entry is none."""
    try:
        statement = Statement.decode(Envelope.decode(data).payload)
        return journal.get_blob(statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size)
    except HabaneroError:
        return None


def _needs_endpoint(what: str) -> NoReturn:
    raise ConfigError(
        "needs-endpoint",
        f"{what}: not to be had through a bucket alone",
        help="give one server an endpoint (HABANERO_HTTP=on, HABANERO_STRANGERS=hide) and a target with its url",
    )
