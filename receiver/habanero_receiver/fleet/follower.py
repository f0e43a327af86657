"""The follower: one thread per process that keeps it on the journal's newest release.

What it does: polls for the next entry, and for a verdict beside the last one; walks `apply.FOLLOW`. What it does not:
it judges nothing (`node` does, through `trust`) and knows no second way to apply a release.

The rule it upholds: a release that this process cannot take is tried once, not for ever; it stays on what it runs,
says so in its heartbeat, and tries again when there is a newer one. What the bucket fails to give is tried again,
less and less often.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import TYPE_CHECKING

from habanero_receiver import trust
from habanero_receiver.errors import ConfigError, ConflictError, HabaneroError, SwapError
from habanero_receiver.fleet import apply, heartbeat, route, withdrawal
from habanero_receiver.fleet.guard import Guard
from habanero_receiver.fleet.keeping import Keeping
from habanero_receiver.fleet.node import Release
from habanero_receiver.fleet.probation import Probation

if TYPE_CHECKING:
    from habanero_receiver.fleet.node import Node

_log = logging.getLogger("habanero")

SWAP_TIMEOUT_S = 30.0
RETRY_FIRST_S = 0.5
RETRY_LAST_S = 30.0
LOCK_WAIT_S = 1.0
STOP_WAIT_S = 2.0


def catch_up(node: Node, *, wait_s: float = LOCK_WAIT_S) -> None:
    """Read the journal's news and make the live modules be the newest release. Any thread but the loop's.

    ConflictError "busy" when a swap is under way for longer than `wait_s`; another HabaneroError when the release
    could not be taken: the process then runs what it ran before, and `node.failure` says why.
    """
    if not node.swap_lock.acquire(timeout=wait_s):
        raise _busy()
    try:
        node.tail()
        withdrawal.heed(node)
        if not node.up_to_date:
            _go_to_newest(node)
    finally:
        node.swap_lock.release()
        node.after_swap()


def judge_again(node: Node, *, wait_s: float = LOCK_WAIT_S) -> None:
    """Judge the newest release by the keys that are trusted now; changes no code. ConflictError as `catch_up`."""
    if not node.swap_lock.acquire(timeout=wait_s):
        raise _busy()
    try:
        node.reconsider()
    finally:
        node.swap_lock.release()


def _busy() -> ConflictError:
    return ConflictError("busy", "this process is busy with another release; nothing changed", help="try again")


def _go_to_newest(node: Node) -> None:
    newest = node.seen
    try:
        for release in route.stops(node):
            _go_to(node, release)
            node.seen = newest
        node.passed.clear()
    except HabaneroError as error:
        node.failure = heartbeat.Failure(node.seen.head.seq, error.code, heartbeat.clip(error.message))
        node.given_up = node.seen.head.digest if _final(error) else ""
        node.tell.set()
        raise


def go_back_to_base(node: Node) -> None:
    """Make the live modules be those that were deployed, and stay there until the journal has a newer release.

    For a process that could not take its first release: some of its modules may already be of it, others not.
    `node.failure` goes on saying which release failed.
    """
    with node.swap_lock:
        failure = node.failure
        _go_to(node, Release(trust.Head(0, node.base.digest, None)))
        node.failure = failure
    node.after_swap()


def _go_to(node: Node, release: Release) -> None:
    apply.walk(apply.FOLLOW, apply.Attempt(node, release, time.monotonic() + SWAP_TIMEOUT_S))
    _log.info("release %d is live in process %d", release.head.seq, node.identity.pid)


class Follower:
    """Owns the thread. `start` after a fork, never at import; `stop` waits for the thread to end."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="habanero-follower", daemon=True)
        self._looks = (Keeping(node), Guard(node), Probation(node))
        self._retry_at = 0.0
        self._retry_s = RETRY_FIRST_S
        self._judged_by = node.policy
        self._blind: heartbeat.Failure | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def stop(self, timeout_s: float = STOP_WAIT_S) -> None:
        """End the thread, after the swap that it may be in."""
        self._over.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._over.wait(self._node.pace.poll_s * random.uniform(0.9, 1.1)):  # noqa: S311  # spreads workers
            if time.monotonic() >= self._retry_at:
                self._follow()
            for each in self._looks:
                each.look()

    def _follow(self) -> None:
        node = self._node
        try:
            if not self._keys_can_be_read():
                return
            if node.policy is not self._judged_by:
                policy = node.policy
                judge_again(node)
                self._judged_by = policy
            due = not (node.up_to_date or node.given_up == node.seen.head.digest)
            if node.news() or withdrawal.look(node) or due:
                catch_up(node)
                if node.news():
                    self._later("the next journal entry is refused")
                    return
            self._retry_s = RETRY_FIRST_S
        except HabaneroError as error:
            _log.error("release %d was not applied (%s): %s", node.seen.head.seq, error.code, error.message)
            if not _final(error):
                self._later(error.code)
        except Exception:
            _log.exception("following the journal failed")
            self._later("an unexpected error")

    def _keys_can_be_read(self) -> bool:
        """Look at the lists of trusted keys; while they cannot be read, nothing new is taken, and the fleet is told."""
        node = self._node
        node.look_at_keys()
        failure: heartbeat.Failure | None = None
        try:
            node.check_keys()
        except HabaneroError as error:
            failure = heartbeat.Failure(node.seen.head.seq, error.code, heartbeat.clip(error.message))
        if failure != self._blind:
            if failure is not None or node.failure == self._blind:
                node.failure = failure
                node.tell.set()
            self._blind = failure
        return failure is None

    def _later(self, why: str) -> None:
        _log.warning("following the journal goes on in %.1f s: %s", self._retry_s, why)
        self._retry_at = time.monotonic() + self._retry_s
        self._retry_s = min(self._retry_s * 2, RETRY_LAST_S)


def _final(error: HabaneroError) -> bool:
    """Whether trying the same release again in this process would end the same way."""
    return isinstance(error, SwapError | ConfigError) and error.code != "no-safe-point"
