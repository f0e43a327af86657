"""What of a project is watched, and which settings will not do."""

from __future__ import annotations

from pathlib import Path

import pytest

from habanero_py.project import Project
from habanero_receiver.errors import ConfigError


def test_watched_packages_name_the_source_root(root: Path) -> None:
    """`src/shop` is the module `shop` below `src`, as on the server's sys.path."""
    project = Project.find(root, ["src/shop"])
    assert (project.source_root, project.top_level) == (root / "src", ("shop",))
    assert project.shown("shop/cart.py") == "src/shop/cart.py"
    assert project.places() == ["src/shop"]


def test_without_a_setting_the_importable_packages_are_found(root: Path) -> None:
    """src/ comes first, tests are never the app."""
    assert Project.find(root).top_level == ("shop",)


def test_a_flat_project_of_single_modules_is_found(tmp_path: Path) -> None:
    """`app.py` alone is an app; its setup and conftest are not part of it."""
    for name in ("app.py", "conftest.py", "setup.py", "my-script.py"):
        (tmp_path / name).touch()
    project = Project.find(tmp_path)
    assert (project.source_root, project.top_level) == (tmp_path.resolve(), ("app",))
    assert project.places() == ["app.py"]


def test_single_modules_and_packages_can_be_mixed(tmp_path: Path) -> None:
    """Both kinds of top-level modules of one root, each once."""
    (tmp_path / "app.py").touch()
    (tmp_path / "lib").mkdir()
    assert Project.find(tmp_path, ["app.py", "lib", "lib/"]).top_level == ("app", "lib")


@pytest.mark.parametrize(
    ("watch", "why"),
    [
        (["src/missing"], "neither a folder nor"),
        (["../elsewhere"], "not inside the project"),
        (["."], "not inside the project"),
        (["src/shop/api"], "inside the package shop"),
        (["src/shop", "tests"], "several source roots"),
        (["src/link"], "symbolic link"),
        (["src/my-shop"], "could be imported"),
        (["pyproject.toml"], "neither a folder nor"),
    ],
)
def test_settings_that_will_not_do_are_refused_with_help(root: Path, watch: list[str], why: str) -> None:
    """Each wrong entry is named, with what to write instead."""
    (root / "src/link").symlink_to(root / "src/shop")
    (root / "src/my-shop").mkdir()
    with pytest.raises(ConfigError, match=why) as caught:
        Project.find(root, watch)
    assert caught.value.code == "bad-watch"
    assert caught.value.help


def test_a_project_without_any_package_says_so(tmp_path: Path) -> None:
    """Nothing importable is an error with help, not an empty watch."""
    with pytest.raises(ConfigError, match="no importable package"):
        Project.find(tmp_path)


def test_every_folder_of_the_app_is_listed_and_no_cache(root: Path) -> None:
    """Folders without modules too (a module may appear there); hidden ones, caches and links are left out."""
    for name in ("shop/new", "shop/__pycache__", "shop/.git", "shop/node-modules"):
        (root / "src" / name).mkdir()
    (root / "src/shop/loop").symlink_to(root / "src")
    project = Project.find(root, ["src/shop"])
    found = {str(path.relative_to(root)) for path in project.folders()}
    assert found == {"src", "src/shop", "src/shop/api", "src/shop/new"}
    assert [path.name for path in project.test_folders()] == ["tests"]
