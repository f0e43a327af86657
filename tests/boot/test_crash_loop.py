"""Releases that do not start: real processes that die while they import them, and what comes up in the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from deployment import Deployment, Key
from serving import Shop, serve, wait_until

from habanero_receiver.journal.verdict import Verdict
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.statement import NEVER

SOURCES = {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 1\n", "shop/other.py": ""}
SERVER = """
    import shop.pricing
    from habanero_receiver import Receiver
    print(shop.pricing.PRICE, flush=True)
    Receiver.from_env().ready()
"""
BREAKING = {
    "raises": "raise RuntimeError('the release is broken')",
    "exits": "import os; os._exit(7)",
    "segfaults": "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
    "leaves": "import sys; sys.exit(3)",
    "hangs": "print('hanging', flush=True)\nimport time\ntime.sleep(600)",
}


@pytest.fixture
def app(tmp_path):
    """Release 1 is good and has run here."""
    deployment = Deployment(tmp_path, SOURCES)
    deployment.push({"shop.pricing": "PRICE = 2\n"})
    assert serve_once(deployment) == "2"
    return deployment


def start(app: Deployment, code: str = SERVER, *, launcher: bool = True, **more: str) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", textwrap.dedent(code)]
    if launcher:
        words = [sys.executable, "-m", "habanero_receiver", "run", "--", *words]
    return subprocess.Popen(
        words, cwd=app.root, env=app.environ(HABANERO_INSTANCE="box", **more),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def serve_once(app: Deployment, code: str = SERVER, **more: str) -> str:
    """What one start of the app prints; one that hangs is ended as a supervisor does, without asking."""
    with start(app, code, **more) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        if line == "hanging":
            process.kill()
        process.communicate(timeout=60)
    return line


def verdicts(app: Deployment, seq: int) -> list[Path]:
    return sorted((app.folder / "verdicts" / f"{seq:08d}").glob("*.json"))


def accuse(app: Deployment, seq: int, *, digest: str = "") -> None:
    """Put a verdict beside a release, as whoever can write to the bucket can, without any key."""
    entry = Envelope.decode(app.journal.entry(seq) or b"")
    app.journal.put_verdict(seq, "mallory", Verdict(digest or entry.digest, "because", "mallory", 1.0).encode())


def record(app: Deployment) -> dict[str, Any]:
    """What the machine's ledger says of the newest release."""
    [ledger] = app.root.glob(".habanero/state/**/starts.json")
    found: dict[str, Any] = json.loads(ledger.read_text())[app.head.digest]
    return found


@pytest.mark.parametrize("how", BREAKING)
def test_a_release_that_does_not_start_is_passed_over_after_three_times(app, how):
    """Its predecessor comes up; the bucket has the verdict; another machine does not even try."""
    app.push({"shop.pricing": BREAKING[how] + "\n"})
    assert [serve_once(app) in ("", "hanging") for _ in range(3)] == [True] * 3
    assert verdicts(app, 2) == []
    with start(app) as process:
        out, err = process.communicate(timeout=60)
    assert out == "2\n" and "error[condemned]: release 2 was withdrawn (3 starts" in err and "release 1 runs" in err
    [verdict] = verdicts(app, 2)
    assert verdict.name == "box.json"
    said = json.loads(verdict.read_text())
    assert (said["kind"], said["digest"], said["machine"]) == ("bad", app.head.digest, "box")
    assert serve_once(app, HABANERO_STATE=str(app.root / "elsewhere"), HABANERO_BOOT="require") == "2"


def test_a_later_release_and_a_clear_are_tried_again(app):
    """Both are signed entries after it; a clear brings back the very code that did not start."""
    app.push({"shop.pricing": "import os\nif os.environ.get('BROKEN'): os._exit(1)\nPRICE = 3\n"})
    for _ in range(3):
        serve_once(app, BROKEN="1")
    assert serve_once(app) == "2"
    app.push({}, kind="clear", restores=2)
    assert serve_once(app) == "3"
    app.push({"shop.pricing": "PRICE = 4\n"})
    assert serve_once(app) == "4"


def test_the_machine_needs_no_bucket_to_get_out_of_the_loop(app):
    """What it counted lies on its own disk, as the predecessor does; the verdict is told when the bucket is back."""
    app.push({"shop.pricing": BREAKING["exits"]})
    serve_once(app)
    away = app.bucket_folder.with_name("away")
    app.bucket_folder.rename(away)
    assert [serve_once(app) for _ in range(3)] == ["", "", "2"]
    assert serve_once(app) == "2"
    away.rename(app.bucket_folder)
    assert verdicts(app, 2) == []
    assert serve_once(app) == "2"
    assert len(verdicts(app, 2)) == 1


