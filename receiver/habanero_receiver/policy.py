"""Whom a deployment trusts with what, and which of them signed: the part of `trust` that is about people.

What it does: verifies the signatures of an envelope by the keys that are listed, and counts who of their holders may do
the thing at hand. What it does not: it reads no statement, no file and no clock. The rules it upholds:

* A key counts under its own keyid, once, if it is listed and not revoked; and at the time in question, for its
  namespaces and for its holder's role at this very place. Without a list of roles everybody who is listed may all.
* Signatures are counted by person: keys that share a name (a principal) are one person's, however many sign.
* What is not signed by enough gets one answer, `unauthorized`, which tells nothing. Only who may sign releases here
  learns that a role is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import ConfigError, TrustError
from .release.keys import NAMESPACE, PRUNE_NAMESPACE, TrustedKey, verify
from .release.limits import DEFAULT_LIMITS, Limits
from .release.roles import RELEASE_ROLES, ROLES, Roles

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from .release.envelope import Envelope
    from .release.statement import PythonTag


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Whom this deployment trusts, for what. From the server's configuration, never from the bucket.

    `revoked` are keyids; `threshold` is how many people have to sign a release; `roles` None lets each key do all.
    """

    keys: tuple[TrustedKey, ...]
    target: str
    allowed_modules: frozenset[str]
    python: PythonTag
    revoked: frozenset[str] = frozenset()
    threshold: int = 1
    limits: Limits = DEFAULT_LIMITS
    roles: Roles | None = None

    def __post_init__(self) -> None:
        if self.threshold < 1:
            raise ConfigError("threshold", f"a threshold of {self.threshold}: at least one signature is needed")

    @property
    def place(self) -> str:
        """The "app/environment" that roles are given for."""
        return self.target.partition("#")[0]

    def may(self, trusted: TrustedKey) -> frozenset[str]:
        """The roles that this key has here, at any time that it is valid: none if it is revoked."""
        if trusted.key.keyid in self.revoked:
            return frozenset()
        given = ROLES if self.roles is None else self.roles.of(trusted.principals, self.place)
        if trusted.namespaces and NAMESPACE not in trusted.namespaces:
            given &= {"prune"}
        if trusted.namespaces and PRUNE_NAMESPACE not in trusted.namespaces:
            given -= {"prune"}
        return given

    def check(self) -> None:
        """ConfigError "threshold" when fewer people may push here than have to sign."""
        able = people(trusted for trusted in self.keys if "push" in self.may(trusted))
        if self.threshold > able:
            who = f"{able} person" if able == 1 else f"{able} people"
            raise ConfigError(
                "threshold",
                f"{self.threshold} have to sign a release, and the trusted keys are of {who} who may push to "
                f"{self.place}: nothing could ever be accepted",
                subject="HABANERO_THRESHOLD",
                help="trust more keys with push here (keys that share a name count once), or lower HABANERO_THRESHOLD",
            )


def signed_by(envelope: Envelope, payload_type: str, policy: TrustPolicy) -> tuple[TrustedKey, ...]:
    """The listed, unrevoked keys that did sign the envelope, each once; TrustError for what is not even ours."""
    if envelope.payload_type != payload_type or len(envelope.signatures) > policy.limits.max_signatures:
        raise unauthorized()
    known = {trusted.key.keyid: trusted for trusted in policy.keys if trusted.key.keyid not in policy.revoked}
    good = {
        signature.keyid
        for signature in envelope.signatures
        if signature.keyid in known and verify(known[signature.keyid].key, signature.sig, envelope.message)
    }
    return tuple(known[keyid] for keyid in sorted(good))


def able(
    keys: Iterable[TrustedKey], policy: TrustPolicy, roles: Collection[str], moment: datetime | None
) -> tuple[TrustedKey, ...]:
    """Those of the keys that have one of these roles here, and were valid at `moment` (None: at any time)."""
    return tuple(
        trusted
        for trusted in keys
        if not policy.may(trusted).isdisjoint(roles) and (moment is None or trusted.valid(moment))
    )


def enough(
    keys: Iterable[TrustedKey],
    policy: TrustPolicy,
    moment: datetime | None,
    roles: Collection[str] = RELEASE_ROLES,
    threshold: int | None = None,
) -> tuple[TrustedKey, ...]:
    """Those of the keys that count here; TrustError "unauthorized" when their holders are fewer than `threshold`."""
    found = able(keys, policy, roles, moment)
    if people(found) < (policy.threshold if threshold is None else threshold):
        raise unauthorized()
    return found


def enough_for(
    keys: tuple[TrustedKey, ...], kind: str, policy: TrustPolicy, moment: datetime
) -> tuple[TrustedKey, ...]:
    """Those who may sign a release of this kind; TrustError "role-missing" when that is too few of who signed."""
    found = able(keys, policy, {kind}, moment)
    if people(found) < policy.threshold:
        lacking = [trusted for trusted in keys if trusted not in found]
        names = ", ".join(trusted.principal for trusted in lacking) or "nobody else"
        raise TrustError(
            "role-missing",
            f"{kind} at {policy.place} takes {policy.threshold} who may; of those who signed, {names} may not",
            subject=kind,
            help="habanero-py keys shows who may do what; the server's operator gives roles in HABANERO_ROLES",
        )
    return found


def people(keys: Iterable[TrustedKey]) -> int:
    """How many people hold these keys: those that share a name, directly or through another, are one person's."""
    groups: list[set[str]] = []
    for trusted in keys:
        names = set(trusted.principals)
        shared = [group for group in groups if group & names]
        groups = [group for group in groups if group not in shared] + [names.union(*shared)]
    return len(groups)


def unauthorized() -> TrustError:
    """The one answer to strangers."""
    return TrustError(
        "unauthorized",
        "not signed by enough of the keys that this server trusts",
        help="habanero-py doctor shows your key; the server's operator lists it in HABANERO_TRUSTED_KEYS",
    )
