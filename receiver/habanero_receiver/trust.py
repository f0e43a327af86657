"""Is this release acceptable, here and now? Decided from bytes alone: no network, no file, no clock of its own.

Every input comes in as an argument: the policy from the server's configuration, the head from the journal, the time
once from the caller. Nothing here is unmarshalled, imported or run, and nothing is written.

A push is judged in this order, and the first rule that fails gives the answer. What a stranger sends gets one uniform
answer, `unauthorized`, whatever else is wrong behind it: rules 4 to 15 look at signed bytes only.

     1  envelope-size         the envelope has 1 to `max_envelope_bytes` bytes
     2  json, schema, …       it is strict JSON with the fields of DSSE and canonical base64
     3  unauthorized          it is of our payload type, has at most `max_signatures` signatures, and at least
                              `threshold` different people signed exactly its bytes: by keys that are listed, not
                              revoked, for our namespace, valid at the time, and with a role here (`policy`)
     4  payload-size, json, … the payload is a strict release statement, within limits
     5  wrong-target          it is for this deployment, letter for letter
     6  role-missing          so many of them may sign releases of its kind here
     7  (already applied)     the head itself once more is no error and no change, as long as 12 to 14 hold
     8  base-mismatch         it is for the code that was deployed here
     9  not-next              its number follows the head's
    10  not-next              its predecessor is the head
    11  frozen                it is no push on top of a freeze; a rollback on top of one says that it stays
    12  window                it may be accepted for at most `max_window_s` after it was issued
    13  not-yet-valid         it was issued now or before, give or take `max_clock_skew_s`
    14  expired               it may still be accepted
    15  time-went-backwards   it was not issued before the head
    16  python-mismatch       it was built for this Python
    17  restores-mismatch     if it is no push, its code is that of the release that it names, which the chain under the
                              head holds: a role for it is none for other code

Its manifest, read after that, and again whenever a release is loaded:

    18  manifest-digest       it has the signed size and digest
    19  python-mismatch       the release is for this Python
    20  schema, module-name…  it is a strict manifest, within limits (`release.manifest`)
    21  module-not-allowed    it names modules of the allowed packages only
    22  restores-mismatch     it is empty if it brings the base back

And a blob:

    23  blob-digest           it has the size and the digest of the manifest

An entry of the journal is judged by 1, 2, 4, 5 and 8 to 11; the head by 3, 6 and 17 as well, at the time that it was
issued: what was in time once stays so, and a bucket that is older than a key's end still boots. Of a head whose signers
may push, 17 is not asked again. A signed read is judged by 1 to 5 (one key is enough) and 12 to 14, and must name the
method and path that it comes with: wrong-request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from habanero_receiver.values import NamedTuple

from .errors import ConflictError, RequestError, TrustError
from .policy import TrustPolicy, able, enough, enough_for, people, signed_by, unauthorized
from .release.envelope import PAYLOAD_TYPE, Envelope
from .release.fields import DIGEST_PREFIX
from .release.keys import TrustedKey
from .release.manifest import BlobRef, Manifest, check_allowed
from .release.statement import Statement

__all__ = [
    "Accepted",
    "Head",
    "Signed",
    "TrustPolicy",
    "digest_of",
    "head_of",
    "judge_blob",
    "judge_entry",
    "judge_manifest",
    "judge_push",
    "judge_request",
    "judge_restored",
    "judge_signatures",
]

Earlier = Callable[[int], bytes | None]
"""The envelope of an entry under the head by its number, as the bucket has it: anyone's bytes until judged."""


class Head(NamedTuple):
    """The newest release of a journal: number, payload digest, time of issue; 0, the base and None before the first.

    `frozen` is whether nothing may be pushed on top of it.
    """

    seq: int
    digest: str
    issued: datetime | None = None
    frozen: bool = False

    @classmethod
    def start(cls, base: str) -> Head:
        """The head of an empty journal over `base`."""
        return cls(0, base, None)


class Signed(NamedTuple):
    """A push's envelope and the trusted keys that signed it, which are enough; what it says is still to be judged."""

    envelope: Envelope
    keys: tuple[TrustedKey, ...]

    @property
    def keyids(self) -> tuple[str, ...]:
        """The ids of those keys."""
        return _ids(self.keys)


class Accepted(NamedTuple):
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
    return Head(statement.seq, envelope.digest, statement.issued, statement.freezes)


def judge_signatures(data: bytes, policy: TrustPolicy, now: datetime) -> Signed:
    """Rules 1 to 3: who pushes. RequestError or TrustError for the first that fails: a stranger."""
    envelope = Envelope.decode(data, policy.limits)
    return Signed(envelope, enough(signed_by(envelope, PAYLOAD_TYPE, policy), policy, now))


def judge_push(signed: Signed, policy: TrustPolicy, base: str, head: Head, now: datetime) -> Accepted:
    """Rules 4 to 16: what is pushed. RequestError, TrustError or ConflictError for the first that fails."""
    envelope = signed.envelope
    statement = Statement.decode(envelope.payload, policy.limits)
    _check_target(statement.target, policy)
    keyids = _ids(enough_for(signed.keys, statement.kind, policy, now))
    if envelope.digest == head.digest:
        _check_window(statement.issued, statement.accept_until, policy, now)
        return Accepted(envelope, statement, keyids, already_applied=True)
    _check_chain(statement, base, head)
    _check_frozen(statement, head)
    _check_window(statement.issued, statement.accept_until, policy, now)
    _check_order(statement, head)
    _check_python(statement, policy)
    return Accepted(envelope, statement, keyids)


