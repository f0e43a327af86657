"""Judges a whole journal on this machine, from bytes alone: every entry from 1 on, its signature, its place, its blobs.

Pure: envelopes, blobs, keys and numbers in, problems out; `commands.verify` fetches them. It judges entries by the
very rules that a server judges them by (`habanero_receiver.trust`), with keys that this machine trusts, so that
nothing that a server or a bucket says is taken for granted. The rule it upholds: every problem is named with the
release that has it, and one problem does not hide those after it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from habanero_py.events import Problem
from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.keys import PRUNE_NAMESPACE, TrustedKey, verify
from habanero_receiver.release.limits import DEFAULT_LIMITS
from habanero_receiver.release.manifest import BlobRef, Manifest
from habanero_receiver.release.request import REQUEST_TYPE, ReadRequest
from habanero_receiver.release.statement import PythonTag, Statement

Fetch = Callable[[str, int], bytes]
"""(sha256, largest size) -> the blob; HabaneroError where it cannot be had, `not-found` where it does not exist."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One entry that could be read, whether or not anything is wrong with it."""

    head: trust.Head
    statement: Statement


@dataclass(slots=True)
class Audit:
    """What was found so far. `manifests` are those that are what their releases sign, by number."""

    entries: dict[int, Judged] = field(default_factory=dict)
    manifests: dict[int, Manifest] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    blobs: int = 0
    pruned: int = 0

    def problem(self, code: str, subject: str, text: str) -> None:
        """Note one."""
        self.problems.append(Problem(code, subject, text))


def walk(audit: Audit, envelopes: Sequence[bytes], keys: Sequence[TrustedKey], target: str, base: str) -> None:
    """Judge the entries 1, 2, ... of the journal over `base` ("sha256:<hex>"), each after the one before it."""
    policy = policy_of(keys, target)
    previous = trust.Head.start(base)
    for seq, data in enumerate(envelopes, 1):
        try:
            statement = trust.judge_entry(data, policy, base, previous, seq=seq, require_trusted_key=True)
            trust.judge_restored(statement, lambda number: _numbered(envelopes, number), policy)
        except HabaneroError as error:
            text = _signatures(data, policy) if error.code == "unauthorized" else error.message
            audit.problem(error.code, f"#{seq}", text)
        try:
            envelope = Envelope.decode(data, DEFAULT_LIMITS)
            judged = Judged(*_read(envelope))
        except HabaneroError:
            audit.problem("not-next", f"#{seq + 1}", "what it should follow cannot be read: the walk ends here")
            return
        audit.entries[seq] = judged
        previous = judged.head


def _numbered(envelopes: Sequence[bytes], seq: int) -> bytes | None:
    return envelopes[seq - 1] if 1 <= seq <= len(envelopes) else None


def policy_of(keys: Sequence[TrustedKey], target: str) -> trust.TrustPolicy:
    """What entries are judged by here: any one of these keys, and the target letter for letter."""
    return trust.TrustPolicy(
        keys=tuple(keys), target=target, allowed_modules=frozenset(), python=PythonTag.current()
    )


def _read(envelope: Envelope) -> tuple[trust.Head, Statement]:
    statement = Statement.decode(envelope.payload, DEFAULT_LIMITS)
    return trust.head_of(envelope, statement), statement


def _signatures(data: bytes, policy: trust.TrustPolicy) -> str:
    """Why no trusted key signed it, in words."""
    envelope = Envelope.decode(data, policy.limits)
    known = {trusted.key.keyid: trusted for trusted in policy.keys}
    said = []
    for signature in envelope.signatures:
        trusted = known.get(signature.keyid)
        if trusted is None:
            said.append(f"signed by {signature.keyid}, which is not among the keys that this machine trusts")
        elif not verify(trusted.key, signature.sig, envelope.message):
            said.append(f"the signature of {trusted.principal} ({signature.keyid}) does not hold")
        else:
            said.append(f"the key of {trusted.principal} ({signature.keyid}) was not valid for this when it was issued")
    return "; ".join(said) or "it has no signature"


