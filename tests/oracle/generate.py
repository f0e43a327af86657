"""Makes histories of made-up apps for hypothesis to draw, and judges each step of one.

An app has one to five modules (see `app`), of statements of many kinds (see `kinds`); each next version is a few edits
away (see `edits`). Nearly all of what is drawn imports. One in four uses frameworks as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from oracle.app import MODULES, App
from oracle.edits import draw_part, edits
from oracle.judge import Step, judge
from oracle.step import Processes, Request, Tree, write_tree
from oracle.use import FRAMEWORKS, USE


@st.composite
def apps(draw: st.DrawFn, frameworks: bool) -> App:
    """A first version."""
    names = draw(st.lists(st.sampled_from(MODULES), min_size=1, max_size=4, unique=True))
    app = App((), frameworks)
    for name in sorted(names, key=MODULES.index):
        app = draw_part(draw, app, name, 6)
    return app


@st.composite
def histories(draw: st.DrawFn, frameworks: bool = False) -> list[App]:
    """A first version and one or two after it; of some, the last is taken back."""
    versions = [draw(apps(frameworks))]
    for _ in range(draw(st.integers(1, 2))):
        versions.append(draw(edits(versions[-1])))
    return [*versions, versions[-2]] if draw(st.booleans()) else versions


def judged(processes: Processes, history: list[Tree], use: str = USE) -> list[Step]:
    """Runs a history in a live process, each of its versions in a fresh one, and judges the steps."""
    with tempfile.TemporaryDirectory(prefix="oracle-tree-") as folder:
        roots = [Path(folder, str(index)) for index in range(len(history))]
        for root, tree in zip(roots, history, strict=True):
            write_tree(root, tree)
        live = processes.run(Request(str(roots[0]), history, use))
        fresh = [processes.run(Request(str(r), [t], use)) for r, t in zip(roots[1:], history[1:], strict=True)]
    return judge(history, live, fresh)


Tell = Callable[[list[Tree], list[Step]], None]


def generated(processes: Processes, count: int, start: int, tell: Tell, *, frameworks: bool = False) -> None:
    """Has ``tell`` told of ``count`` histories and their steps, the same ones for the same ``start``."""

    @seed(start)
    @settings(max_examples=count, deadline=None, database=None, phases=[Phase.generate],
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(histories(frameworks))
    def one(history: list[App]) -> None:
        trees = [app.tree() for app in history]
        tell(trees, judged(processes, trees, FRAMEWORKS if frameworks else USE))

    one()
