"""`sign`: one more signature under a pending release, after a look at it; or the newest release signed again.

What it does: shows what the signature would be for, taken from the bytes that are signed and not from what anybody says
about them; asks; signs; and pushes once enough people have signed. The rules it upholds: nothing is signed that could
not be pushed any more; and bytecode is signed only where the sources that were shown build to that very bytecode here.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from habanero_py import events as e
from habanero_py import pending, versions
from habanero_py.client import MAX_ANSWER_BYTES
from habanero_py.codes import INTERRUPTED, PENDING
from habanero_py.commands.history import show
from habanero_py.commands.writes import Consent
from habanero_py.compose import Release, View
from habanero_py.pending import Pending
from habanero_py.releases import Releases
from habanero_py.rollback import sign_again
from habanero_py.session import Session
from habanero_receiver.errors import ConfigError, ConflictError, HabaneroError, TrustError
from habanero_receiver.policy import people
from habanero_receiver.release.keys import TrustedKey, parse_authorized, verify
from habanero_receiver.release.manifest import ModuleEntry
from habanero_receiver.release.names import expected_path


def sign_head(session: Session, consent: Consent) -> int:
    """Signs the newest release again, by a key of today; a freeze stays one."""
    view, _ = session.pusher.refresh()
    if view.head.seq == 0:
        raise ConflictError(
            "no-such-release",
            "nothing was ever pushed over this base: there is no release to sign",
            subject="--head",
            help="habanero-py status shows what runs",
        )
    show(session, view.head.seq)
    if not consent.given(f"Sign the code of #{view.head.seq} again, as it is shown here?", "sign"):
        return INTERRUPTED
    reason = session.pusher.releases.past(view.head).statement.reason
    if view.head.frozen:
        return sign_again(session.pusher, session.tools, "freeze", reason)
    return sign_again(session.pusher, session.tools, "clear")


def sign_file(session: Session, consent: Consent, path: Path, *, show_diff: bool) -> int:
    """Adds this person's signature to a pending release; pushes it when that makes enough."""
    found = pending.read(path)
    view, _ = session.pusher.refresh()
    _check_place(found, view)
    trusted, threshold = _trusted(session, found.statement.kind, view)
    signers = _signers(found, trusted)
    mine = session.signer.public.keyid
    if all(each.key.keyid != mine for each in trusted):
        raise TrustError(
            "role-missing",
            f"your signature would not count: your key may not {found.statement.kind} at {view.target}",
            subject=mine,
            help="habanero-py keys shows who may",
        )
    if any(signer.key.keyid == mine for signer in signers):
        raise ConflictError(
            "already-signed",
            f"your key signed #{found.statement.seq} already; it takes {threshold} different people",
            subject=mine,
            help=f"send {path} to somebody else who may",
        )
    _show(session, found, view, signers, threshold, show_diff=show_diff)
    if not consent.given(f"Sign #{found.statement.seq} for {view.target}?", "sign"):
        return INTERRUPTED
    signed = found.signed(session.signer)
    have = people(_signers(signed, trusted))
    if have < threshold:
        pending.replace(path, signed.content)
        until = signed.statement.accept_until.isoformat()
        session.emit(e.Pending(signed.statement.seq, signed.digest, str(path), have, threshold, until))
        return PENDING
    began, statement = time.monotonic(), signed.statement
    release = Release(statement, signed.manifest, signed.content, signed.digest)
    changed = len(list(_changes(found, view)))
    session.emit(e.Pushing(statement.seq, view.head.seq, changed, len(release.content)))
    code = session.pusher.send(release, began, began, same_code_as=statement.restores)
    path.unlink(missing_ok=True)
    return code


def _check_place(found: Pending, view: View) -> None:
    """Whether the server could still take it: for this target and base, on top of this head, in time."""
    statement = found.statement
    if statement.target != view.target:
        raise TrustError(
            "wrong-target",
            f"the release is for {statement.target}, and this is {view.target}; nothing was signed",
            subject=statement.target,
            help="name its target with --to",
        )
    why = ""
    if statement.base != view.base_digest:
        why = "other code was deployed since"
    elif (statement.seq, statement.prev) != (view.head.seq + 1, view.head.digest):
        why = f"#{view.head.seq} runs, and it was made to follow #{statement.seq - 1}"
    elif statement.accept_until < datetime.now(UTC):
        why = f"it could be accepted until {statement.accept_until:%Y-%m-%d %H:%M:%S} UTC"
    if why:
        raise ConflictError(
            "pending-stale",
            f"release #{statement.seq} cannot be pushed any more: {why}; nothing was signed",
            subject=found.digest,
            help="whoever made it pushes again, which makes a new one",
        )


def _trusted(session: Session, kind: str, view: View) -> tuple[tuple[TrustedKey, ...], int]:
    """Whose signatures under a release of this kind count there, as the server tells; it judges again itself.

    Servers without an endpoint tell nobody: then it is those whom this machine believes.
    """
    try:
        listed = session.server.keys()
    except HabaneroError as error:
        if error.code != "needs-endpoint":
            raise
        return session.trusted_keys(), view.threshold
    keys = (
        TrustedKey(",".join(row.principals), parse_authorized(row.key))
        for row in listed.keys
        if kind in row.roles and row.valid and not row.revoked
    )
    return tuple(keys), listed.threshold


