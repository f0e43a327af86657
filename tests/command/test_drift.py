"""drift: what production runs that git does not have, module by module."""

from __future__ import annotations

import pytest

from habanero_py import events as e
from habanero_py.codes import DRIFTED
from habanero_py.commands.drift import NO_GIT, Places, drift


@pytest.fixture
def tracked(ana, run_git):
    """A tree under git whose HEAD is what is deployed."""
    run_git(ana.root, "init", "-q")
    run_git(ana.root, "add", "-A")
    run_git(ana.root, "commit", "-qm", "one")
    return ana


def found(laptop, code: int, *, show_diff: bool = False) -> dict[str, tuple[str, ...]]:
    laptop.events.clear()
    assert drift(laptop.session(), show_diff=show_diff) == code
    [event] = laptop.said(e.Drift)
    return {module.path: module.words for module in event.modules}


def test_no_drift_where_production_runs_head(tracked) -> None:
    """Exit code 0, at the base and after a commit that was pushed."""
    assert found(tracked, 0) == {}
    tracked.write("shop/pricing.py", "x = 1\n")
    tracked.session().pusher.push()
    assert found(tracked, DRIFTED) == {"shop/pricing.py": ("uncommitted",)}


def test_each_kind_of_drift_is_told(tracked, run_git) -> None:
    """Uncommitted, changed on after it, gone from the tree, only in production, edited locally, missing there."""
    for name in ("pricing", "later", "gone"):
        tracked.write(f"shop/{name}.py", "x = 1\n")
    tracked.session().pusher.push()
    tracked.write("shop/later.py", "x = 2\n")
    tracked.write("shop/new.py", "x = 1\n")
    run_git(tracked.root, "add", "shop/later.py", "shop/new.py")
    run_git(tracked.root, "commit", "-qm", "two")
    (tracked.root / "shop/gone.py").unlink()
    tracked.write("shop/cart.py", "edited\n")
    tracked.write("shop/draft.py", "x = 1\n")
    assert found(tracked, DRIFTED) == {
        "shop/cart.py": ("differs-from-tree",),
        "shop/gone.py": ("only-in-production",),
        "shop/later.py": ("differs-from-head", "differs-from-tree"),
        "shop/new.py": ("not-in-production",),
        "shop/pricing.py": ("uncommitted",),
    }


def test_the_difference_is_from_git_to_production(tracked) -> None:
    """As a diff of each module."""
    tracked.write("shop/pricing.py", "x = 1\n")
    tracked.session().pusher.push()
    found(tracked, DRIFTED, show_diff=True)
    [diff] = tracked.said(e.ModuleDiff)
    assert diff.diff.splitlines()[:2] == ["--- HEAD/shop/pricing.py", "+++ production/shop/pricing.py"]
    assert "+x = 1" in diff.diff


def test_without_git_the_tree_alone_is_compared(ana) -> None:
    """It says so."""
    ana.write("shop/pricing.py", "x = 1\n")
    assert found(ana, DRIFTED) == {"shop/pricing.py": ("differs-from-tree",)}
    assert [notice.text for notice in ana.said(e.Notice)] == [NO_GIT]


def test_what_git_ignores_is_no_drift(tracked) -> None:
    """A generated module that was deployed and never is committed."""
    (tracked.receiver.base.root / "shop/_made.py").write_text("x = 1\n")
    tracked.receiver.base = type(tracked.receiver.base).scan(tracked.receiver.base.root, ["shop"])
    assert found(tracked, DRIFTED) == {"shop/_made.py": ("only-in-production",)}
    tracked.write(".gitignore", "_made.py\n")
    assert found(tracked, 0) == {}


@pytest.mark.parametrize(
    ("places", "words"),
    [
        (Places("a", "a", "a", True), ()),
        (Places("a", "b", "a", True), ("uncommitted",)),
        (Places("a", None, "a", True), ("uncommitted",)),
        (Places("a", "b", "b", True), ("differs-from-head", "differs-from-tree")),
        (Places("a", None, "b", True), ("differs-from-head", "differs-from-tree")),
        (Places("a", "a", None, True), ("differs-from-tree",)),
        (Places(None, None, "a", True), ()),
        (Places(None, "a", None, True), ("not-in-production",)),
        (Places("a", None, "a", False), ()),
    ],
)
def test_the_words_of_each_case(places: Places, words: tuple[str, ...]) -> None:
    """Production, HEAD and tree, in every combination that can be."""
    assert places.words() == words
