"""Runs the oracle and prints its table: ``python -m oracle [--generated N] [--seed N] [--packages NAME,...] [-v]``.

Steps, and how many of them are equal, refused (by reason), stale (equal but for bindings that the report names) and
wrong; exit 1 if any is wrong. The generated part is one
row, each package another.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from oracle.generate import generated, judged
from oracle.judge import EQUAL, INVALID, REFUSED, STALE, WRONG, Step
from oracle.packages import steps
from oracle.releases import PACKAGES
from oracle.step import Processes, Tree, read_tree, write_tree


@dataclass(slots=True)
class Row:
    """The steps of one source."""

    name: str
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)

    def add(self, step: Step) -> None:
        self.verdicts[step.verdict] += 1
        for reason in dict.fromkeys(step.reasons):
            self.reasons[step.verdict, reason] += 1
        self.kept.update(reason for _, reason in step.kept)
        self.kept.update(named=len(step.named), differing=len(step.differing))


def table(rows: list[Row]) -> str:
    """The rows and their sum, as text."""
    total = Row("all")
    for row in rows:
        total.verdicts.update(row.verdicts)
        total.kept.update(row.kept)
    heads = f"{'steps':>7}{'equal':>7}{'refused':>9}{'stale':>7}{'wrong':>7}{'invalid':>9}"
    lines = [f"{'':24}{heads}   kept: used, computed   named stale, of these differ"]
    for row in [*rows, total]:
        v = row.verdicts
        kept = f"{row.kept['used']:>9},{row.kept['computed']:>6}"
        counts = f"{v.total():>7}{v[EQUAL]:>7}{v[REFUSED]:>9}{v[STALE]:>7}{v[WRONG]:>7}{v[INVALID]:>9}"
        alarms = f"{row.kept['named']:>14},{row.kept['differing']:>16}"
        lines.append(f"{row.name:24}{counts}{kept:>23}{alarms}")
    return "\n".join(lines)


def reasons(rows: list[Row], verdict: str) -> str:
    """By reason, how often a verdict was given."""
    found: Counter[str] = Counter()
    for row in rows:
        found.update({reason: n for (given, reason), n in row.reasons.items() if given == verdict})
    return "\n".join(f"  {n:5}  {reason.strip()[:200]}" for reason, n in found.most_common())


def main(words: list[str]) -> int:
    """Runs what is asked for; the exit code tells whether anything was wrong."""
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__.partition("\n")[0])
    parser.add_argument("--generated", type=int, default=1000, help="how many histories of edits to make up")
    parser.add_argument("--frameworks", type=int, default=100, help="how many of apps that use frameworks")
    parser.add_argument("--save", type=Path, help="a folder for the sources of what is wrong")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--packages", default="all", help="names, or none")
    parser.add_argument("-v", "--verbose", action="store_true", help="every difference, and every refusal's reasons")
    parser.add_argument("--case", type=Path, nargs="*", default=[], help="folders with before/ and after/, alone")
    asked = parser.parse_args(words)
    if asked.case:
        asked.generated, asked.frameworks, asked.packages = 0, 0, "none"
    chosen = [p for p in PACKAGES if asked.packages == "all" or p.name in asked.packages.split(",")]
    rows = []
    with Processes() as processes:
        if asked.generated:
            rows.append(row := Row("generated edits"))
            generated(processes, asked.generated, asked.seed, _Teller(row, asked))
        if asked.frameworks:
            rows.append(row := Row("generated, frameworks"))
            with Processes(preload=("click", "fastapi.responses", "flask", "pydantic")) as loaded:
                generated(loaded, asked.frameworks, asked.seed, _Teller(row, asked), frameworks=True)
        for folder in asked.case:
            rows.append(row := Row(folder.name))
            for step in judged(processes, [read_tree(folder / "before"), read_tree(folder / "after")]):
                row.add(step)
                _tell(folder.name, step, verbose=asked.verbose)
        for package in chosen:
            rows.append(row := Row(package.name))
            for title, step in steps(package, processes):
                row.add(step)
                _tell(title, step, verbose=asked.verbose)
    print(table(rows))
    for verdict in (REFUSED, STALE, WRONG):
        print(f"\n{verdict}, by reason:\n{reasons(rows, verdict) or '  none'}")
    return int(any(row.verdicts[WRONG] for row in rows))


@dataclass(slots=True)
class _Teller:
    """Counts the steps of made-up histories, and saves those that are wrong if that is asked for."""

    row: Row
    asked: argparse.Namespace
    count: int = 0

    def __call__(self, history: list[Tree], steps: list[Step]) -> None:
        self.count += 1
        for index, step in enumerate(steps):
            self.row.add(step)
            _tell("generated", step, verbose=self.asked.verbose)
            if step.verdict == WRONG and self.asked.save:
                name = f"{self.row.name.replace(', ', '-').replace(' ', '-')}-{self.asked.seed}-{self.count}"
                for version, tree in (("before", history[index]), ("after", history[index + 1])):
                    write_tree(self.asked.save / name / version, tree)
                lines = [*step.reasons, *map(str, step.differences)]
                (self.asked.save / name / "what.txt").write_text("\n".join(lines))


def _tell(title: str, step: Step, *, verbose: bool) -> None:
    why = f": {', '.join(step.reasons)}" if step.verdict in (WRONG, STALE) else ""
    if title != "generated" or (verbose and step.verdict == WRONG):
        print(f"{step.verdict:8} {title}{why}", flush=True)
    if verbose and step.verdict != EQUAL:
        for line in step.differences or step.reasons:
            print(f"         {line}")
    if verbose and title != "generated":
        for entry in step.named:
            print(f"         named {'' if entry in step.differing else 'for nothing '}{entry[0]}: {entry[1]}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes end with it
    sys.exit(main(sys.argv[1:]))
