"""What GET /v1/keys shows of a policy: whom this server trusts, with what, and until when.

Pure: a policy and a moment in, JSON values out. It judges nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from habanero_receiver.policy import TrustPolicy
    from habanero_receiver.release.keys import TrustedKey


def listed(policy: TrustPolicy, moment: datetime) -> dict[str, Any]:
    """Every trusted key with what it may do here; all lines of the roles, those for other places too."""
    known = {trusted.key.keyid for trusted in policy.keys}
    roles = None if policy.roles is None else [
        {"principal": grant.principal, "roles": sorted(grant.roles), "places": sorted(grant.places)}
        for grant in policy.roles.grants
    ]  # fmt: skip
    return {
        "target": policy.target,
        "threshold": policy.threshold,
        "keys": [_row(trusted, policy, moment) for trusted in policy.keys],
        "revoked": sorted(policy.revoked - known),
        "roles": roles,
    }


def _row(trusted: TrustedKey, policy: TrustPolicy, moment: datetime) -> dict[str, Any]:
    return {
        "principals": list(trusted.principals),
        "keyid": trusted.key.keyid,
        "key": trusted.key.openssh(),
        "roles": sorted(policy.may(trusted)),
        "valid_after": when(trusted.valid_after),
        "valid_before": when(trusted.valid_before),
        "revoked": trusted.key.keyid in policy.revoked,
        "valid": trusted.valid(moment),
    }


def when(moment: datetime | None) -> str | None:
    """A time as answers show it, to the second."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
