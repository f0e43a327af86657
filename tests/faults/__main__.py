"""Runs heavy tests and prints figures (`PYTHONPATH=tests python -m faults`); exit 1 when a promise did not hold."""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

from faults import crashes, crowds, disks, network, prunes, remote, stores
from faults.scenario import Ground, Outcome, Scenario, UnavailableError

SCENARIOS: tuple[Scenario, ...] = (
    *crashes.SCENARIOS, *prunes.SCENARIOS, *disks.SCENARIOS, *crowds.SCENARIOS, *network.SCENARIOS, *remote.SCENARIOS,
    *stores.SCENARIOS,
)  # fmt: skip


def main(words: list[str]) -> int:
    """Run the scenarios that are named, or all; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("names", nargs="*", help="of scenarios; a part of a name chooses all that have it")
    parser.add_argument("--list", action="store_true", help="show the names, and what each holds the receiver to")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="of the dice")
    parser.add_argument("--scale", type=float, default=1.0, help="rounds relative to the usual number")
    parser.add_argument("--quick", action="store_true", help="a part of each scenario that needs nothing installed")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each scenario")
    asked = parser.parse_args(words)
    chosen = [s for s in SCENARIOS if not asked.names or any(name in s.name for name in asked.names)]
    if asked.list or not chosen:
        print("\n".join(f"{scenario.name:<36} {scenario.promise}" for scenario in SCENARIOS))
        return 0 if asked.list else 2
    print(f"seed {asked.seed}, {'quick' if asked.quick else f'scale {asked.scale:g}'}", file=sys.stderr)
    outcomes = [
        _run(scenario, asked.seed, scenario.quick if asked.quick else asked.scale, as_json=asked.json)
        for scenario in chosen
        if scenario.quick or not asked.quick
    ]
    broken = sum(len(outcome.violations) for outcome in outcomes)
    faults = sum(outcome.faults.total() for outcome in outcomes)
    print(f"{len(outcomes)} scenarios, {faults:,} faults, {broken} promises that did not hold", file=sys.stderr)
    return 1 if broken else 0


def _run(scenario: Scenario, seed: int, scale: float, *, as_json: bool) -> Outcome:
    began = time.monotonic()
    skipped = ""
    with tempfile.TemporaryDirectory(prefix="habanero-faults-") as folder:
        environ = dict(os.environ)
        try:
            outcome = scenario.run(Ground(Path(folder), seed, scale))
        except UnavailableError as error:
            outcome, skipped = Outcome(), str(error)
        except Exception:
            outcome = Outcome(violations=[traceback.format_exc()])
        finally:
            os.environ.clear()
            os.environ.update(environ)
    seconds = time.monotonic() - began
    print(_as_json(scenario, outcome, skipped, seconds) if as_json else _as_text(scenario, outcome, skipped, seconds))
    sys.stdout.flush()
    return outcome


def _as_json(scenario: Scenario, outcome: Outcome, skipped: str, seconds: float) -> str:
    return json.dumps({
        "scenario": scenario.name, "skipped": skipped, "tried": outcome.tried, "faults": dict(outcome.faults),
        "violations": outcome.violations, "seconds": round(seconds, 1),
    })  # fmt: skip


def _as_text(scenario: Scenario, outcome: Outcome, skipped: str, seconds: float) -> str:
    if skipped:
        return f"skip  {scenario.name:<36} {skipped}"
    tried = ", ".join(f"{count:,} {what}" for what, count in outcome.tried.items())
    faults = ", ".join(f"{count} {what}" for what, count in sorted(outcome.faults.items()))
    lines = [f"{'FAIL' if outcome.violations else 'ok':<5} {scenario.name:<36} {tried}  ({seconds:.0f} s)"]
    lines += [f"      {outcome.faults.total():,} faults: {faults}"] if faults else []
    lines += [f"      violation: {violation}" for violation in outcome.violations]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
