"""A real uvicorn whose background loop is a `while True`: a push changes its body, twice, and nothing else stops."""

from __future__ import annotations

from pathlib import Path

from serving import MAIN, Shop, serve, wait_until

TICKER = '''
import asyncio
import threading

from habanero_receiver import Receiver

receiver = Receiver.from_env()
live = {"async": 0, "threads": 0, "most": 0}


class Ticks:
    def __init__(self):
        self.n = 0
        self.words = []


@receiver.task(state=Ticks())
async def ticker(ticks):
    """Counts for ever."""
    live["async"] += 1
    live["most"] = max(live["most"], live["async"])
    try:
        while True:
            ticks.n += 1
            ticks.words.append("old")
            await asyncio.sleep(0.01)
    finally:
        live["async"] -= 1


@receiver.task(state=Ticks())
def poll(ticks, stop):
    live["threads"] += 1
    live["most"] = max(live["most"], live["threads"])
    while not stop.wait(0.01):
        ticks.n += 1
        ticks.words.append("old")
    live["threads"] -= 1
'''
COUNTING = MAIN.replace("from shop import pricing", "from shop import pricing, ticker").replace(
    "def label():",
    '''@app.get("/ticks")
async def shown():
    ticks = {task: getattr(ticker, task).state for task in ("ticker", "poll")}
    return {"live": ticker.live, **{task: {"n": t.n, "words": sorted(set(t.words))} for task, t in ticks.items()}}


def label():''',
)


def test_a_push_changes_the_body_of_a_loop_that_never_returns(tmp_path: Path) -> None:
    """The same process, the same counts going on, new words from both loops, and never two runs of one."""
    shop = Shop(tmp_path / "srv")
    (shop.root / "shop" / "ticker.py").write_text(TICKER)
    (shop.root / "main.py").write_text(COUNTING)
    with serve(shop) as server:

        def ticks(word: str) -> bool:
            found = server.client.get("/ticks").json()
            return all(word in found[task]["words"] for task in ("ticker", "poll"))

        wait_until(lambda: ticks("old"))
        pid, before = server.price()["pid"], server.client.get("/ticks").json()
        for word in ("new", "newer"):
            answer = server.push(server.next({"shop.ticker": TICKER.replace('append("old")', f'append("{word}")')}))
            assert answer.status_code == 200, answer.text
            wait_until(lambda word=word: ticks(word))
        after = server.client.get("/ticks").json()
        assert server.price()["pid"] == pid
        assert after["live"] == {"async": 1, "threads": 1, "most": 1}
        assert all(after[task]["n"] > before[task]["n"] for task in ("ticker", "poll"))
        assert server.push(server.next({"shop.ticker": TICKER, "shop.rates": "RATE = 3\n"})).status_code == 200
        assert server.price()["price"] == 30
    log = (shop.root / "server.log").read_text()
    assert "Traceback" not in log and "has not ended" not in log


def test_loops_run_with_the_receiver_off_and_end_with_the_server(tmp_path: Path) -> None:
    """Without keys it is plain supervision; the server goes down without waiting for anyone."""
    shop = Shop(tmp_path / "srv")
    (shop.root / "shop" / "ticker.py").write_text(TICKER + "    print('poll has ended', flush=True)\n")
    (shop.root / "main.py").write_text(COUNTING)
    with serve(shop, with_receiver=False, HABANERO_TRUSTED_KEYS="") as server:
        wait_until(lambda: server.client.get("/ticks").json()["ticker"]["n"] > 1)
        server.process.terminate()
        assert server.process.wait(10) is not None
    log = (shop.root / "server.log").read_text()
    assert "poll has ended" in log and "Traceback" not in log