def judge_restored(statement: Statement, earlier: Earlier, policy: TrustPolicy) -> None:
    """Rule 17, by walking the chain of hashes down from the predecessor. ConflictError "restores-mismatch"."""
    wanted, digest = statement.restores, statement.prev
    if not wanted:
        return
    below: Statement | None = None
    for seq in range(statement.seq - 1, wanted - 1, -1):
        try:
            envelope = Envelope.decode(earlier(seq) or b"", policy.limits)
            below = Statement.decode(envelope.payload, policy.limits)
        except RequestError as error:
            raise _not_restored(statement, f"and entry {seq} of the journal cannot be read") from error
        if envelope.digest != digest:
            raise _not_restored(statement, f"and entry {seq} of the journal is not the one that lay under it")
        digest = below.prev
    if below is None:
        raise _not_restored(statement, "that does not come before it")
    if (below.manifest_digest, below.python) != (statement.manifest_digest, statement.python):
        raise _not_restored(statement, "that has other code")


def judge_entry(
    data: bytes,
    policy: TrustPolicy,
    base: str,
    previous: Head | None,
    *,
    seq: int,
    require_trusted_key: bool,
    earlier: Earlier | None = None,
) -> Statement:
    """An entry read back from the journal, where it stands after `previous` under the number `seq`.

    What follows a freeze is always judged as the head is: an entry by nobody would else end it for who follows live.

    None for `previous` and `earlier` is for one that is read alone, from this machine's own copy: rules 10, 11 and 17
    were applied when it came.

    Not here: expiry, which counts when appending only, and the Python, which counts when the release is loaded
    (`judge_manifest`): a journal stays readable, and can be appended to, after the server's Python was exchanged.
    """
    envelope = Envelope.decode(data, policy.limits)
    require_trusted_key = require_trusted_key or (previous is not None and previous.frozen)
    signers = signed_by(envelope, PAYLOAD_TYPE, policy) if require_trusted_key else ()
    if require_trusted_key:
        enough(signers, policy, None)
    statement = Statement.decode(envelope.payload, policy.limits)
    if require_trusted_key:
        signers = enough(signers, policy, statement.issued)
    _check_target(statement.target, policy)
    if statement.seq != seq:
        raise ConflictError("not-next", f"entry {seq} of the journal calls itself #{statement.seq}", subject=f"#{seq}")
    if require_trusted_key:
        enough_for(signers, statement.kind, policy, statement.issued)
    _check_chain(statement, base, previous or Head(seq - 1, statement.prev))
    if previous is not None:
        _check_frozen(statement, previous)
    pushers = able(signers, policy, {"push"}, statement.issued)
    if require_trusted_key and earlier is not None and people(pushers) < policy.threshold:
        judge_restored(statement, earlier, policy)
    return statement


def judge_manifest(data: bytes, statement: Statement, policy: TrustPolicy) -> Manifest:
    """Rules 18 to 22, on the way into a push and out of the bucket alike."""
    if len(data) != statement.manifest_size or digest_of(data) != statement.manifest_digest:
        raise RequestError("manifest-digest", f"the manifest is not the one that #{statement.seq} signs")
    _check_python(statement, policy)
    manifest = Manifest.decode(data, policy.limits)
    check_allowed(manifest.modules, policy.allowed_modules)
    if statement.restores == 0 and manifest.modules:
        raise _not_restored(statement, "but it has modules")
    return manifest


def judge_blob(data: bytes | memoryview, ref: BlobRef) -> None:
    """Rule 23."""
    if len(data) != ref.size or hashlib.sha256(data).hexdigest() != ref.sha256:
        raise RequestError("blob-digest", f"blob {ref.sha256} has other bytes", subject=ref.sha256)


def judge_request(
    header_value: str, method: str, path: str, policy: TrustPolicy, now: datetime, role: str = "read"
) -> str:
    """A signed request for `path` (as it came, with its query) by a key with that role; the keyid of that."""
    from .release.request import REQUEST_TYPE, ReadRequest, decode_header  # no start needs it

    envelope = decode_header(header_value, policy.limits)
    if envelope is None:
        raise unauthorized()
    keys = enough(signed_by(envelope, REQUEST_TYPE, policy), policy, now, {role}, threshold=1)
    request = ReadRequest.decode(envelope.payload, policy.limits)
    _check_target(request.target, policy)
    _check_window(request.issued, request.accept_until, policy, now)
    if (request.method, request.path) != (method, path):
        raise TrustError(
            "wrong-request",
            f"the signature is for {request.method} {request.path}, not for {method} {path}",
            subject=path,
        )
    return keys[0].key.keyid


def _ids(keys: tuple[TrustedKey, ...]) -> tuple[str, ...]:
    return tuple(trusted.key.keyid for trusted in keys)


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


def _check_frozen(statement: Statement, head: Head) -> None:
    if head.frozen and statement.kind == "push":
        raise ConflictError(
            "frozen",
            f"#{head.seq} froze {statement.target.partition('#')[0]}: nothing is pushed until the freeze is ended",
            subject=f"#{head.seq}",
            help="habanero-py show tells who froze it and why; who may ends it with habanero-py unfreeze",
        )
    if statement.kind == "rollback" and statement.frozen != head.frozen:
        raise ConflictError(
            "frozen",
            f"the rollback #{statement.seq} was signed for a {'frozen' if statement.frozen else 'running'} journal, "
            f"and #{head.seq} {'froze it' if head.frozen else 'does not freeze it'}",
            subject=f"#{head.seq}",
            help="roll back again: it is signed for what is there now",
        )


def _not_restored(statement: Statement, why: str) -> ConflictError:
    return ConflictError(
        "restores-mismatch",
        f"the {statement.kind} #{statement.seq} says that its code is that of #{statement.restores}, {why}",
        subject=f"#{statement.seq}",
        help="habanero-py verify tells whether the journal is whole; then roll back again",
    )


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
