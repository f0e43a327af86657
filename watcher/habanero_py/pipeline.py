"""The path of a change on the laptop: diff, build, gate, sign, push, and what came of it.

A `Pusher` holds what is warm between saves (connection, head, base table, builder), so that the common push is one
request. All effects come in through `Tools`, everything that happens goes out as events. The rules it upholds: what
is signed is byte for byte what the gate saw; nothing is signed that has not passed; a lost race is one fresh diff and
one more try, never an overwrite.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from habanero_py import compose, outcome
from habanero_py import events as e
from habanero_py.codes import PENDING
from habanero_py.compose import Facts, Release, View, Wanted
from habanero_py.deliver import deliver
from habanero_py.errors import GateError, SyntaxFoundError
from habanero_py.foreign import Contains, Foreign, foreign
from habanero_py.gate import GateResult
from habanero_py.outcome import LIVE
from habanero_py.preconditions import check_head
from habanero_py.releases import Past, Releases
from habanero_py.remote import Head, PushAnswer, ServerState
from habanero_py.server import Server
from habanero_py.signing import Signer
from habanero_py.snapshot import Module, Snapshot, Sources
from habanero_receiver.errors import GATE_FAILED, REFUSED, ConflictError, HabaneroError
from habanero_receiver.release.statement import NEVER, Gate, PythonTag, Withdraw
from habanero_receiver.swap.building.units import EncodedBuild

MAX_GATE_RUNS = 5
MAX_COMMAND_CHARS = 500
MOVED = frozenset({"not-next", "base-mismatch", "python-mismatch", "wrong-target", "head-untrusted", "frozen"})
"""Codes that say that what is known of the server is old."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a push needs from the outside.

    `gate` is None when there is none; `approve` asks whether somebody else's work may be replaced; `contains` tells
    whether a version of a module is in the history of the tree; `build` raises SyntaxFoundError. `go_on` asks whether
    all that differs from a new deployment is to be pushed, not only what was saved. `pend` keeps a release that others
    have to sign as well, and gives the place. `withdraw` is the policy that pushes are signed with.
    """

    server: Server
    signer: Signer
    sources: Sources
    build: Callable[[Sequence[Module], PythonTag], Mapping[str, EncodedBuild]]
    emit: Callable[[e.Event], None]
    author: str
    git: Callable[[Snapshot], str | None]
    contains: Contains
    approve: Callable[[Sequence[Foreign]], bool]
    pend: Callable[[Release], Path]
    go_on: Callable[[e.Redeployed], bool] = lambda _: False
    gate: Callable[[], GateResult] | None = None
    gate_command: str = ""
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    withdraw: Withdraw = NEVER


@dataclass(frozen=True, slots=True)
class Difference:
    """What separates a snapshot from what the server runs; `names` is empty when nothing does."""

    snapshot: Snapshot
    view: View
    wanted: Wanted = field(repr=False)
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tested:
    """A snapshot with the bytecode that was built from it, and the proof that it passed."""

    snapshot: Snapshot
    code: Mapping[str, EncodedBuild] = field(repr=False)
    gate: Gate | None
    git: str | None


class Pusher:
    """Brings one server to what the sources are. For one thread at a time."""

    def __init__(self, tools: Tools, target: str) -> None:
        self._tools = tools
        self._target = target
        self._releases = Releases(tools.server)
        self._view: View | None = None
        self._known: Difference | None = None
        self._held: set[tuple[str, str]] = set()
        self._agreed: str | None = None
        """The base that the person at the keyboard knows that the tree is compared with."""

    @property
    def releases(self) -> Releases:
        """The journal as far as it was read."""
        return self._releases

    @property
    def running(self) -> int | None:
        """The release that is to run, as last heard of; None before the first answer."""
        return self._view.running if self._view else None

    @property
    def last(self) -> Snapshot | None:
        """The sources that were looked at last: under a gate, those that it saw in the end."""
        return self._known.snapshot if self._known else None

    def refresh(self) -> tuple[View, ServerState]:
        """Asks the server anew. One request when nothing moved."""
        state = self._tools.server.state()
        self._view = self._releases.view(self._target, state)
        self._agreed = self._agreed or self._view.base_digest
        return self._view, state

    def view(self) -> View:
        """What the server runs; asked for only when it is not known."""
        return self._view or self.refresh()[0]

    def push(
        self,
        snapshot: Snapshot | None = None,
        *,
        began: float | None = None,
        check: bool = False,
        saved: Collection[str] = (),
    ) -> int:
        """One change, all the way; the exit code of the command. `began` is time.monotonic() of the save.

        `saved` are the modules that were saved just now: over a base that is new to this command, nothing else is
        pushed unasked. Failures of the user's code (syntax, gate) are events; everything else is raised, with the old
        code running.
        """
        began = time.monotonic() if began is None else began
        snapshot = snapshot or self._tools.sources.scan()
        try:
            tested = self._tested(snapshot, saved)
        except SyntaxFoundError as error:
            shown = self._tools.sources.project.shown(error.problems[0].path)
            self._tools.emit(outcome.syntax_found(error, shown, self.view()))
            return REFUSED
        if isinstance(tested, int):
            return tested
        try:
            return self._send(tested, began, check=check)
        except HabaneroError as error:
            if error.code in MOVED:
                self._view = None  # the next push compares with what is there then
            if error.code not in ("not-next", "base-mismatch"):
                raise
            lost = error.code
        return self._once_more(tested, began, saved, check=check, lost=lost)

    def _once_more(self, tested: Tested, began: float, saved: Collection[str], *, check: bool, lost: str) -> int:
        """After a lost race, or a new deployment: the same tested sources against what the server runs now."""
        if lost == "not-next":
            self._tools.emit(e.Notice("another push came first: comparing again and trying once more"))
        difference = self._difference(tested.snapshot)
        if not difference.names:
            return self._unchanged(difference)
        self._agree(difference, saved)
        return self._send(replace(tested, code=self._build(difference)), began, check=check)

    def _difference(self, snapshot: Snapshot) -> Difference:
        """Computed once for a snapshot and a view."""
        view, known = self.view(), self._known
        if known is not None and known.snapshot is snapshot and known.view is view:
            return known
        watched = frozenset(self._tools.sources.project.top_level)
        missing = {
            module.path: name
            for name, module in view.base.items()
            if name.partition(".")[0] in watched and name not in snapshot.modules
        }
        alone = self._tools.sources.left_alone(missing.keys()) if missing else frozenset()
        wanted = compose.desired(snapshot.modules, watched, view, {missing[path] for path in alone})
        self._held.update((name, compose.released_digest(module)) for name, module in snapshot.modules.items())
        self._known = Difference(snapshot, view, wanted, compose.changed(wanted, view.overlay))
        return self._known

    def _agree(self, difference: Difference, saved: Collection[str]) -> None:
        """Asks before more than what was saved goes over a base that is new to this command."""
        view = difference.view
        if view.base_digest == self._agreed:
            return
        names = [(name, _word(name, difference)) for name in difference.names]
        moved = e.Redeployed(
            base=view.base_digest,
            saved=tuple(name for name, _ in names if name in saved),
            more=tuple(f"{name}: {word}" for name, word in names if name not in saved),
        )
        self._tools.emit(moved)
        if moved.more and not self._tools.go_on(moved):
            self._view = None  # somebody may push what is held here: the next save looks again
            raise ConflictError(
                "redeployed",
                f"other code was deployed, and your tree differs from it by {len(moved.more)} modules beside what you "
                "saved; nothing was pushed",
                subject=view.base_digest,
                help="habanero-py drift --diff shows what; bring your checkout to what is deployed, "
                "or push all of it: habanero-py push --once",
            )
        self._agreed = view.base_digest

    def _unchanged(self, difference: Difference) -> int:
        self._tools.emit(outcome.unchanged(difference.view))
        return LIVE

    def _build(self, difference: Difference) -> Mapping[str, EncodedBuild]:
        """Bytecode of what the server lacks. It finds syntax errors, by the compiler that counts: the server's."""
        view = difference.view
        return self._tools.build(compose.to_build(difference.wanted, view), view.python)

    def _tested(self, snapshot: Snapshot, saved: Collection[str]) -> Tested | int:
        """What was built and passed, or the exit code. A file that changes under the gate starts it again."""
        for _ in range(MAX_GATE_RUNS):
            difference = self._difference(snapshot)
            if not difference.names:
                return self._unchanged(difference)
            self._agree(difference, saved)
            code, git = self._build(difference), self._tools.git(snapshot)
            if self._tools.gate is None:
                return Tested(snapshot, code, None, git)
            self._tools.emit(e.GateStarted(self._tools.gate_command))
            run = self._tools.gate()
            after = self._tools.sources.scan()
            if changed := after.since(snapshot):
                self._tools.emit(e.GateAgain(changed))
                snapshot = after
                continue
            self._tools.emit(outcome.gate_finished(run, difference.view))
            if not run.ok:
                return GATE_FAILED
            command = self._tools.gate_command[:MAX_COMMAND_CHARS]
            return Tested(snapshot, code, Gate(command, run.exit, outcome.summary(run.summary)), git)
        raise GateError(
            "gate-unstable",
            f"watched files changed during each of {MAX_GATE_RUNS} runs of the gate; nothing was pushed",
            subject=self._tools.gate_command,
            help="does the gate itself write into the watched folders? let git ignore what it writes",
        )

    def _send(self, tested: Tested, began: float, *, check: bool) -> int:
        difference = self._difference(tested.snapshot)
        view = difference.view
        check_head(view, dry_run=check)
        self._ask_if_foreign(difference)
        tools, nonce = self._tools, secrets.token_hex(16)
        facts = Facts(tools.author, tools.clock(), nonce, tested.git, tested.gate, withdraw=tools.withdraw)
        release = compose.compose(difference.wanted, tested.code, view, facts, self._tools.signer)
        if view.threshold == 1:
            size = len(release.content)
            self._tools.emit(e.Pushing(release.statement.seq, view.head.seq, len(difference.names), size))
        sent = time.monotonic()
        if not check:
            return self.deliver(release, began, sent)
        answer = self._tools.server.push(release.content, check=True)
        seconds = round(time.monotonic() - sent, 4)
        self._tools.emit(e.DryRun(release.statement.seq, view.head.seq, answer.modules, seconds))
        return LIVE

    def deliver(self, release: Release, began: float, sent: float, same_code_as: int | None = None) -> int:
        """Sends a release that this person signed, or keeps it for those who have to sign it too."""
        view = self.view()
        if view.threshold == 1:
            return self.send(release, began, sent, same_code_as)
        place, statement = self._tools.pend(release), release.statement
        until = statement.accept_until.isoformat()
        self._tools.emit(e.Pending(statement.seq, release.digest, str(place), 1, view.threshold, until))
        return PENDING

    def send(self, release: Release, began: float, sent: float, same_code_as: int | None = None) -> int:
        """Sends a signed release, moves the view on to it and tells what came of it."""
        answer = deliver(self._tools.server, release)
        self._moved(release)
        return self._told(answer, release.statement.seq, began, sent, same_code_as)

    def _told(self, answer: PushAnswer, seq: int, began: float, sent: float, same: int | None) -> int:
        now = time.monotonic()
        for step in outcome.steps(answer, seq):
            self._tools.emit(step)
        if answer.withdrawn is not None:
            self.heard(answer.withdrawn)
        event, code = outcome.ended(answer, seq, now - sent, now - began, same)
        self._tools.emit(event)
        return code

    def _moved(self, release: Release) -> None:
        """Our release is the head now: no request is needed to know that."""
        statement = release.statement
        self._releases.remember(Past(statement.seq, release.digest, statement), release.manifest)
        if self._view is not None:
            issued = statement.issued.isoformat()
            head = Head(statement.seq, release.digest, issued, statement.author, frozen=statement.freezes)
            overlay, python = release.manifest.modules, statement.python
            self._view = replace(self._view, head=head, overlay=overlay, built_for=python, withdrawn=None)

    def heard(self, withdrawn: e.Withdrawal) -> None:
        """Takes note that the head was withdrawn, if it is the head that is known here."""
        if self._view is not None and self._view.head.seq == withdrawn.push:
            self._view = replace(self._view, withdrawn=withdrawn)

    def _ask_if_foreign(self, difference: Difference) -> None:
        view = difference.view
        found = foreign(difference.names, view, self._releases, self._tools.author, self._contains)
        if not found:
            return
        if self._tools.approve(found):
            entries = [(item.module, view.overlay.get(item.module)) for item in found]
            self._held.update((name, entry.source.sha256) for name, entry in entries if entry)
            return
        first = found[0]
        raise ConflictError(
            "would-overwrite",
            f"{first.author} pushed {first.module} in #{first.seq}, and your tree has never held that version; "
            "nothing was sent",
            subject=first.module,
            help="take it into your tree first (git pull), or replace it: habanero-py push --yes",
        )

    def _contains(self, module: str, sha256: str) -> bool:
        return (module, sha256) in self._held or self._tools.contains(module, sha256)


def _word(name: str, difference: Difference) -> str:
    """What a push would do to a module of the deployed code."""
    if name not in difference.wanted:
        return "as deployed"
    if difference.wanted[name] is None:
        return "deleted"
    return "changed" if name in difference.view.base else "added"
