"""What git is asked: the commit of a push, and whether a tree ever held a version."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from habanero_py import git


def sources(root: Path) -> dict[str, tuple[str, bytes]]:
    files = {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted((root / "shop").rglob("*.py"))}
    return {name: (hashlib.sha256(data).hexdigest(), data) for name, data in files.items()}


@pytest.fixture
def tree(tmp_path: Path, run_git) -> Path:
    """A repository with one commit."""
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/a.py").write_text("x = 1\n")
    (tmp_path / "other.py").write_text("")
    run_git(tmp_path, "init", "-q")
    run_git(tmp_path, "add", "-A")
    run_git(tmp_path, "commit", "-qm", "one")
    return tmp_path


def test_the_commit_and_whether_the_sources_are_its_own(tree: Path, run_git) -> None:
    """Edited, added and removed sources make it dirty; a file that is not watched does not; a commit cleans it."""
    repository = git.Repository(tree, ("shop",))
    head = run_git(tree, "rev-parse", "HEAD")
    assert repository.describe(sources(tree)) == head
    (tree / "other.py").write_text("y")
    assert repository.describe(sources(tree)) == head
    (tree / "shop/a.py").write_text("x = 2\n")
    assert repository.describe(sources(tree)) == f"{head}+dirty"
    run_git(tree, "commit", "-qam", "two")
    assert repository.describe(sources(tree)) == run_git(tree, "rev-parse", "HEAD") != head
    (tree / "shop/b.py").write_text("")
    assert repository.describe(sources(tree)).endswith("+dirty")
    (tree / "shop/b.py").unlink()
    (tree / "shop/a.py").unlink()
    assert repository.describe(sources(tree)).endswith("+dirty")


def test_a_save_costs_no_process(tree: Path, monkeypatch) -> None:
    """Only a HEAD that moved is asked about."""
    repository = git.Repository(tree, ("shop",))
    repository.describe(sources(tree))
    monkeypatch.setattr(git, "_run", lambda *words: pytest.fail(f"git was run: {words}"))
    (tree / "shop/a.py").write_text("x = 3\n")
    assert repository.describe(sources(tree)).endswith("+dirty")


def test_a_project_below_the_repository(tree: Path) -> None:
    """Paths are those of the project's folder."""
    project = tree / "shop"
    repository = git.Repository(project, ("a.py",))
    data = (project / "a.py").read_bytes()
    assert not repository.describe({"a.py": (hashlib.sha256(data).hexdigest(), data)}).endswith("dirty")
    assert repository.contains("a.py", hashlib.sha256(data).hexdigest())


def test_versions_of_the_past_are_found(tree: Path, run_git) -> None:
    """And those that were never there are not."""
    (tree / "shop/a.py").write_text("x = 2\n")
    run_git(tree, "commit", "-qam", "two")
    repository = git.Repository(tree, ("shop",))
    assert repository.contains("shop/a.py", hashlib.sha256(b"x = 1\n").hexdigest())
    assert not repository.contains("shop/a.py", hashlib.sha256(b"x = 7\n").hexdigest())
    assert not repository.contains("shop/b.py", hashlib.sha256(b"x = 1\n").hexdigest())


def test_without_git_there_is_no_answer_and_no_error(tmp_path: Path, monkeypatch) -> None:
    """No repository, a repository without a commit, no git at all."""
    assert git.Repository(tmp_path, ()).describe({}) is None
    assert not git.Repository(tmp_path, ()).contains("a.py", "0" * 64)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.Repository(tmp_path, ()).describe({}) is None


def test_a_repository_before_its_first_commit(tmp_path: Path, run_git) -> None:
    """HEAD names nothing yet."""
    run_git(tmp_path, "init", "-q")
    assert git.Repository(tmp_path, ()).describe({}) is None
