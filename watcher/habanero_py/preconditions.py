"""What has to hold of a server's newest release before anything is signed that is to follow it.

Pure. The server judges for itself; this is about what its author would sign without knowing. The rule it upholds:
nobody signs code along (what a push carries on from the head) that no key of today vouches for.
"""

from __future__ import annotations

from habanero_py.compose import View
from habanero_receiver.errors import ConflictError


def check_head(view: View, *, dry_run: bool) -> None:
    """ConflictError "head-untrusted"; "signatures-needed" for a dry run where several have to sign."""
    head = view.head
    if not head.trusted:
        raise ConflictError(
            "head-untrusted",
            f"#{head.seq} is signed by no key that the server trusts today: nothing is built on it, or sent",
            subject=f"#{head.seq}",
            help=f"habanero-py show {head.seq} tells what it is; then sign it again, habanero-py sign --head, "
            "or go back, habanero-py rollback",
        )
    if dry_run and view.threshold > 1:
        raise ConflictError(
            "signatures-needed",
            f"a dry run loads code into the server's processes, which takes {view.threshold} signatures there",
            subject="--dry-run",
            help="habanero-py push --once writes a release that others can look at and sign",
        )
