"""kill -9 of a real server at any moment of a push: after the restart it runs the old release or the new one, whole."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import httpx
import pytest
from serving import MAIN, Server, Shop, serve

KILLER = """
import os
import signal

from habanero_receiver.fleet import apply


def killing(step):
    def do(attempt):
        if step.name == os.environ["KILL_BEFORE"]:
            os.kill(os.getpid(), signal.SIGKILL)
        step.do(attempt)

    return step._replace(do=do)


apply.PUSH = tuple(killing(step) for step in apply.PUSH)

import uvicorn

uvicorn.main()
"""
ROUNDS = 5


def release(rate: int) -> dict[str, str | None]:
    """Two modules that are right only together: the entry module's label tells the rate of the other."""
    return {"shop.rates": f"RATE = {rate}\n", "main": MAIN.replace('"one"', f'"r{rate}"')}


def running(server: Server) -> int:
    """The rate that runs, having seen that both modules agree on it and that the state tells the same release."""
    said = server.price()
    rate: int = said["price"] // 10
    assert said["label"] == ("one" if rate == 2 else f"r{rate}"), said
    return rate


@pytest.mark.parametrize(
    ("step", "survives"), [("keep", False), ("commit", False), ("record", False), ("publish", True)]
)
def test_a_kill_before_a_step_leaves_one_release_or_the_other(tmp_path: Path, step: str, survives: bool) -> None:
    """Up to the journal's entry a killed push never was; from then on it is what a restart runs."""
    shop = Shop(tmp_path / "srv")
    (shop.root / "killer.py").write_text(KILLER)
    with serve(shop, module="killer", KILL_BEFORE=step) as server:
        with pytest.raises(httpx.TransportError):
            server.push(server.next(release(7)))
        server.process.wait(10)
    with serve(shop) as server:
        assert running(server) == (7 if survives else 2)
        assert server.state()["running"]["seq"] == int(survives)
        assert server.push(server.next(release(8))).status_code == 200


def push_until_killed(server: Server, accepted: list[int]) -> None:
    """Push one release after the other; note each that was answered with success."""
    try:
        while True:
            push = server.next(release(10 + server.state()["head"]["seq"]))
            if server.push(push).status_code == 200:
                accepted.append(push.statement.seq)
    except (httpx.TransportError, AssertionError):
        return


def test_a_kill_at_a_random_moment_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Over several lives of the server every acknowledged release stays, and each life starts on a whole one."""
    shop, seed = Shop(tmp_path / "srv"), random.randrange(2**32)
    moments = random.Random(seed)
    last = 0
    for _ in range(ROUNDS):
        with serve(shop) as server:
            state = server.state()
            assert state["running"] == {key: state["head"][key] for key in ("seq", "digest", "issued")}, seed
            assert last <= state["running"]["seq"] <= last + 1, seed
            assert running(server) == (9 + state["running"]["seq"] if state["running"]["seq"] else 2), seed
            last, accepted = state["running"]["seq"], [state["running"]["seq"]]
            pushing = threading.Thread(target=push_until_killed, args=(server, accepted))
            pushing.start()
            time.sleep(moments.uniform(0.02, 0.25))  # the moment of the kill is what is tried here
            server.kill()
            pushing.join()
            last = accepted[-1]
