"""Whom this server trusts, as its variables and its files say; files are looked at again whenever they change.

    HABANERO_TRUSTED_KEYS    or  HABANERO_TRUSTED_KEYS_FILE     allowed_signers lines
    HABANERO_REVOKED_KEYS    and HABANERO_REVOKED_KEYS_FILE     fingerprints, SHA256:…
    HABANERO_ROLES           or  HABANERO_ROLES_FILE            who may do what where; without either, all may all

What it does: reads the lists, strictly, and tells a running process when they say something else. What it does not: it
judges nobody (`policy` does). A variable is read once: changing it takes a restart.

The rules it upholds: a file that others could have written, or that is not understood in full, is as good as none.
At the start that ends the start; in a running process what was known before serves for refusing alone, until the file
is right again. And what was revoked stays revoked in this process, so that a list that is just being written, or was
lost, opens nothing.
"""

from __future__ import annotations

import logging
import os
import re
import stat
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from habanero_receiver.errors import ConfigError, TrustError
from habanero_receiver.release.keys import TrustedKey, parse_allowed_signers
from habanero_receiver.release.roles import Roles, parse_roles
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from habanero_receiver.policy import TrustPolicy

_log = logging.getLogger("habanero")

MAX_LIST_BYTES = 256 * 1024
FILES = ("HABANERO_TRUSTED_KEYS_FILE", "HABANERO_REVOKED_KEYS_FILE", "HABANERO_ROLES_FILE")
_FRESH_S = 2.0
"""A file that was changed so lately may be changed again without a sign of it: its times are not that fine."""
_TRIES = 3
_KEYID = r"SHA256:[A-Za-z0-9+/]{43}"
_OTHERS = stat.S_IWGRP | stat.S_IWOTH

Mark = tuple[int, ...] | None
"""What a changed file does not share with the one before: its place, size, times, owner and mode; None without one."""


class Lists(NamedTuple):
    """What the lists say. `roles` None: there is no such list."""

    keys: tuple[TrustedKey, ...]
    revoked: frozenset[str]
    roles: Roles | None


