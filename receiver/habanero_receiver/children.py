"""The environment in which a process boots before anything else: for `run`, and for the children of a booted one.

Pure. It adds one folder to PYTHONPATH, whose `sitecustomize` boots and then gives way to the next one, and writes out
the settings that would otherwise depend on the folder a child happens to start in.

The rule it upholds: a child process finds the same base, the same bucket and the same keys as its parent.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from habanero_receiver.config import ReceiverConfig

SITE = str(Path(__file__).parent / "_site")
MARK = "HABANERO_RUN"
"""Tells the `sitecustomize` in SITE that it is there on purpose."""


def child_environment(config: ReceiverConfig, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables to set or change over `environ`."""
    changes = {
        MARK: "1",
        "PYTHONPATH": python_path(environ.get("PYTHONPATH", "")),
        "HABANERO_BUCKET": config.bucket,
        "HABANERO_MODULES": ",".join(config.top_level),
        "HABANERO_ROOT": str(config.root),
    }
    if environ.get("HABANERO_TRUSTED_KEYS_FILE"):
        changes["HABANERO_TRUSTED_KEYS_FILE"] = str(Path(environ["HABANERO_TRUSTED_KEYS_FILE"]).absolute())
    return changes


def python_path(before: str) -> str:
    """PYTHONPATH with SITE first, and once."""
    rest = [part for part in before.split(os.pathsep) if part != SITE] if before else []
    return os.pathsep.join([SITE, *rest])
