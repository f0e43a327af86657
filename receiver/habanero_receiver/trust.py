"""Is this release acceptable, here and now? Decided from bytes alone: no network, no file, no clock of its own.

Every input comes in as an argument: the policy from the server's configuration, the head from the journal, the time
once from the caller. Nothing here is unmarshalled, imported or run, and nothing is written.

A push is judged in this order, and the first rule that fails gives the answer. What a stranger sends gets one uniform
answer, `unauthorized`, whatever else is wrong behind it: rules 4 to 15 look at signed bytes only.

     1  envelope-size         the envelope has 1 to `max_envelope_bytes` bytes
     2  json, schema, …       it is strict JSON with the fields of DSSE and canonical base64
     3  unauthorized          it is of our payload type, has at most `max_signatures` signatures, and at least
                              `threshold` different trusted keys signed exactly its bytes: keys that are listed, not
                              revoked, for our namespace, and valid at the time
     4  payload-size, json, … the payload is a strict release statement, within limits
     5  wrong-target          it is for this deployment, letter for letter
     6  (already applied)     the head itself once more is no error and no change, as long as 10 to 12 hold
     7  base-mismatch         it is for the code that was deployed here
     8  not-next              its number follows the head's
     9  not-next              its predecessor is the head
    10  window                it may be accepted for at most `max_window_s` after it was issued
    11  not-yet-valid         it was issued now or before, give or take `max_clock_skew_s`
    12  expired               it may still be accepted
    13  time-went-backwards   it was not issued before the head
    14  python-mismatch       it was built for this Python

Its manifest, read after that, and again whenever a release is loaded:

    15  manifest-digest       it has the signed size and digest
    16  python-mismatch       the release is for this Python
    17  schema, module-name…  it is a strict manifest, within limits (`release.manifest`)
    18  module-not-allowed    it names modules of the allowed packages only

And a blob:

    19  blob-digest           it has the size and the digest of the manifest

An entry of the journal is judged by 1, 2, 4, 5 and 7 to 9; the head by 3 as well, at the time that it was issued: what
was in time once stays so, and a bucket that is older than a key's end still boots. A signed read is judged by 1 to 5
(one key is enough) and 10 to 12, and must name the method and path that it comes with: wrong-request.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from .errors import ConfigError, ConflictError, RequestError, TrustError
from .release.envelope import PAYLOAD_TYPE, Envelope
from .release.fields import DIGEST_PREFIX
from .release.keys import NAMESPACE, TrustedKey, verify
from .release.limits import DEFAULT_LIMITS, Limits
from .release.manifest import BlobRef, Manifest, check_allowed
from .release.request import REQUEST_TYPE, ReadRequest, decode_header
from .release.statement import PythonTag, Statement


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Whom this deployment trusts, for what. From the server's configuration, never from the bucket."""

    keys: tuple[TrustedKey, ...]
    target: str
    allowed_modules: frozenset[str]
    python: PythonTag
    revoked: frozenset[str] = frozenset()
    threshold: int = 1
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        if self.threshold < 1:
            raise ConfigError("threshold", f"a threshold of {self.threshold}: at least one signature is needed")


@dataclass(frozen=True, slots=True)
class Head:
    """The newest release of a journal: number, payload digest, time of issue; 0, the base and None before the first."""

    seq: int
    digest: str
    issued: datetime | None = None

    @classmethod
    def start(cls, base: str) -> Head:
        """The head of an empty journal over `base`."""
        return cls(0, base, None)


