"""`push` once, a dry run, `rollback`, `freeze`, `clear`, `prune`: what changes a server, after the questions it takes.

A question is asked only of a person at a terminal; a script says --yes or gets an error with help. The rule it
upholds: nothing leaves this machine before the last question was answered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from habanero_py import events as e
from habanero_py.codes import INTERRUPTED
from habanero_py.errors import UsageError
from habanero_py.rollback import plan, roll_back, sign_again
from habanero_py.session import Session
from habanero_receiver.errors import ConflictError


@dataclass(frozen=True, slots=True)
class Consent:
    """How questions are answered: `yes` from the command line, else `ask`, which is None without a terminal."""

    yes: bool
    ask: Callable[[str], bool] | None

    def given(self, question: str, subject: str) -> bool:
        """The answer. UsageError `confirm` when there is nobody to ask."""
        if self.yes:
            return True
        if self.ask is None:
            raise UsageError(
                "confirm",
                f"{question} There is no terminal to ask at; nothing was changed",
                subject=subject,
                help="add --yes",
            )
        return self.ask(question)


def push_once(session: Session, consent: Consent, *, check: bool) -> int:
    """Sends what differs, once."""
    if not check and not confirmed(session, consent):
        return INTERRUPTED
    return session.pusher.push(check=check)


def confirmed(session: Session, consent: Consent) -> bool:
    """Asks before the first push of a session where the target's settings say so."""
    to = session.config.to
    return not to.confirm or consent.given(f"Push to {to.name}?", to.name)


def rollback(session: Session, consent: Consent, number: int | None) -> int:
    """Brings an older release's code back by a new release."""
    view, _ = session.pusher.refresh()
    target = plan(view, session.pusher.releases, number)
    if target.modules:
        past = session.pusher.releases.past(view.head)
        session.emit(
            e.RollbackPlan(
                running=view.head.seq,
                restores=target.code_of,
                modules=target.modules,
                author=past.statement.author,
                issued=past.statement.issued.isoformat(),
            )
        )
        if not consent.given(f"Roll {session.config.to.name} back?", "rollback"):
            return INTERRUPTED
    return roll_back(session.pusher, session.tools, target)


def clear(session: Session, consent: Consent) -> int:
    """Has the newest release tried again on machines where it did not start, by signing it once more."""
    view, _ = session.pusher.refresh()
    if view.head.seq == 0:
        raise ConflictError(
            "no-such-release",
            "nothing was ever pushed over this base: there is nothing to try again",
            subject="clear",
            help="habanero-py status shows what runs",
        )
    if not consent.given(f"Have every machine of {session.config.to.name} try #{view.head.seq} again?", "clear"):
        return INTERRUPTED
    return sign_again(session.pusher, session.tools, "clear")


def freeze(session: Session, consent: Consent, reason: str | None) -> int:
    """Has nothing pushed any more, until somebody with the role `clear` ends it. What runs goes on running."""
    session.pusher.refresh()
    name = session.config.to.name
    if not consent.given(f"Freeze {name}: nothing is pushed until it is unfrozen?", "freeze"):
        return INTERRUPTED
    return sign_again(session.pusher, session.tools, "freeze", reason)


def unfreeze(session: Session, consent: Consent) -> int:
    """Ends a freeze."""
    view, _ = session.pusher.refresh()
    if not view.head.frozen:
        raise ConflictError(
            "not-frozen",
            f"{session.config.to.name} is not frozen: #{view.head.seq} can be pushed on top of",
            subject=f"#{view.head.seq}",
            help="habanero-py status shows it",
        )
    if not consent.given(f"Unfreeze {session.config.to.name}?", "unfreeze"):
        return INTERRUPTED
    return sign_again(session.pusher, session.tools, "clear")


def prune(session: Session, consent: Consent, *, days: int, keep: int, dry_run: bool) -> int:
    """Has what nobody needs any more removed from the bucket, after it was shown."""
    session.pusher.refresh()  # sees that the server is the one that is meant
    found = session.server.prunable(days, keep)
    session.emit(e.Pruned(False, days, keep, found.releases, found.bases, found.blobs))
    if dry_run or not (found.blobs or found.bases):
        return 0
    if not consent.given(f"Remove it from the bucket of {session.config.to.name}? It cannot be undone.", "prune"):
        return INTERRUPTED
    done = session.server.prune(found, days, keep)
    session.emit(e.Pruned(True, days, keep, done.releases, done.bases, done.blobs))
    return 0
