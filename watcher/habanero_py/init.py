"""Sets a project up: its tables in pyproject.toml, a key, and the lines for the server.

The order is: find everything that can be wrong, make the key, write pyproject.toml. The rule it upholds: the private
key never leaves its file, and a key or a table that exists is never replaced.
"""

from __future__ import annotations

import re
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from habanero_receiver.errors import ConfigError
from habanero_receiver.release.keys import PublicKey

from .config import check_url, read_table
from .events import Initialised
from .pyproject import appended, replace_text
from .settings import PYPROJECT
from .signing import AskPassphrase, generate, open_signer, whoami

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
EMBED = (
    "from habanero_receiver import Receiver",
    "receiver = Receiver.from_env()",
    "receiver.mount(app)",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the person asked for; `watch` and `gate` are () to leave them out.

    `key` is None to make one, else what `signing.open_signer` takes.
    """

    root: Path
    name: str
    app: str
    url: str
    key: str | None = None
    passphrase: str | None = None
    watch: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    confirm: bool = False


def initialise(plan: Plan, environ: Mapping[str, str], ask: AskPassphrase | None = None) -> Initialised:
    """Does it. Everything that can be wrong is found before the first file is written."""
    check_url(plan.url)
    _check_name(plan.name, "target")
    _check_name(plan.app, "application")
    target = f"{plan.app}/{plan.name}#{secrets.token_hex(6)}"
    path = _key_home(environ) / f"{plan.app}-{plan.name}.key"
    key = _short(path) if plan.key is None else _named(plan.key)
    text = _extended(plan, read_table(plan.root), target, key)
    if plan.key is None:
        public = generate(path, whoami(), plan.passphrase)
        wrote = [str(path), f"{path}.pub"]
    else:
        public, wrote = open_signer(plan.key, environ, ask).public, []
    replace_text(plan.root / PYPROJECT, text)
    return Initialised(
        target=target,
        key=key,
        keyid=public.keyid,
        made_key=plan.key is None,
        wrote=[*wrote, str(plan.root / PYPROJECT)],
        server=server_lines(target, public, plan.modules, plan.app),
        embed=EMBED,
        name=plan.name,
    )


def server_lines(target: str, public: PublicKey, modules: Sequence[str], app: str) -> dict[str, str]:
    """The server's environment: whom it trusts, what may be replaced, where releases are kept."""
    return {
        "HABANERO_TARGET": target,
        "HABANERO_TRUSTED_KEYS": " ".join([public.comment or whoami(), *public.openssh().split()[:2]]),
        "HABANERO_MODULES": ",".join(modules),
        "HABANERO_BUCKET": f"file:///var/lib/{app}/habanero",
    }


def project_name(root: Path) -> str:
    """The project's name as a target can hold it: [project] name, else the folder's."""
    try:
        document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        document = {}
    project = document.get("project")
    name = project.get("name") if isinstance(project, dict) else None
    words = re.sub(r"[^a-z0-9]+", "-", str(name or root.resolve().name).lower()).strip("-")
    return words[:63] or "app"


def _extended(plan: Plan, table: Mapping[str, object], target: str, key: str) -> str:
    """The new text of pyproject.toml: one target more, and [tool.habanero] itself when it was not there."""
    targets = table.get("targets", {})
    if isinstance(targets, dict) and plan.name in targets:
        raise ConfigError(
            "target-exists",
            f"[tool.habanero.targets.{plan.name}] exists already and was left as it is",
            subject=plan.name,
            help="choose another name, or take that table out of pyproject.toml first",
        )
    new: dict[str, object] = {"url": plan.url.rstrip("/"), "key": key, "target": target}
    if plan.confirm:
        new["confirm"] = True
    tables: dict[tuple[str, ...], Mapping[str, object]] = {}
    if not table and (top := _top(plan)):
        tables["tool", "habanero"] = top
    tables["tool", "habanero", "targets", plan.name] = new
    path = plan.root / PYPROJECT
    return appended(path.read_bytes().decode() if path.exists() else "", tables)


def _top(plan: Plan) -> dict[str, object]:
    top: dict[str, object] = {}
    if plan.watch:
        top["watch"] = list(plan.watch)
    if plan.gate:
        top["gate"] = list(plan.gate)
    return top


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "bad-name",
            f"{name!r} cannot name a {what}: lower-case letters, digits and hyphens, at most 63",
            subject=name,
            help="for example: habanero-py init production --app shop --url https://shop.example.com/_habanero",
        )


def _key_home(environ: Mapping[str, str]) -> Path:
    base = environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    return Path(base) / "habanero"


def _named(key: str) -> str:
    """A key that exists, as the settings name it: a fingerprint as it is, a file by its path."""
    return key if key.startswith("SHA256:") else _short(Path(key).expanduser())


def _short(path: Path) -> str:
    """The path as a person would write it: ~/ for the home folder."""
    try:
        return f"~/{path.resolve().relative_to(Path.home().resolve()).as_posix()}"
    except (ValueError, RuntimeError):
        return str(path.resolve())
