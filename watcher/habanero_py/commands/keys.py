"""`keys`: who may do what where, as the server says, and what this machine believes. It changes nothing."""

from __future__ import annotations

from habanero_py import events as e
from habanero_py.session import Session
from habanero_receiver.errors import HabaneroError


def keys(session: Session) -> int:
    """The server's trusted keys with roles, validity and revocations, beside this command's own key and list.

    A server that does not answer, or does not know the key, leaves the own key to be told.
    """
    to = session.config.to
    believed = session.trusted_keys() if to.trusted_keys_file is not None else None
    try:
        found = session.server.keys()
    except HabaneroError:
        public = session.signer.public
        line = f"its line: {session.author} {public.openssh()}"
        session.emit(e.Notice(f"your key is {public.keyid} ({to.key})", help=line))
        raise
    session.emit(
        e.Keys(
            target=found.target,
            key=to.key,
            mine=session.signer.public.keyid,
            threshold=found.threshold,
            keys=found.keys,
            revoked=found.revoked,
            roles=found.roles,
            local=None if believed is None else tuple((each.principal, each.key.keyid) for each in believed),
        )
    )
    return 0
