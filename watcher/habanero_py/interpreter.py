"""Finds a Python on this machine whose bytecode the server takes.

It runs every candidate and believes only what that says of itself: a name is no proof (a `python3.11` may be a shim of
a version manager that fails when it is run, or another build). It installs nothing. The rule it upholds: bytecode of
another version loads without an error and then crashes the server's process, so implementation, cache tag and magic
number must all be the server's.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from habanero_receiver.release.statement import PythonTag

from .errors import ToolError

PROBE_TIMEOUT_S = 10.0
_PROBE = (
    "import sys, json, importlib.util as u; i = sys.implementation; "
    "print(json.dumps([i.name, i.cache_tag, int.from_bytes(u.MAGIC_NUMBER[:2], 'little'), "
    "sys.version.split()[0]]))"
)
_TAG = re.compile(r"([a-z]+)-?(\d)(\d+)")
_FOLDERS = (
    # version managers: each version in a folder of its own
    ("UV_PYTHON_INSTALL_DIR", "~/.local/share/uv/python", "*/bin"),
    ("PYENV_ROOT", "~/.pyenv", "versions/*/bin"),
    ("ASDF_DATA_DIR", "~/.asdf", "installs/python/*/bin"),
    ("MISE_DATA_DIR", "~/.local/share/mise", "installs/python/*/bin"),
    ("RYE_HOME", "~/.rye", "py/*/bin"),
    ("HATCH_DATA_DIR", "~/.local/share/hatch", "env/virtual/.pythons/*/python/bin"),
    # systems, when PATH is short (a desktop's launcher, cron)
    ("", "/usr", "bin"),
    ("", "/usr/local", "bin"),
    ("", "/opt/homebrew", "bin"),
    ("", "/opt/homebrew/opt", "python@*/bin"),
    ("", "/opt", "python*/bin"),
    ("", "/Library/Frameworks/Python.framework/Versions", "*/bin"),
)


@dataclass(frozen=True, slots=True)
class Probe:
    """What a candidate said when it was run. `magic` is -1 and `problem` is set when it did not answer."""

    path: Path
    implementation: str = ""
    cache_tag: str = ""
    magic: int = -1
    version: str = ""
    problem: str = ""

    def builds_for(self, tag: PythonTag) -> bool:
        """Whether its bytecode is what `tag` runs. The optimize level is the build's matter, not the program's."""
        return (self.implementation, self.cache_tag, self.magic) == (tag.implementation, tag.cache_tag, tag.magic)

    def __str__(self) -> str:
        says = self.problem or f"{self.implementation} {self.version}, magic {self.magic}"
        return f"{self.path}: {says}"


def find_python(tag: PythonTag, environ: Mapping[str, str] | None = None) -> Path:
    """The first interpreter found that builds for `tag`; ours when it does.

    Raises ToolError `python-not-found`, which lists what was tried and why it would not do.
    """
    if own().builds_for(tag):
        return Path(sys.executable)
    tried = []
    for path in candidates(tag, os.environ if environ is None else environ):
        found = probe(path)
        if found.builds_for(tag):
            return path
        tried.append(found)
    version = ".".join(_version(tag)) or tag.cache_tag
    raise ToolError(
        "python-not-found",
        f"the server runs {tag.implementation} {version} (magic {tag.magic}) and no such Python was found here; "
        "nothing was built or sent",
        subject=tag.cache_tag,
        help=f"install it, for example: uv python install {version}, or pyenv install {version}",
        details={"tried": [str(found) for found in tried]},
    )


def own() -> Probe:
    """This process's own interpreter, without running anything."""
    tag = sys.implementation.cache_tag or ""
    magic = int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little")
    return Probe(Path(sys.executable), sys.implementation.name, tag, magic, sys.version.split()[0])


def probe(path: Path, timeout_s: float = PROBE_TIMEOUT_S) -> Probe:
    """Runs one candidate without its site packages and without the user's environment, and asks what it is."""
    try:
        ran = subprocess.run(
            [path, "-I", "-S", "-c", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Probe(path, problem=f"cannot be run: {error}")
    try:
        implementation, cache_tag, magic, version = json.loads(ran.stdout)
        return Probe(path, str(implementation), str(cache_tag), int(magic), str(version))
    except (ValueError, TypeError):
        said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
        return Probe(path, problem=f"exit {ran.returncode}: {said[0][:200] if said else 'it said nothing'}")


def candidates(tag: PythonTag, environ: Mapping[str, str]) -> Iterator[Path]:
    """Programs that may be the right one, the likeliest first, each file once."""
    names = _names(tag)
    seen: set[Path] = set()
    for folder in _folders(environ):
        for name in names:
            path = folder / name
            if not (path.is_file() and os.access(path, os.X_OK)):
                continue
            real = path.resolve()
            if real not in seen:
                seen.add(real)
                yield path


def _folders(environ: Mapping[str, str]) -> Iterator[Path]:
    """PATH in its order, then where version managers and systems keep theirs, newest version first."""
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        if entry:
            yield Path(entry)
    home = Path(environ.get("HOME") or Path.home())
    for variable, default, pattern in _FOLDERS:
        root = Path(environ.get(variable) or default.replace("~", str(home), 1))
        if root.is_dir():
            yield from sorted(root.glob(pattern), key=_natural, reverse=True)


def _natural(path: Path) -> list[tuple[int, str]]:
    """3.11.10 after 3.11.9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(path))]


def _version(tag: PythonTag) -> tuple[str, ...]:
    match = _TAG.match(tag.cache_tag)
    return match.groups()[1:] if match else ()


def _names(tag: PythonTag) -> list[str]:
    version = _version(tag)
    program = "python" if tag.implementation == "cpython" else tag.implementation
    if not version:
        return [f"{program}3", program]
    exact = ".".join(version)
    return [f"{program}{exact}", f"{program}{version[0]}", program, f"{program}{exact}t"]