@dataclass(frozen=True, slots=True)
class Signed:
    """A push's envelope and the trusted keys that signed it, which are enough; what it says is still to be judged."""

    envelope: Envelope
    keyids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A push whose envelope holds, and the trusted keys that signed it; its manifest is still to be judged."""

    envelope: Envelope
    statement: Statement
    keyids: tuple[str, ...]
    already_applied: bool = False

    @property
    def head(self) -> Head:
        """The head that the journal has once this release is in it."""
        return head_of(self.envelope, self.statement)


def head_of(envelope: Envelope, statement: Statement) -> Head:
    """The head that a release is once it is the newest."""
    return Head(statement.seq, envelope.digest, statement.issued)


def judge_signatures(data: bytes, policy: TrustPolicy, now: datetime) -> Signed:
    """Rules 1 to 3: who pushes. RequestError or TrustError for the first that fails: a stranger."""
    envelope = Envelope.decode(data, policy.limits)
    return Signed(envelope, _enough(_signed_by(envelope, PAYLOAD_TYPE, policy), policy.threshold, now))


def judge_push(signed: Signed, policy: TrustPolicy, base: str, head: Head, now: datetime) -> Accepted:
    """Rules 4 to 14: what is pushed. RequestError, TrustError or ConflictError for the first that fails."""
    envelope, keyids = signed.envelope, signed.keyids
    statement = Statement.decode(envelope.payload, policy.limits)
    _check_target(statement.target, policy)
    if envelope.digest == head.digest:
        _check_window(statement.issued, statement.accept_until, policy, now)
        return Accepted(envelope, statement, keyids, already_applied=True)
    _check_chain(statement, base, head)
    _check_window(statement.issued, statement.accept_until, policy, now)
    _check_order(statement, head)
    _check_python(statement, policy)
    return Accepted(envelope, statement, keyids)


def judge_entry(
    data: bytes, policy: TrustPolicy, base: str, previous: Head | None, *, seq: int, require_trusted_key: bool
) -> Statement:
    """An entry read back from the journal, where it stands after `previous` under the number `seq`.

    None for `previous` is for one that is read alone, from this machine's own copy: rule 9 was applied when it came.

    Not here: expiry, which counts when appending only, and the Python, which counts when the release is loaded
    (`judge_manifest`): a journal stays readable, and can be appended to, after the server's Python was exchanged.
    """
    envelope = Envelope.decode(data, policy.limits)
    signed_by = _signed_by(envelope, PAYLOAD_TYPE, policy) if require_trusted_key else ()
    if require_trusted_key:
        _enough(signed_by, policy.threshold)
    statement = Statement.decode(envelope.payload, policy.limits)
    if require_trusted_key:
        _enough(signed_by, policy.threshold, statement.issued)
    _check_target(statement.target, policy)
    if statement.seq != seq:
        raise ConflictError("not-next", f"entry {seq} of the journal calls itself #{statement.seq}", subject=f"#{seq}")
    _check_chain(statement, base, previous or Head(seq - 1, statement.prev))
    return statement


def judge_manifest(data: bytes, statement: Statement, policy: TrustPolicy) -> Manifest:
    """Rules 15 to 18, on the way into a push and out of the bucket alike."""
    if len(data) != statement.manifest_size or digest_of(data) != statement.manifest_digest:
        raise RequestError("manifest-digest", f"the manifest is not the one that #{statement.seq} signs")
    _check_python(statement, policy)
    manifest = Manifest.decode(data, policy.limits)
    check_allowed(manifest.modules, policy.allowed_modules)
    return manifest


def judge_blob(data: bytes | memoryview, ref: BlobRef) -> None:
    """Rule 19."""
    if len(data) != ref.size or digest_of(data) != DIGEST_PREFIX + ref.sha256:
        raise RequestError("blob-digest", f"blob {ref.sha256} has other bytes", subject=ref.sha256)


def judge_request(
    header_value: str, method: str, path: str, policy: TrustPolicy, now: datetime, namespace: str = NAMESPACE
) -> str:
    """A signed request for `path` (as it came, with its query) by a key for that namespace; the keyid of that."""
    envelope = decode_header(header_value, policy.limits)
    if envelope is None:
        raise _unauthorized()
    keyids = _enough(_signed_by(envelope, REQUEST_TYPE, policy), 1, now, namespace)
    request = ReadRequest.decode(envelope.payload, policy.limits)
    _check_target(request.target, policy)
    _check_window(request.issued, request.accept_until, policy, now)
    if (request.method, request.path) != (method, path):
        raise TrustError(
            "wrong-request",
            f"the signature is for {request.method} {request.path}, not for {method} {path}",
            subject=path,
        )
    return keyids[0]


def _signed_by(envelope: Envelope, payload_type: str, policy: TrustPolicy) -> tuple[TrustedKey, ...]:
    """The listed, unrevoked keys that did sign the envelope; each counts once, under its own keyid alone."""
    if envelope.payload_type != payload_type or len(envelope.signatures) > policy.limits.max_signatures:
        raise _unauthorized()
    listed = {trusted.key.keyid: trusted for trusted in policy.keys}
    known = {keyid: trusted for keyid, trusted in listed.items() if keyid not in policy.revoked}
    good = {
        signature.keyid
        for signature in envelope.signatures
        if signature.keyid in known and verify(known[signature.keyid].key, signature.sig, envelope.message)
    }
    return tuple(known[keyid] for keyid in sorted(good))


def _enough(
    signed_by: tuple[TrustedKey, ...], threshold: int, moment: datetime | None = None, namespace: str = NAMESPACE
) -> tuple[str, ...]:
    """The keyids of those keys that were usable at `moment` (None: at any time); TrustError if too few."""
    keyids = tuple(trusted.key.keyid for trusted in signed_by if moment is None or trusted.usable(moment, namespace))
    if len(keyids) < threshold:
        raise _unauthorized()
    return keyids


def _unauthorized() -> TrustError:
    return TrustError(
        "unauthorized",
        "not signed by enough of the keys that this server trusts",
        help="habanero-py doctor shows your key; the server's operator lists it in HABANERO_TRUSTED_KEYS",
    )


def _check_target(target: str, policy: TrustPolicy) -> None:
    if target != policy.target:
        raise TrustError(
            "wrong-target",
            f"signed for {target!a}, but this is {policy.target!a}",
            subject=target,
            help="compare the target in pyproject.toml with the server's HABANERO_TARGET",
        )


def _check_chain(statement: Statement, base: str, head: Head) -> None:
    if statement.base != base:
        raise ConflictError(
            "base-mismatch",
            f"made for the base {statement.base[:19]}…, but {base[:19]}… is deployed here",
            subject=statement.base,
            help="the server was deployed anew: bring your checkout to what is deployed, then push again",
        )
    if statement.seq != head.seq + 1:
        raise ConflictError(
            "not-next", f"release #{statement.seq} cannot follow #{head.seq}", subject=f"#{statement.seq}", help=_AGAIN
        )
    if statement.prev != head.digest:
        raise ConflictError(
            "not-next",
            f"release #{statement.seq} follows another #{head.seq} than the one that runs here",
            subject=f"#{statement.seq}",
            help=_AGAIN,
        )


_AGAIN = "someone else pushed in between: push again, on top of theirs"


def _check_window(issued: datetime, accept_until: datetime, policy: TrustPolicy, now: datetime) -> None:
    limits = policy.limits
    if not timedelta(0) < accept_until - issued <= timedelta(seconds=limits.max_window_s):
        raise TrustError(
            "window",
            f"signed to be accepted for {(accept_until - issued).total_seconds():.0f} s; "
            f"at most {limits.max_window_s} s are allowed",
        )
    ahead = issued - now
    if ahead > timedelta(seconds=limits.max_clock_skew_s):
        raise TrustError(
            "not-yet-valid",
            f"signed {ahead.total_seconds():.0f} s in the future of the server's clock",
            help="set the clocks of both machines by NTP",
        )
    if now > accept_until:
        raise TrustError(
            "expired",
            f"was to be accepted until {(now - accept_until).total_seconds():.0f} s ago by the server's clock",
            help="sign again; if it happens at once, set the clocks of both machines by NTP",
        )


def _check_order(statement: Statement, head: Head) -> None:
    if head.issued is not None and statement.issued < head.issued:
        behind = (head.issued - statement.issued).total_seconds()
        raise TrustError(
            "time-went-backwards",
            f"issued {behind:.3f} s before #{head.seq}, which it is to follow",
            subject=f"#{statement.seq}",
            help="set the clock of your machine by NTP, or wait until it is past that",
        )


def _check_python(statement: Statement, policy: TrustPolicy) -> None:
    if statement.python != policy.python:
        raise ConflictError(
            "python-mismatch",
            f"#{statement.seq} is built for {statement.python}, but {policy.python} runs here",
            subject=str(policy.python),
            help="push again: the bytecode is built anew for the Python that the server has now",
        )


def digest_of(data: bytes | memoryview) -> str:
    """The sha256 of bytes as statements write it."""
    return DIGEST_PREFIX + hashlib.sha256(data).hexdigest()
