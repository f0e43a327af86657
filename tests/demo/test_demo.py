"""The demo is the main job on real parts; the README promises that it works."""

from __future__ import annotations

import subprocess
import sys


def test_the_demo_plays_to_its_end() -> None:
    """A server, an open WebSocket, an edit, a broken edit, a forged push, kill -9, a rollback: each as told."""
    done = subprocess.run(
        [sys.executable, "-m", "habanero_py", "demo"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for step in ("live as #1", "gate stops it", "unauthorized", "kill -9", "same code as #0"):
        assert step in done.stdout
