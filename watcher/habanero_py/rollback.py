"""Releases without new code: a rollback, a freeze, its end, the newest one signed again. History is never rewritten.

Pure planning on what `Releases` read, then one signed release through the same delivery as every push. Nothing is
built and nothing but the statement and the manifest is sent: the server holds the blobs of all its releases. The rule
it upholds: a rollback names the release that the code came from, also when that was itself restored.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass

from habanero_py import compose
from habanero_py import events as e
from habanero_py.compose import Facts, Release, View
from habanero_py.outcome import LIVE, unchanged
from habanero_py.pipeline import Pusher, Tools
from habanero_py.releases import Past, Releases
from habanero_receiver.errors import ConflictError
from habanero_receiver.release.manifest import Manifest
from habanero_receiver.release.statement import NEVER, Kind


@dataclass(frozen=True, slots=True)
class RollbackTo:
    """`code_of` is the release whose code comes back, 0 for the base; `manifest` the overlay that it had."""

    code_of: int
    manifest: Manifest
    modules: tuple[str, ...]


def plan(view: View, releases: Releases, number: int | None) -> RollbackTo:
    """What would come back. `number` None is the one before the code that runs now."""
    if view.head.seq == 0:
        raise ConflictError(
            "no-such-release",
            "nothing was ever pushed over this base: there is nothing to take back",
            subject="rollback",
            help="to go back behind what is deployed, deploy an older version",
        )
    wanted = _before(releases.past(view.head)) if number is None else number
    past = releases.number(wanted) if wanted else None
    if past is not None and past.statement.python != view.python:
        raise ConflictError(
            "python-mismatch",
            f"#{wanted} was built for another Python than the server runs now; nothing was changed",
            subject=f"#{wanted}",
            help="check its sources out and push them",
        )
    manifest = releases.manifest(past) if past else Manifest({})
    names = {
        name
        for name in manifest.modules.keys() | view.overlay.keys()
        if (name in manifest.modules) != (name in view.overlay) or manifest.modules.get(name) != view.overlay.get(name)
    }
    return RollbackTo(past.code_of if past else 0, manifest, tuple(sorted(names)))


def _before(head: Past) -> int:
    """The number of the release before the one whose code runs."""
    if head.code_of == 0:
        raise ConflictError(
            "no-such-release",
            "the server runs the base already: there is nothing before it",
            subject="rollback",
            help="habanero-py rollback N goes to any release; habanero-py log shows them",
        )
    return head.code_of - 1


def roll_back(pusher: Pusher, tools: Tools, target: RollbackTo) -> int:
    """Signs and sends it; the exit code of the command."""
    view = pusher.view()
    if not target.modules:
        tools.emit(unchanged(view))
        return LIVE
    return _send(pusher, tools, view, target, "rollback")


def sign_again(pusher: Pusher, tools: Tools, kind: Kind, reason: str | None = None) -> int:
    """Signs the newest release once more as a "clear", or what runs as a "freeze"; the exit code of the command."""
    view = pusher.view()
    number = view.head.seq if kind == "clear" else view.running
    target = plan(view, pusher.releases, number) if number else RollbackTo(0, Manifest({}), ())
    return _send(pusher, tools, view, target, kind, reason)


def _send(
    pusher: Pusher, tools: Tools, view: View, target: RollbackTo, kind: Kind, reason: str | None = None
) -> int:
    began = time.monotonic()
    release = compose_again(target, view, tools, kind, reason)
    if view.threshold == 1:
        tools.emit(e.Pushing(release.statement.seq, view.head.seq, len(target.modules), len(release.content)))
    return pusher.deliver(release, began, time.monotonic(), same_code_as=target.code_of)


def compose_again(
    target: RollbackTo, view: View, tools: Tools, kind: Kind, reason: str | None = None
) -> Release:
    """The signed release: with the number that it restores and no blobs."""
    # What a person chose to go back to is not taken back in turn: that would lead to what they went away from.
    withdraw, nonce = tools.withdraw if kind == "clear" else NEVER, secrets.token_hex(16)
    facts = Facts(tools.author, tools.clock(), nonce, None, None, kind, target.code_of, reason, withdraw)
    return compose.sign(target.manifest, {}, view, facts, tools.signer)
