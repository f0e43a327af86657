"""Reads the receiver's settings from the environment: whom to trust, what for, and where releases are kept.

What it does: turns HABANERO_* variables (and, for the packages alone, `[tool.habanero]` of pyproject.toml) into one
frozen value. What it does not: it opens no bucket, reads no source and imports nothing of the app.

The rule it upholds: a setting that cannot be used stops the start, with its name and what to write instead. Who may
change this process's code is never guessed: without trusted keys there is no configuration at all.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast
from urllib.parse import quote

from habanero_receiver.entrance import Entrance, one_of
from habanero_receiver.errors import ConfigError
from habanero_receiver.journal.base import find_root
from habanero_receiver.keyring import FILES, ListSources
from habanero_receiver.release.keys import TrustedKey
from habanero_receiver.release.limits import DEFAULT_LIMITS
from habanero_receiver.release.roles import Roles
from habanero_receiver.release.statement import PythonTag
from habanero_receiver.trust import TrustPolicy
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WhenUnverified = Literal["base", "require"]

_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_TARGET = re.compile(f"({_WORD})/({_WORD})#({_WORD})")
_INSTANCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_SITE = str(Path(__file__).parent / "_site")
_MARK = "HABANERO_RUN"  # tells the sitecustomize in _SITE that it is there on purpose
MIN_POLL_S, MAX_POLL_S = 0.005, 3_600.0
_NUMBER = r"[0-9]{1,6}(\.[0-9]{1,3})?"


class ReceiverConfig(NamedTuple):
    """All settings of one process.

    target     "app/environment#id", as releases name it
    keys       who may sign; `revoked` key ids do not count, `threshold` is how many people have to sign
    roles      who may do what where; None: everybody all
    lists      where these come from, to be read again when a file of them changes
    max_window_s    how long after it was signed a release may be accepted, at most
    bucket     URL of the bucket
    top_level  the packages and modules that a release may replace
    root       the folder that they lie in
    instance   this machine's name in the fleet
    region     where this machine is, for people to read; may be empty
    fingerprint     the file that an image's build wrote the digests of its sources to, if any
    poll_s     how often this process looks for a new release, None for the bucket's usual
    boot       "base": a head that cannot be verified or loaded means the code on disk, loudly; "require": no start
    state      this machine's own folder: what it ran, packed copies of it, which releases did not start
    boot_wait_s     how long a start waits for the bucket to say what the newest release is
    start_limit     how many starts of a release may fail in a row before it is passed over; 0 counts nothing
    ready_after_s   after how long a process that never says so counts as ready
    entrance   how much shows to the network
    verify_source   whether each build has to be what its source compiles to here
    """

    target: str
    keys: tuple[TrustedKey, ...]
    revoked: frozenset[str]
    roles: Roles | None
    lists: ListSources
    threshold: int
    max_window_s: int
    bucket: str
    top_level: tuple[str, ...]
    root: Path
    instance: str
    boot: WhenUnverified
    state: Path
    boot_wait_s: float
    start_limit: int
    ready_after_s: float
    fingerprint: Path | None
    region: str = ""
    poll_s: float | None = None
    entrance: Entrance = Entrance()
    verify_source: bool = False

    @property
    def app(self) -> str:
        """The part of the target before the slash."""
        return self.target.partition("/")[0]

    @property
    def environment(self) -> str:
        """The part of the target between the slash and the number sign."""
        return self.target.partition("/")[2].partition("#")[0]

    def policy(self) -> TrustPolicy:
        """What `trust` judges releases by."""
        return TrustPolicy(
            keys=self.keys,
            revoked=self.revoked,
            threshold=self.threshold,
            target=self.target,
            allowed_modules=frozenset(self.top_level),
            python=PythonTag.current(),
            limits=DEFAULT_LIMITS._replace(max_window_s=self.max_window_s),
            roles=self.roles,
        )

    @classmethod
    def from_env(cls, environ: Mapping[str, str], cwd: Path) -> ReceiverConfig | None:
        """The settings in `environ`, relative to the folder `cwd`; None without trusted keys.

        ConfigError names the variable that cannot be used and says what to write.
        """
        lists = ListSources.from_env(environ, cwd)
        if lists is None:
            return None
        trusted = lists.read()
        target = _target(environ)
        root, top_level = sources_of(environ, cwd)
        config = cls(
            target=target,
            keys=trusted.keys,
            revoked=trusted.revoked,
            roles=trusted.roles,
            lists=lists,
            threshold=_threshold(environ),
            max_window_s=int(_number(environ, "HABANERO_ACCEPT_WINDOW", DEFAULT_LIMITS.max_window_s, 60, 604_800)),
            bucket=bucket_url(environ, cwd),
            top_level=top_level,
            root=root,
            instance=_instance(environ),
            region=_region(environ),
            boot=_when_unverified(environ),
            fingerprint=cwd / environ["HABANERO_FINGERPRINT"] if environ.get("HABANERO_FINGERPRINT") else None,
            poll_s=_poll(environ),
            state=cwd / (environ.get("HABANERO_STATE") or Path(".habanero", "state")),
            boot_wait_s=_number(environ, "HABANERO_BOOT_WAIT", 5, 0.1, 300),
            start_limit=int(_number(environ, "HABANERO_START_LIMIT", 3, 0, 1_000)),
            ready_after_s=_number(environ, "HABANERO_READY_AFTER", 10, 0.1, 3_600),
            entrance=Entrance.from_env(environ),
            verify_source=one_of(environ, "HABANERO_VERIFY_SOURCE", "off", "on") == "on",
        )
        config.policy().check()
        return config


def bucket_url(environ: Mapping[str, str], cwd: Path) -> str:
    """The bucket that is set, else the one that `fly storage create` made, else a directory beside the app."""
    if url := environ.get("HABANERO_BUCKET"):
        return url
    from habanero_receiver.journal.stores.address import default_url  # a start whose bucket is named goes without

    return default_url(environ) or f"file://{quote(str(cwd / '.habanero' / 'bucket'))}"


def sources_of(environ: Mapping[str, str], cwd: Path) -> tuple[Path, tuple[str, ...]]:
    """The folder of the app's sources, and its packages and modules in it. ConfigError as `from_env`."""
    watched = _watched(environ, cwd)
    top_level = tuple(sorted({path.stem if path.suffix == ".py" else path.name for path in watched}))
    return _root(environ, cwd, top_level, watched), top_level


