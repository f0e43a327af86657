"""Scenarios of processes that are killed, or whose calls fail, at every point: of a push, a follower, a start, a prune.

Each counts: the fault comes at point 1, then at point 2, until a run comes through without having met it. After each,
the bucket is read by another process, what runs is asked, the process starts anew, and the push is made again.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterator
from functools import partial

from authoring import Push
from serving import Server, Shop, wait_until

from faults import assignments, forked, points, pruning, pushing, truth
from faults.forked import release
from faults.points import KILL, Trap
from faults.scenario import Ground, Outcome, Scenario

KINDS = {"kill": KILL, "EIO": errno.EIO, "ENOSPC": errno.ENOSPC, "EROFS": errno.EROFS}
ROUNDS_OF_A_SHOP = 20
"""Then it begins anew, so that reading all of its journal after each fault stays quick."""
MOST = 400
"""More points than any of these runs has: one that passes so many does not end."""


def pushes(kind: str, fresh: bool, ground: Ground, install: forked.Install = points.install) -> Outcome:
    """A server that takes a push meets the fault; `fresh`: it is the first push, which makes the bucket."""
    outcome, rate, rounds = Outcome(), 10, 0
    trap = Trap(ground.folder / "trap")
    for at in ground.points(MOST):
        if fresh or rounds % ROUNDS_OF_A_SHOP == 0:
            shop = Shop(ground.folder / f"srv{at}")
            if not fresh:
                _push_once(shop, rate, outcome)
        rate, rounds = rate + 1, rounds + 1
        with forked.serve(shop, ground.folder / "trap", install=install) as server:
            before, push = pushing.running(server, outcome, "before"), server.next(release(rate))
            trap.arm(at, KINDS[kind])
            code = pushing.attempt(server, push, outcome)
            _settle(server, shop, push, trap, code)
            fired = trap.disarm()
            if fired and kind != "kill":
                _same_process(server, shop, push, code, (before, rate), outcome, f"{kind} at {at}, {fired}")
        if not fired:
            outcome.expect(code == 200, f"a push without a fault: {code}")
            break
        outcome.faults[f"{kind} at {fired}"] += 1
        _after(shop, push, code, (before, rate), outcome, f"{kind} at {at}, {fired}")
    else:
        outcome.expect(ground.scale < 1, "there was no end of points")
    return outcome


def _push_once(shop: Shop, rate: int, outcome: Outcome) -> None:
    with forked.serve(shop) as server:
        pushing.attempt(server, server.next(release(rate)), outcome)


def _settle(server: Server, shop: Shop, push: Push, trap: Trap, code: int) -> None:
    """Wait until all that follows the answer is done, or the fault has come."""
    journal = truth.journal_of(shop, truth.open_bucket(shop.environ()["HABANERO_BUCKET"]))
    pack = f"*/{push.statement.seq:08d}-*"

    def over() -> bool:
        if trap.fired:
            return True
        confirmed = shop.bucket / journal.prefix / "confirmed" / f"{push.statement.seq:08d}.json"
        return code == 200 and confirmed.exists() and any((shop.root / "state").rglob(pack))

    wait_until(lambda: over() or server.process.poll() is not None, timeout_s=10)
    if trap.fired and trap.kind == KILL:
        server.process.wait(10)


def _same_process(
    server: Server, shop: Shop, push: Push, code: int, rates: tuple[int, int], outcome: Outcome, when: str
) -> None:
    """A call failed and the process lives: it runs what the journal says, and takes the push again."""
    outcome.expect(server.process.poll() is None, f"{when}: the process ended")
    outcome.expect(pushing.running(server, outcome, when) in rates, f"{when}: neither old nor new")
    if code != 200:
        head = truth.check(shop, outcome, when)
        wait_until(lambda: server.state()["running"]["seq"] == head, what=lambda: f"{when}: not the head")
    pushing.again(server, push, rates[1], outcome, when)


def _after(shop: Shop, push: Push, code: int, rates: tuple[int, int], outcome: Outcome, when: str) -> None:
    """The process starts anew: it runs old or new, whole, new if that was acknowledged; and takes the push again."""
    head = truth.check(shop, outcome, when)
    outcome.expect(head in (push.statement.seq - 1, push.statement.seq), f"{when}: the head is {head}")
    outcome.expect(code != 200 or head == push.statement.seq, f"{when}: an acknowledged release is gone")
    with forked.serve(shop) as server:
        outcome.count("restarts")
        ran = pushing.running(server, outcome, when)
        outcome.expect(ran == rates[head == push.statement.seq], f"{when}: {ran} runs, the head is {head}")
        outcome.expect(server.state()["running"]["seq"] == head, f"{when}: it does not run the head")
        pushing.again(server, push, rates[1], outcome, when)
    truth.check(shop, outcome, f"{when}, pushed again")


def followers(kind: str, ground: Ground, install: forked.Install = points.install) -> Outcome:
    """A second server follows the bucket that the first takes pushes into, and meets the fault."""
    outcome, rate = Outcome(), 10
    one = Shop(ground.folder / "one")
    two = Shop(ground.folder / "two", author=one.author)
    trap = Trap(ground.folder / "trap")
    settings = {"HABANERO_BUCKET": f"file://{one.bucket}", "HABANERO_INSTANCE": "two"}
    with forked.serve(one) as receiving:
        pushing.attempt(receiving, receiving.next(release(rate)), outcome)
        for at in ground.points(MOST):
            rate += 1
            when = f"{kind} at {at}"
            with forked.serve(two, ground.folder / "trap", install=install, **settings) as following:
                push = receiving.next(release(rate))
                trap.arm(at, KINDS[kind])
                accepted = pushing.attempt(receiving, push, outcome) == 200
                outcome.expect(accepted, f"{when}: the other server's push failed")
                wait_until(
                    lambda following=following, push=push: trap.fired or _has_copy(two, push), timeout_s=20
                )  # fmt: skip
                fired = trap.fired
                if fired and kind != "kill":
                    _catches_up(following, rate, outcome, f"{when}, {fired}")
                trap.disarm()
            if not fired:
                break
            outcome.faults[f"{kind} at {fired}"] += 1
            truth.check(one, outcome, when)
            if kind == "kill":
                outcome.count("restarts")
                code, told = forked.start(two, **settings)
                outcome.expect(code == 0 and forked.whole(**told) == rate, f"{when}, {fired}: start {code} {told}")
        else:
            outcome.expect(ground.scale < 1, "there was no end of points")
        outcome.expect(pushing.running(receiving, outcome, "at the end") == rate, "the receiving server went elsewhere")
    return outcome


def _has_copy(shop: Shop, push: Push) -> bool:
    return any((shop.root / "state").rglob(f"*/{push.statement.seq:08d}-{push.digest.removeprefix('sha256:')}"))


def _catches_up(server: Server, rate: int, outcome: Outcome, when: str) -> None:
    try:
        wait_until(lambda: pushing.running(server, outcome, when) == rate, timeout_s=20)
    except AssertionError as error:
        outcome.violations.append(f"{when}: the follower does not catch up: {error}")


def starts(kind: str, copied: bool, ground: Ground) -> Outcome:
    """A process that starts meets the fault; `copied`: the release lies on its own disk already."""
    outcome, trap = Outcome(), Trap(ground.folder / "trap")
    shop = Shop(ground.folder / "srv")
    with forked.serve(shop) as server:
        for rate in (11, 12):
            pushing.attempt(server, server.next(release(rate)), outcome)
    for at in ground.points(MOST):
        shutil.rmtree(shop.root / "state", ignore_errors=True)
        if copied:
            forked.start(shop)
        trap.arm(at, KINDS[kind])
        code, told = forked.start(shop, ground.folder / "trap")
        fired, when = trap.disarm(), f"{kind} at {at}"
        outcome.count("starts" if told or kind == "kill" else "starts refused")
        if told:
            outcome.expect(forked.whole(**told) in (2, 12), f"{when}, {fired}: started on {told}")
        if not fired:
            outcome.expect(code == 0 and forked.whole(**told) == 12, f"a start without a fault: {code}, {told}")
            break
        outcome.faults[f"{kind} at {fired}"] += 1
        outcome.expect(kind != "kill" or not told, f"{when}, {fired}: it was not killed")
        code, told = forked.start(shop)
        outcome.expect(
            code == 0 and bool(told) and forked.whole(**told) == 12, f"{when}, {fired}: the next start: {code}, {told}"
        )
        truth.check(shop, outcome, when)
    else:
        outcome.expect(ground.scale < 1, "there was no end of points")
    return outcome


def prunes(kind: str, ground: Ground) -> Outcome:
    """A prune meets the fault between any two of its calls; what is left is valid, and a second prune ends it."""
    outcome, trap = Outcome(), Trap(ground.folder / "trap")
    (shop, pruned), full = pruning.deploy(ground.folder), ground.folder / "full"
    shop.bucket_folder.rename(full)
    environ = {**shop.environ(), "HABANERO_STATE": str(ground.folder / "state")}
    prune = partial(forked.run, pruning.carry_out, shop.root, environ)
    given = (shop.bucket_folder, pruned.base)
    for at in ground.points(MOST):
        shutil.rmtree(shop.bucket_folder, ignore_errors=True)
        shutil.copytree(full, shop.bucket_folder)
        trap.arm(at, KINDS[kind])
        code = prune(ground.folder / "trap", *given)
        fired, when = trap.disarm(), f"{kind} at {at}"
        outcome.count("prunes")
        if not fired:
            outcome.expect(code == 0, f"a prune without a fault: {code}")
            break
        outcome.faults[f"{kind} at {fired}"] += 1
        pruning.check(pruned, outcome, f"{when}, {fired}")
        outcome.expect(prune(ground.folder / "trap", *given) == 0, f"{when}, {fired}: the second prune")
        pruning.check(pruned, outcome, f"{when}, {fired}, pruned again")
        pruning.check_done(pruned, outcome, f"{when}, {fired}, pruned again")
    else:
        outcome.expect(ground.scale < 1, "there was no end of points")
    return outcome


def _each(name: str, quick: float, promise: str, run: Callable[..., Outcome]) -> Iterator[Scenario]:
    for kind in KINDS:
        yield Scenario(f"{name}/{kind}", promise.format(kind), partial(run, kind), quick)


SCENARIOS = (
    *_each("push", 0.06, "{} at each point of a push: old or new, whole, now and after a restart; the retry succeeds",
           lambda kind, ground: pushes(kind, False, ground)),
    *_each("first-push", 0.06, "{} at each point of the push that makes the bucket: likewise",
           lambda kind, ground: pushes(kind, True, ground)),
    *_each("follow", 0.12, "{} at each point of a follower: it catches up, or starts on the new; the other goes on",
           followers),
    *_each("start", 0.2, "{} at each point of a first start: old or new, whole, or none; the next is on the new",
           lambda kind, ground: starts(kind, False, ground)),
    *_each("start-copied", 0.3, "{} at each point of a start from the machine's own copy: likewise",
           lambda kind, ground: starts(kind, True, ground)),
    *_each("prune", 0.2, "{} between any two calls of a prune: the journals are chains, what runs has all of its code",
           prunes),
    Scenario("commit/push", "kill between any two assignments of a push's commit: the start is on the old, whole",
             lambda ground: pushes("kill", False, ground, assignments.install), 0.04),
    Scenario("commit/follow", "kill between any two assignments of a follower's commit: the start is on the new, whole",
             lambda ground: followers("kill", ground, assignments.install), 0.04),
)  # fmt: skip