def test_a_forged_verdict_goes_one_step_back_and_no_further(app):
    """Anyone who can write to the bucket can write one beside every entry; only the head's counts."""
    app.push({"shop.pricing": "PRICE = 3\n"})
    assert serve_once(app) == "3"
    for seq in (1, 2):
        accuse(app, seq)
    assert serve_once(app) == "2"
    assert serve_once(app) == "2"


def test_a_verdict_on_another_release_or_one_that_allows_none_counts_for_nothing(app):
    """A number that another journal had before it says nothing, nor does a verdict that the release does not allow."""
    app.push({"shop.pricing": "PRICE = 3\n"})
    accuse(app, 2, digest="sha256:" + "0" * 64)
    assert serve_once(app) == "3"
    app.push({"shop.pricing": "PRICE = 4\n"}, withdraw=NEVER)
    accuse(app, 3)
    assert serve_once(app) == "4"


def test_what_is_gone_back_to_is_signed_by_keys_of_today(tmp_path):
    """A forged verdict does not bring back what a revoked key had signed: the deployed code runs."""
    app, thief = Deployment(tmp_path, SOURCES), Key()
    app.push({"shop.pricing": "PRICE = 666\n"}, key=thief)
    app.push({"shop.pricing": "PRICE = 3\n"})
    accuse(app, 2)
    assert serve_once(app) == "1"


def test_two_broken_releases_in_a_row(app):
    """The second is pushed while the first is passed over: what came before both runs."""
    app.push({"shop.pricing": BREAKING["exits"]})
    assert [serve_once(app) for _ in range(4)] == ["", "", "", "2"]
    app.push({"shop.pricing": BREAKING["raises"]})
    assert [serve_once(app) for _ in range(4)] == ["", "", "", "2"]


def test_a_machine_without_memory_of_the_first_gets_past_both(app):
    """A fresh machine finds both accused: it tries the one below the head itself, and passes it over as well."""
    app.push({"shop.pricing": BREAKING["exits"]})
    accuse(app, 2)
    app.push({"shop.pricing": BREAKING["raises"]})
    accuse(app, 3)
    fresh = {"HABANERO_STATE": str(app.root / "fresh")}
    assert [serve_once(app, **fresh) for _ in range(4)] == ["", "", "", "2"]


def test_what_is_gone_back_to_is_other_code(app):
    """A clear of a release that breaks has the same code as that: it is no way back from it."""
    app.push({"shop.pricing": BREAKING["exits"]})
    app.push({}, kind="clear", restores=2)
    accuse(app, 3)
    assert serve_once(app) == "2"


def test_an_outage_takes_a_machine_one_step_back_at_most(app):
    """When the predecessor does not start either, it was not the release: nothing more is held against any."""
    needs = "import os\nif os.environ.get('OUTAGE'): os._exit(1)\n"
    app.push({"shop.pricing": f"{needs}PRICE = 3\n"})
    assert serve_once(app) == "3"
    app.push({"shop.pricing": f"{needs}PRICE = 4\n"})
    assert [serve_once(app, OUTAGE="1") for _ in range(12)] == [""] * 12
    assert serve_once(app) == "3"


def test_what_ends_in_order_is_no_failed_start(app):
    """Scripts that import the app and end, that never import it, or that fail before they do."""
    app.push({"shop.pricing": "PRICE = 3\n"})
    for code in ("import shop.pricing; print(shop.pricing.PRICE)", "print(1)", "import sys; print(1); sys.exit(1)",
                 "try:\n import shop.nothing\nexcept ImportError:\n print(1)"):  # fmt: skip
        for _ in range(4):
            assert serve_once(app, code) != ""
    forked = """
        import multiprocessing
        def work():
            import shop.pricing
            print(shop.pricing.PRICE, flush=True)
        for _ in range(4):
            child = multiprocessing.get_context("fork").Process(target=work)
            child.start()
            child.join()
    """
    assert serve_once(app, forked) == "3"
    assert serve_once(app) == "3"


def test_nothing_is_counted_when_told_so(app):
    """HABANERO_START_LIMIT=0: the release is tried for ever."""
    app.push({"shop.pricing": BREAKING["exits"]})
    assert [serve_once(app, HABANERO_START_LIMIT="0") for _ in range(5)] == [""] * 5