class ListSources(NamedTuple):
    """Where each list comes from: text from the environment, or a file."""

    trusted: str | Path
    revoked: str
    revoked_file: Path | None
    roles: str | Path | None

    @classmethod
    def from_env(cls, environ: Mapping[str, str], cwd: Path) -> ListSources | None:
        """Those that are named; None without trusted keys. ConfigError when two say the same thing."""
        trusted = _one_of(environ, "HABANERO_TRUSTED_KEYS", cwd)
        if trusted is None:
            return None
        file = environ.get("HABANERO_REVOKED_KEYS_FILE")
        return cls(
            trusted=trusted,
            revoked=environ.get("HABANERO_REVOKED_KEYS", ""),
            revoked_file=cwd / file if file else None,
            roles=_one_of(environ, "HABANERO_ROLES", cwd),
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """Those that may change while the process runs."""
        return tuple(each for each in (self.trusted, self.revoked_file, self.roles) if isinstance(each, Path))

    def read(self) -> Lists:
        """What they say now; ConfigError for whatever is not understood in full."""
        keys = parse_allowed_signers(_text(self.trusted))
        if not keys:
            raise ConfigError(
                "bad-setting",
                f"{self.trusted} lists no key",
                subject="HABANERO_TRUSTED_KEYS_FILE",
                help="a line for each key: ana@laptop ssh-ed25519 AAAA…",
            )
        listed = _text(self.revoked_file) if self.revoked_file is not None else ""
        return Lists(
            keys=keys,
            revoked=_revoked(self.revoked) | _revoked(listed),
            roles=None if self.roles is None else parse_roles(_text(self.roles)),
        )


class Keyring:
    """The lists of one running process. Any thread may look; what it finds it sets at once, as a whole."""

    def __init__(self, sources: ListSources) -> None:
        self._sources = sources
        self._marks: tuple[Mark, ...] | None = None
        self.fault: ConfigError | None = None

    def look(self, policy: TrustPolicy) -> TrustPolicy:
        """The policy with what the lists say now: the same object when they did not change, or cannot be read.

        Some calls of stat while nothing changes. After it `fault` says why they cannot be read, None when they can.
        """
        files = self._sources.files
        if not files or _marks(files) == self._marks:
            return policy
        try:
            marks, lists = self._settled()
            found = replace(
                policy, keys=lists.keys, revoked=policy.revoked | lists.revoked, roles=lists.roles
            )
            found.check()
        except ConfigError as error:
            self._marks = None if _fresh(files) else _marks(files)
            self._failed(error)
            return policy
        self._marks = None if _fresh(files) else marks
        healed, self.fault = self.fault is not None, None
        if found == policy:
            found = policy
        if healed or found is not policy:
            _log.warning("the trusted keys were read again: %d keys, %d revoked", len(found.keys), len(found.revoked))
        return found

    def check(self) -> None:
        """TrustError "keys-unreadable" while a list cannot be read."""
        if self.fault is not None:
            raise TrustError(
                "keys-unreadable",
                f"this server cannot read whom it trusts, so it takes nothing: {self.fault.message}; nothing changed",
                subject=self.fault.subject,
                help=self.fault.help,
            )

    def _settled(self) -> tuple[tuple[Mark, ...], Lists]:
        """The lists as they were all at once: read again when one changed while they were read."""
        for _ in range(_TRIES):
            before = _marks(self._sources.files)
            lists = self._sources.read()
            if _marks(self._sources.files) == before:
                return before, lists
        raise ConfigError("trust-file", "the lists of trusted keys change while they are read", help="wait a moment")

    def _failed(self, error: ConfigError) -> None:
        if self.fault is None or self.fault.message != error.message:
            _log.error(
                "error[%s]: %s; the code that runs stays, and nothing is taken from anybody until that is mended"
                "\n  help: %s", error.code, error.message, error.help,
            )  # fmt: skip
        self.fault = error


def _one_of(environ: Mapping[str, str], name: str, cwd: Path) -> str | Path | None:
    text, file = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if text.strip() and file:
        raise ConfigError(
            "bad-setting", f"{name} and {name}_FILE are both set", subject=name, help="keep one of the two"
        )
    if file:
        return cwd / file
    return text if text.strip() else None


def _text(source: str | Path) -> str:
    return guarded_text(source) if isinstance(source, Path) else source


def guarded_text(path: Path) -> str:
    """The text of a file that decides who may change this process; refused when anybody else may write it.

    ConfigError "trust-file".
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            status, folder = os.fstat(handle), path.parent.stat()
            data = os.read(handle, MAX_LIST_BYTES + 1) if stat.S_ISREG(status.st_mode) else b""
        finally:
            os.close(handle)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("trust-file", f"the list in {path} cannot be read: {error}", subject=str(path)) from error
    if not stat.S_ISREG(status.st_mode) or len(data) > MAX_LIST_BYTES:
        raise ConfigError(
            "trust-file", f"{path} is not a file of at most {MAX_LIST_BYTES} bytes", subject=str(path)
        )
    if status.st_uid not in (0, os.geteuid()) or folder.st_uid not in (0, os.geteuid()):
        raise _unsafe(path, "belongs, or its folder does, to another user", f"chown it and {path.parent}")
    if status.st_mode & _OTHERS:
        raise _unsafe(path, "can be written by other users of this machine", f"chmod go-w {path}")
    if folder.st_mode & _OTHERS and not folder.st_mode & stat.S_ISVTX:
        raise _unsafe(path, "lies in a folder that other users can write to", f"chmod go-w {path.parent}")
    return text


def _unsafe(path: Path, what: str, command: str) -> ConfigError:
    return ConfigError("trust-file", f"the list {path} {what}: it is not believed", subject=str(path), help=command)


def _revoked(text: str) -> frozenset[str]:
    lines = (line.partition("#")[0] for line in text.splitlines())
    words = frozenset(" ".join(lines).replace(",", " ").split())
    for word in words:
        if not re.fullmatch(_KEYID, word):
            raise ConfigError(
                "bad-setting",
                f"HABANERO_REVOKED_KEYS, or its file, holds {word[:60]!r}",
                subject="HABANERO_REVOKED_KEYS",
                help="fingerprints as ssh-keygen -lf prints them: SHA256:…",
            )
    return words


def _marks(files: tuple[Path, ...]) -> tuple[Mark, ...]:
    return tuple(_mark(path) for path in files)


def _mark(path: Path) -> Mark:
    try:
        file, folder = path.stat(), path.parent.stat()
    except OSError:
        return None
    times = (file.st_mtime_ns, file.st_ctime_ns)
    return (file.st_dev, file.st_ino, file.st_size, *times, file.st_mode, file.st_uid, folder.st_mode, folder.st_uid)


def _fresh(files: tuple[Path, ...]) -> bool:
    try:
        return any(path.stat().st_ctime > time.time() - _FRESH_S for path in files)
    except OSError:
        return True
