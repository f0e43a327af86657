"""Reads what was released: the journal's statements and the overlays that they name.

A thin shell over the server's reads, with a memory: entries and blobs never change, so each is fetched once. The rule
it upholds: nothing is believed because of the place it came from; an entry must have the digest that names it, and a
manifest the digest and the size that its statement signs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from habanero_py.answers import as_object, unexpected
from habanero_py.compose import DEFAULT_WINDOW_S, View
from habanero_py.events import Confirmation, Verdict
from habanero_py.remote import BaseModule, Head, ServerState
from habanero_py.remote_journal import Entry
from habanero_py.server import Server
from habanero_receiver.errors import ConflictError, HabaneroError, TrustError
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.limits import DEFAULT_LIMITS
from habanero_receiver.release.manifest import Manifest, ModuleEntry
from habanero_receiver.release.statement import Statement

Overlay = Mapping[str, ModuleEntry | None]


@dataclass(frozen=True, slots=True)
class Past:
    """One release that was made. `digest` is the sha256 of its payload, which the next one names as `prev`.

    `keyids` are the keys that its envelope names; that they did sign it is for `verify` to find out.
    """

    seq: int
    digest: str
    statement: Statement
    keyids: tuple[str, ...] = ()

    @property
    def code_of(self) -> int:
        """The number whose code this is: its own, or that of the release it restored."""
        restores = self.statement.restores
        return self.seq if restores is None else restores


class Releases:
    """The journal of one server over one base."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._base: tuple[str, Mapping[str, BaseModule]] | None = None
        self._past: dict[int, Past] = {}
        self._manifests: dict[str, Manifest] = {}
        self._unread: dict[str, bytes] = {}
        """Manifests that came along with entries, whole, and were not looked into yet."""
        self._listed: tuple[int, Mapping[str, object]] = (0, {})
        """The modules of the release that was compared last."""
        self._confirmed: dict[int, tuple[Confirmation, ...]] = {}
        self._withdrawn: dict[int, Verdict] = {}

    def view(self, target: str, state: ServerState) -> View:
        """All that a diff needs to know of the server; one to three requests the first time."""
        if state.target != target:
            raise TrustError(
                "wrong-target",
                f"the server is {state.target}, not {target}; nothing was sent",
                subject="target",
                help="compare target in [tool.habanero.targets] with HABANERO_TARGET on the server",
            )
        if self._base is None or self._base[0] != state.base:
            self._base = (state.base, self._server.base())
            self._past.clear()
        past = self.past(state.head) if state.head.seq else None
        head = state.head
        if past is not None:
            # The signed time, to the microsecond: ours must not be before it.
            head = replace(head, issued=past.statement.issued.isoformat(), author=past.statement.author)
        return View(
            target=target,
            base_digest=state.base,
            base=self._base[1],
            head=head,
            overlay=self.overlay(past) if past else {},
            python=state.python,
            built_for=past.statement.python if past else None,
            threshold=state.threshold,
            window_s=state.max_window_s if state.threshold > 1 else DEFAULT_WINDOW_S,
            withdrawn=state.withdrawn,
        )

    def past(self, head: Head) -> Past:
        """The release that `head` names, by its number and its digest."""
        known = self._past.get(head.seq)
        if known is None or known.digest != head.digest:
            self.load(after=head.seq - 1, upto=head.seq)
            known = self._past.get(head.seq)
        if known is None or known.digest != head.digest:
            raise unexpected(f"#{head.seq}", "the journal does not hold the head that the state names")
        return known

    def number(self, seq: int) -> Past:
        """Release number `seq`."""
        if seq not in self._past:
            self.load(after=seq - 1, upto=seq)
        if seq not in self._past:
            raise ConflictError(
                "no-such-release",
                f"there is no release #{seq} over this base",
                subject=f"#{seq}",
                help="habanero-py log shows them",
            )
        return self._past[seq]

    def load(self, after: int, upto: int, *, details: bool = False) -> list[Past]:
        """The releases after number `after` up to `upto`, oldest first; with details, manifests come along.

        What the server gives beyond is not looked at: past its head may lie an entry that it has refused itself.
        """
        found: list[Past] = []
        while after < upto and (entries := self._server.journal(after, **({"details": True} if details else {}))):
            for entry in entries[: upto - after]:
                if entry.seq != after + 1:
                    raise unexpected(f"#{entry.seq}", "the journal is not in order")
                envelope = Envelope.decode(entry.envelope, DEFAULT_LIMITS)
                statement = Statement.decode(envelope.payload, DEFAULT_LIMITS)
                keyids = tuple(signature.keyid for signature in envelope.signatures)
                past = Past(entry.seq, envelope.digest, statement, keyids)
                self._past[entry.seq] = past
                self._take(past, entry)
                found.append(past)
                after = entry.seq
        return found

    def _take(self, past: Past, entry: Entry) -> None:
        """Keep what came along with an entry; a manifest only if it is the one that the entry signs."""
        digest, data = past.statement.manifest_digest, entry.manifest
        if data is not None and digest not in self._manifests:
            if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
                raise unexpected(f"#{entry.seq}", "a manifest is not the one that the release signs")
            self._unread[digest] = data
        self._confirmed[entry.seq] = entry.confirmed
        if entry.withdrawn is not None:
            self._withdrawn[entry.seq] = entry.withdrawn

    def withdrawn(self, past: Past) -> Verdict | None:
        """Why a release was found bad, if it was; nothing unless it was loaded with details."""
        return self._withdrawn.get(past.seq)

    def confirmed(self, past: Past) -> tuple[Confirmation, ...]:
        """Who ran a release when its push was answered; nothing unless it was loaded with details."""
        return self._confirmed.get(past.seq, ())

    def overlay(self, past: Past) -> Overlay:
        """The modules that a release put over the base."""
        return self.manifest(past).modules

    def manifest(self, past: Past) -> Manifest:
        """The manifest that a release signs. ConflictError `pruned` when the bucket does not hold it any more."""
        digest = past.statement.manifest_digest
        if digest not in self._manifests:
            self._manifests[digest] = Manifest.decode(self._bytes(past), DEFAULT_LIMITS)
        return self._manifests[digest]

    def _bytes(self, past: Past) -> bytes:
        digest = past.statement.manifest_digest
        if digest not in self._unread:
            size = past.statement.manifest_size
            self._unread[digest] = self.blob(past.seq, digest.removeprefix("sha256:"), size)
        return self._unread[digest]

    def changed(self, past: Past, previous: Past | None) -> tuple[str, ...]:
        """The modules that a release changed against another one, None being the base. Errors as `manifest`.

        To say that two entries differ takes no look into them: of a thousand releases it is the strict reading of all
        their entries that would take the time. Cheapest when releases are asked for from the newest to the oldest.
        """
        after, before = self._modules(past), {} if previous is None else self._modules(previous)
        names = {name for name in before.keys() & after.keys() if before[name] != after[name]}
        return tuple(sorted(names | (before.keys() ^ after.keys())))

    def _modules(self, past: Past) -> Mapping[str, object]:
        if self._listed[0] != past.seq:
            try:
                modules = as_object(as_object(json.loads(self._bytes(past)), "manifest").get("modules"), "modules")
            except (ValueError, RecursionError) as error:
                raise unexpected(f"#{past.seq}", "its manifest is not JSON") from error
            self._listed = (past.seq, modules)
        return self._listed[1]

    def blob(self, seq: int, sha256: str, max_bytes: int) -> bytes:
        """A blob that release `seq` names; errors as `manifest`."""
        try:
            return self._server.blob(sha256, max_bytes)
        except HabaneroError as error:
            if error.code != "not-found":
                raise
        raise ConflictError(
            "pruned",
            f"the code of #{seq} is not in the bucket any more; nothing was changed",
            subject=f"#{seq}",
            help="habanero-py verify tells whether it was pruned or lost; habanero-py log names its commit in git",
        )

    def remember(self, past: Past, manifest: Manifest) -> None:
        """Our own release is live: no need to ask for it."""
        self._past[past.seq] = past
        self._manifests[past.statement.manifest_digest] = manifest
