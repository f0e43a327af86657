"""Consecutive releases of pure-Python packages, each pair a step: import one, use it, swap to the next.

Wheels are fetched by the ordinary client into a cache folder outside the repository (ORACLE_CACHE, else the user's
cache folder) and unpacked; what the packages need beside themselves lies in one more folder there. Nothing of this is
part of the tests. A package's own modules are the app; whatever else it imports is a library.

Which packages, and what is done with them, is in `releases`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from oracle.judge import Step, judge
from oracle.releases import Package
from oracle.step import Processes, Request, read_tree

DEPENDENCIES = (
    "click==8.1.7", "jinja2==3.1.4", "werkzeug==3.1.3", "itsdangerous==2.2.0", "blinker==1.8.2", "markupsafe==3.0.2",
    "urllib3==2.2.3", "idna==3.10", "certifi", "charset-normalizer==3.4.0", "anyio==4.6.2.post1", "sniffio==1.3.1",
    "pygments==2.18.0", "markdown-it-py==3.0.0", "mdurl==0.1.2", "typing-extensions==4.12.2",
    "httpcore==1.0.7", "h11==0.14.0",
)  # fmt: skip
_TIMEOUT_S = 300


def cache() -> Path:
    """The folder that wheels are kept in."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"), "habanero-py-oracle")
    return Path(os.environ.get("ORACLE_CACHE", default))


def fetch(package: Package, version: str) -> Path:
    """The folder of one release, unpacked; fetched if it is not there."""
    folder = cache() / package.name / version
    if not folder.exists():
        wheels = cache() / "wheels" / f"{package.name}-{version}"
        _pip("download", "--no-deps", "--only-binary", ":all:", "--dest", str(wheels), f"{package.name}=={version}")
        part = folder.with_suffix(".part")
        with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
            wheel.extractall(part)
        part.rename(folder)
    return folder


def dependencies() -> Path:
    """The folder of what the packages need beside themselves, for this interpreter."""
    which = hashlib.sha256(" ".join(DEPENDENCIES).encode()).hexdigest()[:8]
    folder = cache() / f"needed-{sys.implementation.cache_tag}-{which}"
    if not folder.exists():
        _pip("install", "--no-deps", "--target", str(folder), *DEPENDENCIES)
    return folder


def _pip(*words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", words[0], "-qq", "--disable-pip-version-check", *words[1:]], check=True
    )


def steps(package: Package, processes: Processes) -> Iterator[tuple[str, Step]]:
    """Judges each pair of consecutive releases: what it is called, and how it went."""
    needed = [str(dependencies())]
    folders = [fetch(package, version) for version in package.versions]
    trees = [read_tree(folder, package.top_level) for folder in folders]
    for index, (old, new) in enumerate(zip(package.versions, package.versions[1:], strict=False)):
        pair = trees[index : index + 2]
        live = processes.run(Request(str(folders[index]), pair, package.use, needed, timeout_s=_TIMEOUT_S))
        alone = Request(str(folders[index + 1]), pair[1:], package.use, needed, timeout_s=_TIMEOUT_S)
        fresh = [processes.run(alone), processes.run(alone)]
        for step in judge(pair, live, fresh[:1], fresh[1:], package.outside):
            yield f"{package.name} {old} -> {new}", step
