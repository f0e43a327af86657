"""Reads the command's settings: flags over HABANERO_* over pyproject.toml over defaults.

One loader for every command. It touches nothing but `pyproject.toml`; keys are loaded in `signing`. The rule it
upholds: a setting that this version does not know is refused with the nearest name that it does know, because a
misspelt `confrim = true` that is silently ignored is a push that nobody confirmed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from habanero_receiver.errors import ConfigError
from habanero_receiver.release.statement import Withdraw

from .settings import PYPROJECT, Finder, nearest, refuse_unknown

TOP_KEYS = frozenset({"watch", "gate", "gate_timeout_s", "withdraw", "targets"})
BUCKETS = frozenset({"file", "s3", "gs", "az"})
TARGET_KEYS = frozenset({"url", "key", "target", "confirm", "trusted_keys_file"})
DEFAULT_GATE_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line said; None where it said nothing."""

    project: Path | None = None
    to: str | None = None
    url: str | None = None
    key: str | None = None
    target: str | None = None
    gate: str | None = None
    gate_timeout_s: float | None = None
    watch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetConfig:
    """One place to push to. `target` is "app/environment#id", exactly as the server has it.

    `key` is what `signing.open_signer` takes: a private key's path, or for the ssh-agent a .pub file's or "SHA256:…".
    `trusted_keys_file` lists whose releases `verify` believes, in allowed_signers lines; None means one's own alone.
    """

    name: str
    url: str
    key: str
    target: str
    confirm: bool
    trusted_keys_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one command, and where each came from."""

    root: Path
    watch: tuple[str, ...]
    gate: tuple[str, ...]
    gate_timeout_s: float
    withdraw: Withdraw
    to: TargetConfig
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def app(self) -> str:
        """The application's name, the part of the target before the slash."""
        return self.to.target.partition("/")[0]


def find_root(start: Path, default: Path | None = None) -> Path:
    """The nearest folder at or above `start` with a pyproject.toml, else `default`, else ConfigError."""
    for folder in (start, *start.parents):
        if (folder / PYPROJECT).is_file():
            return folder
    if default is not None:
        return default
    raise ConfigError(
        "no-project",
        f"no {PYPROJECT} in {start} or any folder above it",
        subject=str(start),
        help="run habanero-py in your project's folder, or make it one: habanero-py init",
    )


def read_table(root: Path) -> dict[str, object]:
    """The [tool.habanero] table of the project at `root`; empty when there is none."""
    path = root / PYPROJECT
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError("bad-toml", f"{path} is not valid TOML: {error}", subject=str(path)) from error
    tool = document.get("tool", {})
    table = tool.get("habanero", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict):
        raise ConfigError("bad-setting", "[tool.habanero] is not a table", subject=str(path))
    return table


def load(flags: Flags, environ: Mapping[str, str], cwd: Path) -> Config:
    """Everything a command needs to know, or one ConfigError that names the setting."""
    root = flags.project.resolve() if flags.project else find_root(cwd.resolve())
    table = read_table(root)
    refuse_unknown(table, TOP_KEYS, "[tool.habanero]")
    finder = Finder(environ)
    return Config(
        root=root,
        watch=finder.find("watch", flags.watch, table).words(),
        gate=finder.find("gate", flags.gate, table).words(),
        gate_timeout_s=finder.find("gate_timeout_s", flags.gate_timeout_s, table, DEFAULT_GATE_TIMEOUT_S).seconds(),
        withdraw=finder.find("withdraw", None, table, True).withdraw(),
        to=_target(root, flags, environ, table, finder),
        origins=finder.origins,
    )


def _target(
    root: Path, flags: Flags, environ: Mapping[str, str], table: Mapping[str, object], finder: Finder
) -> TargetConfig:
    targets = table.get("targets", {})
    if not isinstance(targets, dict):
        raise ConfigError("bad-setting", "targets is not a table", subject="tool.habanero.targets")
    for name, value in targets.items():
        where = f"[tool.habanero.targets.{name}]"
        if not isinstance(value, dict):
            raise ConfigError("bad-setting", f"{where} is not a table", subject=where)
        refuse_unknown(value, TARGET_KEYS, where)
    name = _choose(flags.to or environ.get("HABANERO_TO"), targets, complete=_is_complete(flags, environ))
    chosen = targets.get(name, {})
    where = f"[tool.habanero.targets.{name}]"
    url = finder.find("url", flags.url, chosen, where=where).text().rstrip("/")
    check_url(url)
    keys = finder.find("trusted_keys_file", None, chosen)
    return TargetConfig(
        name=name,
        url=url,
        key=_key(finder.find("key", flags.key, chosen, where=where).text()),
        target=finder.find("target", flags.target, chosen, where=where).text(),
        confirm=finder.find("confirm", None, chosen, False).flag(),
        trusted_keys_file=None if keys.value is None else root / Path(keys.text()).expanduser(),
    )


def _key(word: str) -> str:
    return word if word.startswith("SHA256:") else str(Path(word).expanduser())


def _is_complete(flags: Flags, environ: Mapping[str, str]) -> bool:
    """Whether flags and environment name a whole target, so that pyproject.toml needs none."""
    said = {"URL": flags.url, "KEY": flags.key, "TARGET": flags.target}
    return all(value or environ.get(f"HABANERO_{key}") for key, value in said.items())


def _choose(wanted: str | None, targets: Mapping[str, object], *, complete: bool) -> str:
    if wanted is not None:
        if wanted in targets or complete:
            return wanted
        known = ", ".join(sorted(targets)) or "none"
        raise ConfigError(
            "unknown-target",
            f"no target named {wanted} in [tool.habanero.targets]; there are: {known}",
            subject=wanted,
            help=nearest(wanted, targets) or f"habanero-py init {wanted} --url https://...",
        )
    if len(targets) == 1:
        return next(iter(targets))
    if complete:
        return "production"
    if not targets:
        raise ConfigError(
            "no-target",
            "this project has no target to push to",
            subject="tool.habanero.targets",
            help="habanero-py init production --url https://app.example.com/_habanero",
        )
    raise ConfigError(
        "no-target",
        f"this project has several targets: {', '.join(sorted(targets))}",
        subject="tool.habanero.targets",
        help=f"say which: --to {min(targets)}",
    )


_KEY_ALONE = "leave it out: requests are signed with the key, and need no password"


def is_bucket(url: str) -> bool:
    """Whether a target is a bucket that its servers follow, rather than a server's address."""
    return urlsplit(url).scheme in BUCKETS


def check_url(url: str) -> None:
    """Refuses what would send a release in the clear: plain http is for this machine only. Stores have own rules."""
    try:
        if is_bucket(url):
            return
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ConfigError(
            "bad-url",
            f"{url!r} is not an http(s) address",
            subject="url",
            help="for example https://app.example.com/_habanero; or a bucket, s3://my-bucket/shop",
        )
    if parts.username or parts.password:
        raise ConfigError("bad-url", "the address holds a user name or password", subject="url", help=_KEY_ALONE)
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ConfigError(
            "insecure-url",
            f"plain http to {parts.hostname} would show your source code to the network; nothing was sent",
            subject="url",
            help="use https://, or a tunnel: ssh -L 8000:localhost:8000 host, then http://127.0.0.1:8000",
        )


def is_loopback(host: str) -> bool:
    """Whether `host` can only be this machine. Names other than localhost are never looked up."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
