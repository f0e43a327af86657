"""Runs the attacks and prints figures (`PYTHONPATH=tests python -m fuzz`); exit 1 when a promise did not hold."""

from __future__ import annotations

import argparse
import faulthandler
import importlib.util
import random
import sys
import time

from fuzz import judged, watch

HANG_S = 120


def main(words: list[str]) -> int:
    """Run what is named, or all; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("parts", nargs="*", help="judged, guided, openapi; all without any")
    parser.add_argument("--count", type=int, default=1_000_000, help="inputs of `judged`; a 10,000th per endpoint")
    parser.add_argument("--time", type=float, default=600, help="seconds that each part may take at most")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of the dice")
    asked = parser.parse_args(words)
    known = {"judged": _judged, "guided": _guided, "openapi": _openapi}
    if unknown := set(asked.parts) - set(known):
        parser.error(f"no part named {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    print(f"seed {asked.seed}, Python {sys.version.split()[0]}")
    good = True
    for name in asked.parts or known:
        print(f"== {name}")
        good = known[name](asked.count, asked.time, asked.seed) and good
        sys.stdout.flush()
    return 0 if good else 1


def _judged(count: int, seconds: float, seed: int) -> bool:
    watch.install()
    run, until = judged.Run(seed), time.monotonic() + seconds
    modules, head, policy = set(sys.modules), judged.HERE.head, judged.HERE.policy
    left = count
    while left > 0 and time.monotonic() < until:
        faulthandler.dump_traceback_later(HANG_S, exit=True)  # an input that hangs ends the run, and shows where
        run.go(min(left, 5_000), until)
        left -= 5_000
    faulthandler.cancel_dump_traceback_later()
    if (set(sys.modules), judged.HERE.head, judged.HERE.policy) != (modules, head, policy):
        run.tally.violations.append("something changed: modules, head or policy")
    print("\n".join(run.tally.lines()))
    return not run.tally.violations


def _guided(count: int, seconds: float, seed: int) -> bool:
    if importlib.util.find_spec("atheris") is None:
        print("skipped: pip install 'habanero-py[fuzz]' (atheris has wheels for Linux on x86-64)")
        return True
    from fuzz import guided

    return guided.run(seconds, seed)


def _openapi(count: int, seconds: float, seed: int) -> bool:
    if importlib.util.find_spec("schemathesis") is None:
        print("skipped: pip install 'habanero-py[fuzz]'")
        return True
    from fuzz import openapi

    return openapi.run(max(20, count // 10_000), seconds, seed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
