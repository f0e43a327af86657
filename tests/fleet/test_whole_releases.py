"""Requests that read two modules of one release, on a real uvicorn, in coroutines and in threads: never a mix."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import httpx
from serving import MAIN, Shop, serve

ENDPOINTS = '''
import asyncio
import time
from habanero_receiver.hold import Hold
from shop import left, right

# A request that outlives a commit's patience may see both, and a busy machine can make it so: not what is asked here.
Hold.__init__.__kwdefaults__.update(grace_s=30.0, lease_s=60.0)


@app.get("/coroutine")
async def coroutine():
    first = left.value()
    await asyncio.sleep(0.005)
    return [first, right.value(), left.Side().value(), right.SIDE]


@app.get("/thread")
def thread():
    first = left.value()
    time.sleep(0.005)
    return [first, right.value(), left.Side().value(), right.SIDE]


receiver.mount(app)
'''
CALLERS, RELEASES = 4, 12


def release(number: int) -> dict[str, str | None]:
    """Both modules of that number: a function, a method, a constant."""
    text = "SIDE = {n}\ndef value():\n    return {n}\nclass Side:\n    def value(self):\n        return {n}\n"
    body = text.format(n=number)
    return {"shop.left": body, "shop.right": body}


def test_no_request_sees_two_releases_and_none_fails(tmp_path: Path) -> None:
    """Four callers at once, while releases go in: each answer is 200, and of one release in all that it read."""
    shop = Shop(tmp_path / "srv")
    (shop.root / "main.py").write_text(MAIN.replace("receiver.mount(app)\n", ENDPOINTS))
    for name, text in release(0).items():
        (shop.root / f"{name.replace('.', '/')}.py").write_text(text or "")
    seen: Counter[tuple[int, ...]] = Counter()
    statuses: Counter[int] = Counter()
    over = threading.Event()
    with serve(shop) as server:

        def call(path: str) -> None:
            with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=30) as client:
                while not over.is_set():
                    answer = client.get(path)
                    statuses[answer.status_code] += 1
                    seen[tuple(answer.json())] += 1

        paths = ["/coroutine", "/thread"] * (CALLERS // 2)
        callers = [threading.Thread(target=call, args=(path,)) for path in paths]
        for caller in callers:
            caller.start()
        try:
            for number in range(1, RELEASES + 1):
                answer = server.push(server.next(release(number)))
                assert answer.status_code == 200, answer.text
        finally:
            over.set()
            for caller in callers:
                caller.join()
    assert set(statuses) == {200}
    assert [numbers for numbers in seen if len(set(numbers)) > 1] == []
    assert len(seen) > RELEASES // 2, "the callers were there while releases went in"
