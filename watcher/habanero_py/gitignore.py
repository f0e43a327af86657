"""Which files git ignores, asked of git itself.

It parses no pattern. Where there is no git or no repository nothing is ignored: what is importable is the app. The
rule it upholds: an ignored module (a generated version file, a local override) belongs to the machine that it lies
on, so it is neither pushed from here nor, when it exists on the server alone, deleted there.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Collection
from pathlib import Path

_TIMEOUT_S = 10.0


class GitIgnore:
    """Answers by path, and remembers them until `forget`. Used by one thread at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[str, bool] = {}

    def among(self, paths: Collection[str]) -> frozenset[str]:
        """Those of `paths` that git ignores. Paths are absolute or below the root; they need not exist."""
        unknown = [path for path in paths if path not in self._known]
        if unknown:
            ignored = self._ask(unknown)
            self._known.update((path, path in ignored) for path in unknown)
        return frozenset(path for path in paths if self._known[path])

    def forget(self) -> None:
        """Ask again: a .gitignore changed."""
        self._known.clear()

    def _ask(self, paths: list[str]) -> frozenset[str]:
        try:
            ran = subprocess.run(
                ["git", "check-ignore", "-z", "--stdin"],
                cwd=self._root,
                input=b"".join(os.fsencode(path) + b"\0" for path in paths),
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
                env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            )
        except (OSError, subprocess.SubprocessError):
            return frozenset()
        if ran.returncode != 0:  # 1: none of them; 128: no repository
            return frozenset()
        return frozenset(os.fsdecode(path) for path in ran.stdout.split(b"\0") if path)
