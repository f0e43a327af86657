"""Which paths concern a watched project: its modules' folders, its tests', and two files.

It looks at names and at whether a path is a folder, never into a file. It says what may matter; whether a module
really changed, `Sources` finds out. The rule it upholds: an editor's backup, a template or a tool's cache wakes nobody.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from .project import Project

_PROJECT_FILES = ("pyproject.toml", "conftest.py")


class Scope:
    """The folders of a project as they were last listed, and questions about paths in them."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._root, self._source_root = str(project.root), str(project.source_root)
        self._top = frozenset(project.top_level) | {f"{name}.py" for name in project.top_level}
        self._files = frozenset(str(project.root / name) for name in _PROJECT_FILES)
        self._app: frozenset[str] = frozenset()
        self._tests: frozenset[str] = frozenset()

    def folders(self) -> frozenset[Path]:
        """Lists the folders anew: all that must be watched, each for itself."""
        app, tests = set(self._project.folders()), set(self._project.test_folders())
        self._app = frozenset(map(str, app))
        self._tests = frozenset(map(str, tests))
        return frozenset(app | tests | {self._project.root})

    def concerns(self, path: str) -> bool:
        """Whether a change of this path can change a module, the set of modules, or what a gate says."""
        if path in self._files or path in self._tests or (path in self._app and path != self._source_root):
            return True
        folder, name = os.path.split(path)
        if name == ".gitignore":
            return folder in self._app or folder == self._root
        if folder == self._source_root and name not in self._top:
            return False
        if folder not in self._app and folder not in self._tests:
            return False
        if name.endswith(".py"):
            return True
        return name.isidentifier() and name != "__pycache__" and Path(path).is_dir()

    def has_folder(self, paths: Collection[str]) -> bool:
        """Whether one of `paths` is a folder that was listed: it went, or went and came again."""
        return any(path in self._app or path in self._tests for path in paths)

    def others(self, paths: Collection[str]) -> tuple[str, ...]:
        """Those of `paths` that are no module's but a test's or the project's, relative to the project, sorted."""
        root = self._project.root
        found = (path for path in paths if path in self._files or str(Path(path).parent) in self._tests)
        return tuple(sorted(Path(os.path.relpath(path, root)).as_posix() for path in found))