def test_being_alive_for_a_while_is_being_ready(app):
    """A program that never says so is ready after some seconds, but not while an import hangs."""
    app.push({"shop.pricing": "PRICE = 3\n"})
    waits = "import shop.pricing, time; print(shop.pricing.PRICE, flush=True); time.sleep(600)"
    for _ in range(4):
        with start(app, waits, HABANERO_READY_AFTER="0.1") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "3\n"
            wait_until(lambda: record(app)["proven"])
            process.kill()
    app.push({"shop.pricing": "import time\ntime.sleep(0.5)\nprint('still', flush=True)\ntime.sleep(600)\n"})
    for _ in range(3):
        with start(app, HABANERO_READY_AFTER="0.1") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "still\n"  # five times as long as being ready would have taken
            process.kill()
    assert serve_once(app) == "3"


RESPAWNING = """
    import os, signal, sys
    from pathlib import Path

    def fork(*_):
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            import shop.pricing
            print(shop.pricing.PRICE, flush=True)
            from habanero_receiver import Receiver
            Receiver.from_env().ready()
            signal.pause()
            os._exit(0)

    def respawn(*_):
        while True:
            try:
                pid, _status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            fork()

    signal.signal(signal.SIGCHLD, respawn)
    fork()
    fork()
    while True:
        signal.pause()
"""


def test_a_parent_that_replaces_its_workers_gets_out_of_the_loop(app):
    """It booted once and never imports the app itself; its workers are forked, die, and are forked again."""
    app.push({"shop.pricing": BREAKING["exits"]})
    process = subprocess.Popen(
        [sys.executable, "-m", "habanero_receiver", "run", "--", sys.executable, "-c", textwrap.dedent(RESPAWNING)],
        cwd=app.root, env=app.environ(HABANERO_INSTANCE="box", HABANERO_READY_AFTER="0.3"),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["2\n", "2\n"]
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


PRELOADING = """
    import os, signal
    import shop.pricing
    from habanero_receiver import Receiver

    if os.fork() == 0:
        Receiver.from_env().ready()
        print(shop.pricing.PRICE, flush=True)
        os._exit(0)
    signal.pause()
"""


def test_a_worker_proves_what_its_parent_imported(app):
    """A preloading server imports the app and forks: a worker that is ready proves it, whatever ends the parent."""
    app.push({"shop.pricing": "PRICE = 3\n"})
    for _ in range(4):
        with start(app, PRELOADING) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "3\n"
            process.kill()
    assert record(app)["proven"] and verdicts(app, 2) == []


FAILING_START_UP = """
RATE = 6
from starlette.routing import Router

async def broken(self, scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no"})

Router.lifespan = broken
"""


def test_a_server_whose_start_up_fails_comes_up_on_the_release_before(tmp_path):
    """The imports go well, the app's own start-up raises: three starts, and the fourth serves the predecessor."""
    shop = Shop(tmp_path / "srv")
    with serve(shop) as server:
        assert server.push(server.next({"shop.rates": "RATE = 5\n"})).status_code == 200
        later = server.next({"shop.rates": FAILING_START_UP})
        assert server.push(later).status_code == 200
        server.kill()
    for _ in range(3):
        with pytest.raises(AssertionError, match="the server has ended"), serve(shop):
            pass
    with serve(shop) as server:
        assert server.price()["price"] == 50
        [worker] = server.state()["machines"][0]["workers"]
        assert worker["running"] == 1 and worker["failed"]["code"] == "condemned" and worker["failed"]["seq"] == 2
        assert server.push(server.next({"shop.rates": "RATE = 7\n"})).status_code == 200
        assert server.price()["price"] == 70
        wait_until(lambda: server.state()["machines"][0]["workers"][0]["failed"] is None)


def test_workers_that_die_under_a_living_server_come_up_on_the_release_before(tmp_path):
    """Uvicorn starts its workers again and again: nobody restarts anything, and it serves."""
    shop = Shop(tmp_path / "srv")
    with serve(shop) as server:
        assert server.push(server.next({"shop.rates": "RATE = 5\n"})).status_code == 200
        broken = "import os\nif 'HABANERO_RUN' in os.environ and 'DIE' in os.environ: os._exit(1)\nRATE = 6\n"
        assert server.push(server.next({"shop.rates": broken})).status_code == 200
        server.kill()
    with serve(shop, workers=2, DIE="1", HABANERO_READY_AFTER="0.5") as server:
        assert server.price()["price"] == 50