def compare_numbers(audit: Audit, walked: int, head: int, head_digest: str, listed: Iterable[int]) -> None:
    """Gaps, and a head that is not the last entry. `walked` is how many entries followed 1 without a gap."""
    beyond = [number for number in listed if number > walked]
    if beyond:
        audit.problem("journal-gap", f"#{walked + 1}", f"it is missing, but #{beyond[0]} is in the bucket")
    elif head > walked:
        audit.problem("journal-gap", f"#{walked + 1}", f"it is missing, but the server runs #{head}")
    if walked > head:
        audit.problem("not-next", f"#{head + 1}", f"the server refuses it and stays at #{head}")
    if head in audit.entries and audit.entries[head].head.digest != head_digest:
        audit.problem("not-next", f"#{head}", f"the server runs another #{head} than the journal has")


def floor(audit: Audit, prunings: Iterable[bytes], keys: Sequence[TrustedKey], target: str, base: str) -> int:
    """Releases with lower numbers may lack blobs: trusted keys with the role for it had them removed."""
    highest = 0
    for data in prunings:
        try:
            envelope = Envelope.decode(data, DEFAULT_LIMITS)
            request = ReadRequest.decode(envelope.payload, DEFAULT_LIMITS)
        except HabaneroError as error:
            audit.problem("store-corrupt", "pruning", f"a record of a pruning cannot be read: {error.message}")
            continue
        query = parse_qs(urlsplit(request.path).query)
        if request.target != target or query.get("base") != [base]:
            continue
        if not _may_prune(envelope, request, keys):
            audit.problem("unauthorized", "pruning", "a pruning was signed by no key that is trusted with it here")
            continue
        below = query.get("below", ["0"])[0]
        highest = max(highest, int(below) if below.isascii() and below.isdigit() else 0)
    return highest


def _may_prune(envelope: Envelope, request: ReadRequest, keys: Sequence[TrustedKey]) -> bool:
    signed = {signature.keyid: signature.sig for signature in envelope.signatures}
    return envelope.payload_type == REQUEST_TYPE and any(
        trusted.key.keyid in signed
        and trusted.usable(request.issued, PRUNE_NAMESPACE)
        and verify(trusted.key, signed[trusted.key.keyid], envelope.message)
        for trusted in keys
    )


def check_blobs(audit: Audit, manifests: Mapping[int, bytes | None], fetch: Fetch, below: int) -> None:
    """Every manifest and blob that an entry names is there and is what its name says. `below` comes from `floor`."""
    known: dict[str, HabaneroError | None] = {}
    for seq, judged in sorted(audit.entries.items()):
        statement = judged.statement
        ref = BlobRef(statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size)
        try:
            data = manifests.get(seq) or fetch(ref.sha256, ref.size)
            trust.judge_blob(data, ref)
            manifest = Manifest.decode(data, DEFAULT_LIMITS)
        except HabaneroError as error:
            _missing(audit, seq, ref.sha256, error, below)
            continue
        audit.manifests[seq] = manifest
        for sha256, size in manifest.blobs().items():
            if sha256 not in known:
                known[sha256] = _fault(fetch, BlobRef(sha256, size))
            if (fault := known[sha256]) is not None:
                _missing(audit, seq, sha256, fault, below)
                break
    audit.blobs = len(known)


def _fault(fetch: Fetch, ref: BlobRef) -> HabaneroError | None:
    try:
        trust.judge_blob(fetch(ref.sha256, ref.size), ref)
    except HabaneroError as error:
        if error.code in ("unreachable", "outcome-unknown"):
            raise
        return error
    return None


def _missing(audit: Audit, seq: int, sha256: str, error: HabaneroError, below: int) -> None:
    gone = error.code == "not-found"
    if gone and seq < below:
        audit.pruned += 1
    elif gone:
        audit.problem("blob-missing", f"#{seq}", f"blob {sha256[:12]}… is not in the bucket, and was not pruned")
    else:
        audit.problem(error.code, f"#{seq}", f"blob {sha256[:12]}…: {error.message}")


def signers(envelopes: Sequence[bytes], keys: Sequence[TrustedKey]) -> tuple[str, ...]:
    """Whose keys the entries name, as this machine calls them; who signed, if the journal has no problems."""
    names = {trusted.key.keyid: trusted.principal for trusted in keys}
    found = {signature.keyid for data in envelopes for signature in Envelope.decode(data).signatures}
    return tuple(sorted(names.get(keyid, keyid) for keyid in found))
