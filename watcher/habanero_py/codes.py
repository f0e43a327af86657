"""The exit code of an error, and the codes that only the command raises.

Pure. The rule it upholds: a script can decide by the exit code alone; what the server says with a code of a newer
version than this one still gets the exit code of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from habanero_receiver.errors import (
    CODES,
    GATE_FAILED,
    NOT_SENT,
    NOT_TRUSTED,
    OUT_OF_STEP,
    REFUSED,
    UNREACHABLE,
    USAGE,
    CodeInfo,
    HabaneroError,
)

INTERRUPTED = 130
DRIFTED = 9
"""No error: `drift` found that production runs what git does not have."""
PENDING = 10
"""No error: a release was signed and waits for the signatures of others."""

COMMAND_CODES: Mapping[str, CodeInfo] = MappingProxyType(
    {
        # the project and its settings
        "no-project": CodeInfo(NOT_SENT, USAGE, "No pyproject.toml"),
        "missing-setting": CodeInfo(NOT_SENT, USAGE, "Setting missing"),
        "unknown-setting": CodeInfo(NOT_SENT, USAGE, "Setting not known"),
        "unknown-target": CodeInfo(NOT_SENT, USAGE, "Target not known"),
        "no-target": CodeInfo(NOT_SENT, USAGE, "No target chosen"),
        "target-exists": CodeInfo(NOT_SENT, USAGE, "Target exists already"),
        "bad-name": CodeInfo(NOT_SENT, USAGE, "Name that cannot be used"),
        "bad-url": CodeInfo(NOT_SENT, USAGE, "Address that cannot be used"),
        "insecure-url": CodeInfo(NOT_SENT, USAGE, "Address without encryption"),
        "unknown-code": CodeInfo(NOT_SENT, USAGE, "Code that no error has"),
        "confirm": CodeInfo(NOT_SENT, USAGE, "Not confirmed"),
        # the key file
        "key-missing": CodeInfo(NOT_SENT, USAGE, "No key there"),
        "key-exists": CodeInfo(NOT_SENT, USAGE, "Key exists already"),
        "key-permissions": CodeInfo(NOT_SENT, USAGE, "Key that others can read"),
        "key-encrypted": CodeInfo(NOT_SENT, USAGE, "Passphrase needed"),
        "key-unreadable": CodeInfo(NOT_SENT, USAGE, "Key that cannot be read"),
        # two people
        "signatures-needed": CodeInfo(NOT_SENT, REFUSED, "Takes the signatures of several people"),
        "pending-file": CodeInfo(NOT_SENT, USAGE, "Not a pending release"),
        "pending-stale": CodeInfo(NOT_SENT, REFUSED, "Pending release that can no longer be pushed"),
        "already-signed": CodeInfo(NOT_SENT, REFUSED, "Signed by you already"),
        "build-differs": CodeInfo(NOT_SENT, NOT_TRUSTED, "Bytecode is not what the source builds to"),
        "head-untrusted": CodeInfo(NOT_SENT, NOT_TRUSTED, "Newest release is signed by no key of today"),
        "not-frozen": CodeInfo(NOT_SENT, REFUSED, "Not frozen"),
        # the ssh-agent
        "agent-missing": CodeInfo(NOT_SENT, USAGE, "No ssh-agent"),
        "agent-key": CodeInfo(NOT_SENT, USAGE, "Key that the ssh-agent does not hold"),
        "agent-refused": CodeInfo(NOT_SENT, NOT_TRUSTED, "ssh-agent would not sign"),
        "agent-answer": CodeInfo(NOT_SENT, USAGE, "ssh-agent that cannot be understood"),
        # a push
        "gate-unstable": CodeInfo(NOT_SENT, GATE_FAILED, "Files change under the gate"),
        "would-overwrite": CodeInfo(NOT_SENT, REFUSED, "Somebody else's change would be lost"),
        "redeployed": CodeInfo(NOT_SENT, REFUSED, "Other code was deployed meanwhile"),
        "no-such-release": CodeInfo(NOT_SENT, REFUSED, "No such release"),
        "pruned": CodeInfo(NOT_SENT, REFUSED, "Code of an old release is gone"),
        "history-rewritten": CodeInfo(NOT_SENT, NOT_TRUSTED, "Journal is not the one seen before"),
        "out-of-step": CodeInfo(NOT_SENT, OUT_OF_STEP, "Workers run different code"),
        "clock-skew": CodeInfo(NOT_SENT, NOT_TRUSTED, "Clocks differ too much"),
        # the connection
        "unreachable": CodeInfo(NOT_SENT, UNREACHABLE, "Server cannot be reached"),
        "outcome-unknown": CodeInfo(NOT_SENT, UNREACHABLE, "Outcome not known"),
        "push-lost": CodeInfo(NOT_SENT, UNREACHABLE, "Release lost on its way"),
        "unexpected-answer": CodeInfo(NOT_SENT, UNREACHABLE, "Answer that cannot be used"),
        "needs-endpoint": CodeInfo(NOT_SENT, USAGE, "Needs an endpoint"),
        "no-receiver": CodeInfo(NOT_SENT, UNREACHABLE, "No receiver there"),
    }
)


def exit_code(error: HabaneroError) -> int:
    """The command's exit code for an error of either side."""
    info = COMMAND_CODES.get(error.code) or CODES.get(error.code)
    if info is not None:
        return info.exit
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return NOT_TRUSTED if status in (401, 403) else UNREACHABLE if status in (502, 503, 504) else REFUSED
    return error.info.exit