def child_environment(config: ReceiverConfig, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables to set over `environ` for a process to boot before anything else, wherever it starts.

    One more folder on PYTHONPATH, whose `sitecustomize` boots and gives way to the next one; and, written out, the
    settings that would otherwise depend on the folder that the process starts in.
    """
    changes = {
        _MARK: "1",
        "PYTHONPATH": _python_path(environ.get("PYTHONPATH", "")),
        "HABANERO_BUCKET": config.bucket,
        "HABANERO_MODULES": ",".join(config.top_level),
        "HABANERO_ROOT": str(config.root),
        "HABANERO_STATE": str(config.state),
    }
    if config.fingerprint is not None:
        changes["HABANERO_FINGERPRINT"] = str(config.fingerprint)
    return changes | {name: str(Path(environ[name]).absolute()) for name in FILES if environ.get(name)}


def _target(environ: Mapping[str, str]) -> str:
    target = environ.get("HABANERO_TARGET", "")
    if not _TARGET.fullmatch(target):
        raise _bad(
            "HABANERO_TARGET",
            f"is {target!r}" if target else "is not set",
            "app/environment#id as `habanero-py init` printed it: shop/production#9f2c41",
        )
    return target


def _threshold(environ: Mapping[str, str]) -> int:
    word = environ.get("HABANERO_THRESHOLD") or "1"
    number = int(word) if word.isascii() and word.isdecimal() and len(word) < 4 else 0
    if number < 1:
        raise ConfigError(
            "threshold",
            f"HABANERO_THRESHOLD is {word!r}",
            subject="HABANERO_THRESHOLD",
            help="how many people have to sign a release: a number from 1 on",
        )
    return number


def _watched(environ: Mapping[str, str], cwd: Path) -> tuple[Path, ...]:
    """The packages as paths: bare names from HABANERO_MODULES, else the `watch` entries of pyproject.toml."""
    words = environ.get("HABANERO_MODULES", "").replace(",", " ").split()
    origin = "HABANERO_MODULES"
    if not words:
        origin = f"[tool.habanero] watch in {cwd / 'pyproject.toml'}"
        words = _watch_entries(cwd / "pyproject.toml")
    if not words:
        raise _bad("HABANERO_MODULES", "is not set", "the packages of the app: HABANERO_MODULES=shop,lib")
    paths = tuple(Path(word) for word in words)
    for path in paths:
        name = path.stem if path.suffix == ".py" else path.name
        if not name.isidentifier() or (origin == "HABANERO_MODULES" and len(path.parts) > 1):
            raise _bad(origin, f"holds {str(path)!r}, which is not the name of a package", "top-level names: shop, lib")
    return paths


def _watch_entries(pyproject: Path) -> list[str]:
    import tomllib

    try:
        document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise ConfigError("bad-toml", f"{pyproject} cannot be read: {error}", subject=str(pyproject)) from error
    table = document.get("tool", {})
    table = table.get("habanero", {}) if isinstance(table, dict) else {}
    entries = table.get("watch", []) if isinstance(table, dict) else []
    if not isinstance(entries, list) or not all(isinstance(entry, str) and entry for entry in entries):
        raise _bad("watch", f"in {pyproject} is not a list of folders", 'watch = ["src/shop"]')
    return [os.path.normpath(entry) for entry in entries]


def _root(environ: Mapping[str, str], cwd: Path, top_level: Sequence[str], watched: Sequence[Path]) -> Path:
    """The folder of the packages: as said, else where this process would import them, else where they are watched."""
    said = environ.get("HABANERO_ROOT")
    unsaid = (*(cwd / place for place in sys.path), *((cwd / path).parent for path in watched), cwd)
    root = find_root([cwd / said] if said else unsaid, top_level)
    if root is None:
        raise ConfigError(
            "bad-setting",
            f"HABANERO_ROOT is {said}, which does not hold {', '.join(top_level)}"
            if said
            else f"no folder on this process's path holds {', '.join(top_level)}",
            subject="HABANERO_ROOT",
            help="the one folder that holds all the packages of HABANERO_MODULES: HABANERO_ROOT=/srv/shop/src",
        )
    return root


def _instance(environ: Mapping[str, str]) -> str:
    name = environ.get("HABANERO_INSTANCE") or environ.get("FLY_MACHINE_ID") or os.uname().nodename
    if not _INSTANCE.fullmatch(name):
        raise _bad("HABANERO_INSTANCE", f"is {name!r}", "letters, digits, dots and dashes, at most 100")
    return name


def _region(environ: Mapping[str, str]) -> str:
    name = environ.get("HABANERO_REGION") or environ.get("FLY_REGION") or ""
    if name and not _INSTANCE.fullmatch(name):
        raise _bad("HABANERO_REGION", f"is {name!r}", "letters, digits, dots and dashes, at most 100")
    return name


def _when_unverified(environ: Mapping[str, str]) -> WhenUnverified:
    word = environ.get("HABANERO_BOOT") or "base"
    if word not in ("base", "require"):
        raise _bad(
            "HABANERO_BOOT",
            f"is {word!r}",
            "base: start on the code on disk when the newest release cannot be loaded; require: do not start then",
        )
    return cast("WhenUnverified", word)


def _poll(environ: Mapping[str, str]) -> float | None:
    word = environ.get("HABANERO_POLL")
    if not word:
        return None
    seconds = float(word) if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", word) else 0.0
    if not MIN_POLL_S <= seconds <= MAX_POLL_S:
        raise _bad("HABANERO_POLL", f"is {word!r}", f"seconds, from {MIN_POLL_S:g} to {MAX_POLL_S:g}")
    return seconds


def _number(environ: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    word = environ.get(name)
    if not word:
        return default
    number = float(word) if re.fullmatch(_NUMBER, word) else -1.0
    if not low <= number <= high:
        raise _bad(name, f"is {word!r}", f"a number from {low:g} to {high:g}; {default:g} without it")
    return number


def _bad(name: str, what: str, hint: str) -> ConfigError:
    return ConfigError("bad-setting", f"{name} {what}", subject=name, help=hint)


def _python_path(before: str) -> str:
    """PYTHONPATH with ours first, and once."""
    rest = [part for part in before.split(os.pathsep) if part != _SITE] if before else []
    return os.pathsep.join([_SITE, *rest])
