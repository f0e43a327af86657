"""Probation: what becomes of exceptions that come out of released code.

    taken      those that ended requests, supervised loops and threads (`sightings`)
    attributed to the release that brought the code they came out of (`attribution`); others are left alone
    reported   to the bucket, for the people who released it (`reports`)
    counted    when the code came with the newest release: `errors_per_minute` of them within one minute, in the first
               `window_s` seconds that it is live here, and it is withdrawn (`withdrawal.pronounce`)

What it does not: it catches nothing and changes no code. It counts for this process alone. How far errors go without a
policy is up to here: reported, never counted.

The rule it upholds: an error withdraws a release only if a function in its traceback has code that this very release
has and the one before it, to which the fleet would go back, has not.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError
from habanero_receiver.fleet import attribution, images, reports, withdrawal
from habanero_receiver.fleet.attribution import Version
from habanero_receiver.fleet.node import MAX_RAN, Release

if TYPE_CHECKING:
    from habanero_receiver.fleet.attribution import Suspect
    from habanero_receiver.fleet.node import Loaded, Node
    from habanero_receiver.fleet.sightings import Place, Sighting
    from habanero_receiver.release.statement import Withdraw
    from habanero_receiver.swap import ModuleImage

_log = logging.getLogger("habanero")

MINUTE_S = 60.0
TELL_AGAIN_S = 5.0
class Tally:
    """How many errors there were within one minute. Pure: times come in, on the monotonic clock."""

    def __init__(self, policy: Withdraw, since: float) -> None:
        self._policy, self._until = policy, since + policy.window_s
        self._times: deque[float] = deque(maxlen=policy.errors_per_minute)

    def reason(self, last: str) -> str:
        """Why a release is withdrawn, in a few words."""
        count = self._policy.errors_per_minute
        return f"{count} {'error' if count == 1 else 'errors'} out of its code within a minute, the last: {last}"

    def reached(self, at: float) -> bool:
        """Count one error; whether that is one too many. After the window nothing is counted."""
        if at > self._until:
            return False
        self._times.append(at)
        return len(self._times) == self._policy.errors_per_minute and at - self._times[0] < MINUTE_S


@dataclass(slots=True)
class _Live:
    """A release that is live here, and what it is compared with. `back` is what it would be withdrawn for."""

    loaded: Loaded
    version: Version
    tally: Tally | None
    back: Version | None = None

    @property
    def seq(self) -> int:
        return self.loaded.release.head.seq


class Probation:
    """Looked at every moment by the follower's thread."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._live: deque[_Live] = deque(maxlen=MAX_RAN)
        self._base = Version({}, self._deployed)
        self._reports = reports.Reports()
        self._unsaid = self._untold = False
        self._say_at = self._tell_at = 0.0

    def look(self) -> None:
        """Take what was seen since. Raises nothing: the app's errors must not end the follower."""
        try:
            self._notice()
            for sighting in self._node.sightings.take():
                self._take(sighting)
            self._say()
        except HabaneroError as error:
            _log.warning("errors could not be told: %s", error.message)
        except Exception:
            _log.exception("errors could not be looked at")

    def _deployed(self, name: str) -> ModuleImage | None:
        return self._node.swapper.base(name)

    def _notice(self) -> None:
        """See that other releases are live, or were since the last look."""
        ran = self._node.ran
        while ran:
            self._add(ran.popleft())
        if self._node.running is not None:  # what it started on went live before anyone looked
            self._add(self._node.running)

    def _add(self, running: Loaded) -> None:
        if self._live and self._live[0].loaded is running:
            return
        statement = running.release.statement
        tally = None
        if statement is not None and statement.withdraw.allowed:
            tally = Tally(statement.withdraw, time.monotonic())
        self._live.appendleft(_Live(running, Version(running.images, self._deployed), tally))

    def _take(self, sighting: Sighting) -> None:
        versions = [(live.seq, live.version) for live in self._live]
        found = attribution.suspects(sighting, versions, self._base)
        if not found:
            return
        newest = max(suspect.release for suspect in found)
        innermost = [suspect for suspect in found if suspect.release == newest][-1]
        kind, self._unsaid = sighting.parts[-1].kind, True
        if self._reports.note(sighting, newest, innermost.words, self._line, f"{self._node.base.root}/"):
            _log.warning("release %d: %s in %s: %s", newest, kind, innermost.words, sighting.where)
        live = self._live[0]
        if live.tally is not None and self._is_new(live, found) and live.tally.reached(sighting.at):
            withdrawal.pronounce(self._node, live.tally.reason(f"{kind} in {innermost.words}"))
            self._untold = True

    def _is_new(self, live: _Live, found: list[Suspect]) -> bool:
        """Whether code of the newest release is among it, that the release has not which would run instead."""
        node = self._node
        if live.loaded.release.head != node.tip or node.seen.head != node.tip:
            return False
        if live.back is None:
            back = withdrawal.before(node)
            loaded = images.load(node, Release(back.head, back.statement), None, {})
            live.back = Version(loaded.images, self._deployed)
        before = live.back
        return any(each.current and not before.has(each.module, each.place.code) for each in found)

    def _line(self, place: Place) -> str | None:
        """The source line of released code, from a release that has it; None for other code."""
        for live in self._live:
            name = live.version.module_of(place.code)
            image = None if name is None else live.version.image(name)
            if name is not None and image is not None and live.version.has(name, place.code):
                lines = image.source.decode("utf-8", "replace").splitlines()
                return lines[place.line - 1] if 0 < place.line <= len(lines) else ""
        return None

    def _say(self) -> None:
        """Tell the bucket what is new: what was seen, and what was found bad and could not be said before."""
        now, node = time.monotonic(), self._node
        if self._untold and now >= self._tell_at:
            self._tell_at = now + TELL_AGAIN_S
            self._untold = not withdrawal.tell(node)
        if self._unsaid and now >= self._say_at:
            self._say_at, self._unsaid = now + node.pace.report_s, False
            me = node.identity
            data = reports.encode(me.machine, me.pid, me.started, self._reports.all())
            node.journal.put_errors(node.beat_now().name, data)
