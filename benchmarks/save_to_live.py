"""Save to live: from the moment an editor has saved to the first answer of the new code, under load.

Side by side in one run: habanero-py (signed, journalled with fsync), a floor (a watcher that posts the file to the app,
which executes it: no check, no signature, nothing kept) and ``uvicorn --reload``. 200 requests a second and 20
WebSockets with counters go on all the while; what failed, was dropped or lost is counted.

    python -m benchmarks.save_to_live [--saves 60] [--engines habanero,floor,reload]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .load import Http, Tally, counting_socket, requests, wait_for_value
from .sample import free_port, make_app

RATE, SOCKETS = 200.0, 20


class Engine:
    """One way of getting a saved file into a running server."""

    name = "engine"
    saves_share = 1.0

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        make_app(root)

    def spawn(self, *words: str, **extra: str) -> subprocess.Popen[bytes]:
        own = {k: v for k, v in os.environ.items() if not k.startswith("HABANERO_")}
        env = {**own, "PYTHONPATH": "", "XDG_CONFIG_HOME": str(self.root / ".config"), **extra}
        log = (self.root / f"{self.name}-{len(self.processes)}.log").open("wb")
        process = subprocess.Popen([sys.executable, *words], cwd=self.root, env=env, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def uvicorn(self) -> tuple[str, ...]:
        return ("-m", "uvicorn", "tuned.main:app", "--port", str(self.port), "--log-level", "warning")

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    async def until_up(self, http: Http) -> None:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                await http.get("/value")
                return
            except (OSError, EOFError, ValueError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.02)
        raise RuntimeError(f"{self.name}: the server did not start; see {self.root}")


class Habanero(Engine):
    """The product, as a user runs it, without a gate."""

    name = "habanero"

    def start(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "habanero_py", "init", "bench", "--url", f"http://127.0.0.1:{self.port}/_habanero",
             "--json"],
            cwd=self.root, capture_output=True, text=True, check=True,
            env={**os.environ, "XDG_CONFIG_HOME": str(self.root / ".config")},
        )  # fmt: skip
        lines = next(e for e in map(json.loads, done.stdout.splitlines()) if e["event"] == "init")["server"]
        lines["HABANERO_BUCKET"] = (self.root / ".bucket").as_uri()
        self.spawn("-m", "habanero_py", "run", "--", sys.executable, *self.uvicorn(), **lines)

    def watch(self) -> None:
        self.spawn("-m", "habanero_py", "watch", "--yes", "--json")
        log = self.root / f"{self.name}-{len(self.processes) - 1}.log"
        end = time.monotonic() + 30
        while time.monotonic() < end and b'"ready"' not in log.read_bytes():
            time.sleep(0.02)


class Floor(Engine):
    """The least that a push can do."""

    name = "floor"

    def start(self) -> None:
        self.spawn(*self.uvicorn(), BENCH_FLOOR="1")

    def watch(self) -> None:
        here = str(Path(__file__).resolve().parents[1])
        self.spawn("-m", "benchmarks.floor", str(self.root / "tuned"), str(self.port), PYTHONPATH=here)


class Reload(Engine):
    """uvicorn's own reloader."""

    name = "reload"
    saves_share = 0.1

    def start(self) -> None:
        self.spawn(*self.uvicorn(), "--reload", "--reload-dir", "tuned")

    def watch(self) -> None:
        return


async def measure(engine: Habanero | Floor | Reload, saves: int) -> dict[str, object]:
    """Runs one engine under load and returns its figures; times in milliseconds."""
    engine.start()
    http, tally, stop = Http(engine.port), Tally(), asyncio.Event()
    await engine.until_up(http)
    engine.watch()
    tasks = [asyncio.create_task(requests(http, tally, RATE, stop))]
    tasks += [asyncio.create_task(counting_socket(engine.port, tally, stop)) for _ in range(SOCKETS)]
    await asyncio.sleep(1.5)
    times, missed = [], 0
    file = engine.root / "tuned" / "value.py"
    for number in range(1, saves + 1):
        beside = file.with_name(".value.py.swp")
        beside.write_text(file.read_text().replace(f"return {number - 1}\n", f"return {number}\n"))
        saved = time.monotonic()
        beside.replace(file)
        seen = await wait_for_value(http, tally, b"%d" % number, 20)
        if seen is None:
            missed += 1
        else:
            times.append((seen - saved) * 1000)
        await asyncio.sleep(0.15)
    stop.set()
    await asyncio.wait(tasks, timeout=25)
    http.close()
    times.sort()
    return {
        "engine": engine.name, "saves": saves, "missed": missed,
        "p50_ms": round(statistics.median(times), 1), "p99_ms": round(times[-max(1, len(times) // 100)], 1),
        "requests": tally.answered + tally.failed, "failed": tally.failed,
        "answers_p99_ms": round(sorted(tally.latencies_s)[-max(1, len(tally.latencies_s) // 100)] * 1000, 1),
        "slowest_answer_ms": round(max(tally.latencies_s) * 1000, 1),
        "sockets_dropped": tally.sockets_dropped, "counters_lost": tally.counters_lost, "echoes": tally.echoes,
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saves", type=int, default=60)
    parser.add_argument("--engines", default="habanero,floor,reload")
    arguments = parser.parse_args()
    known = {engine.name: engine for engine in (Habanero, Floor, Reload)}
    results = []
    for name in arguments.engines.split(","):
        with tempfile.TemporaryDirectory(prefix="habanero-bench-") as folder:
            engine = known[name](Path(folder))
            try:
                results.append(asyncio.run(measure(engine, max(5, int(arguments.saves * engine.saves_share)))))
            finally:
                engine.stop()
        print(json.dumps(results[-1]))
    base = results[0]
    for other in results[1:]:
        ratio = float(str(other["p50_ms"])) / float(str(base["p50_ms"]))
        print(f"{other['engine']} / {base['engine']}: {ratio:.2f} of the time at p50")
    return 0


if __name__ == "__main__":
    sys.exit(main())