def _signers(found: Pending, trusted: tuple[TrustedKey, ...]) -> tuple[TrustedKey, ...]:
    """Those whose signature under the release holds."""
    claimed = {signature.keyid: signature.sig for signature in found.envelope.signatures}
    return tuple(
        each
        for each in trusted
        if each.key.keyid in claimed and verify(each.key, claimed[each.key.keyid], found.envelope.message)
    )


def _changes(found: Pending, view: View) -> Mapping[str, tuple[ModuleEntry | None, ModuleEntry | None]]:
    """(before, after) of each module whose place in the overlay changes."""
    before, after = view.overlay, found.manifest.modules
    return {
        name: (before.get(name), after.get(name))
        for name in sorted(before.keys() | after.keys())
        if (name in before) != (name in after) or before.get(name) != after.get(name)
    }


def _show(
    session: Session, found: Pending, view: View, signers: tuple[TrustedKey, ...], need: int, *, show_diff: bool
) -> None:
    statement, gate = found.statement, found.statement.gate
    sources = _Sources(session, found)
    diffs = [_diff(name, view, found, sources) for name in _changes(found, view)]
    rebuilt = _rebuild(session, found, view, sources) if statement.kind == "push" else 0
    if show_diff:
        for diff in diffs:
            session.emit(diff)
    session.emit(
        e.PendingShown(
            push=statement.seq,
            digest=found.digest,
            kind=statement.kind,
            target=statement.target,
            base=statement.base,
            prev=statement.prev,
            author=statement.author,
            issued=statement.issued.isoformat(),
            accept_until=statement.accept_until.isoformat(),
            git=statement.git,
            gate=gate.command if gate else None,
            gate_exit=gate.exit if gate else None,
            gate_summary=gate.summary if gate else None,
            restores=statement.restores,
            reason=statement.reason,
            signed_by=tuple(each.principal for each in signers),
            need=need,
            modules=tuple(_counted(diff) for diff in diffs),
            rebuilt=rebuilt,
            now=datetime.now(UTC).isoformat(timespec="seconds"),
        )
    )


@dataclass(frozen=True, slots=True)
class _Module:
    """What the builder takes."""

    name: str
    path: str
    package: bool
    source: bytes


class _Sources:
    """The bytes of blobs: from the release itself, else from the server, which has them already.

    What was deployed, where the servers cannot be asked for it, is what this machine's own tree has under its digest.
    """

    def __init__(self, session: Session, found: Pending) -> None:
        self._releases: Releases = session.pusher.releases
        self._server, self._found, self._tree = session.server, found, session.sources

    def of(self, entry: ModuleEntry) -> bytes:
        """The source of an entry of the pending release, or of the overlay that runs."""
        ref = entry.source
        data = self._found.blobs.get(ref.sha256)
        return self._releases.blob(self._found.statement.seq - 1, ref.sha256, ref.size) if data is None else data

    def deployed(self, view: View, name: str) -> bytes:
        """The source as it was deployed; nothing for a module that was not."""
        module = view.base.get(name)
        if module is None:
            return b""
        try:
            return self._server.base_source(module.sha256, MAX_ANSWER_BYTES)
        except HabaneroError as error:
            mine = self._tree.scan().modules.get(name)
            if error.code != "needs-endpoint" or mine is None or mine.sha256 != module.sha256:
                raise
            return mine.source


def _diff(name: str, view: View, found: Pending, sources: _Sources) -> e.ModuleDiff:
    """What runs of a module against what would."""
    texts, there = [], []
    for overlay in (view.overlay, found.manifest.modules):
        entry = overlay.get(name)
        deployed = name not in overlay
        there.append(name in view.base if deployed else entry is not None)
        texts.append(sources.deployed(view, name) if deployed else b"" if entry is None else sources.of(entry))
    change = "changed" if all(there) else "added" if there[1] else "deleted"
    old, new = f"#{view.head.seq}", f"#{found.statement.seq}"
    before, after = texts
    return e.ModuleDiff(name, old, new, change, versions.unified(before, after, f"{old}/{name}", f"{new}/{name}"))


def _counted(diff: e.ModuleDiff) -> e.PendingModule:
    lines = diff.diff.splitlines()[2:]
    added, removed = (sum(line.startswith(mark) for line in lines) for mark in "+-")
    return e.PendingModule(diff.module, diff.change, added, removed)


def _rebuild(session: Session, found: Pending, view: View, sources: _Sources) -> int:
    """Build what is new from its sources, in a process of the server's Python; TrustError "build-differs"."""
    new = {name: after for name, (before, after) in _changes(found, view).items() if after is not None}
    modules = [_module(name, entry, sources.of(entry)) for name, entry in new.items()]
    for name, built in session.builds(modules, found.statement.python).items():
        if [hashlib.sha256(blob).hexdigest() for blob in built] != [new[name].code.sha256, new[name].units.sha256]:
            raise TrustError(
                "build-differs",
                f"the bytecode of {name} in the release is not what its source builds to here; nothing was signed",
                subject=name,
                help=f"its author and you need the very same Python ({found.statement.python}, to the patch release); "
                "if you have that, do not sign: ask its author how it was made",
            )
    return len(modules)


def _module(name: str, entry: ModuleEntry, source: bytes) -> _Module:
    """An entry's source as the builder takes it."""
    if hashlib.sha256(source).hexdigest() != entry.source.sha256:
        raise ConfigError(
            "pending-file", f"the source of {name} is not the one that is signed", subject=name, help="ask for it again"
        )
    return _Module(name, expected_path(name, package=entry.package), entry.package, source)
