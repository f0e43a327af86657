"""Boot: puts the newest release before the disk, before the app's first module is imported.

    settings -> base fingerprint -> head of the journal for that base -> all of it verified -> import finder

It is the path of a change cut short: the same rules judge the release, but no living module has to be patched. Once
per process; a forked child has what its parent had. What it does not: no thread, no HTTP, no import of the app, and
nothing unmarshalled (an import does that, module by module).

The rule it upholds: the process starts on one release, whole, or on the code on disk, whole. When the newest release
cannot be verified or loaded it says so at the level of an error and goes on with the newest one that can be verified,
or else with the disk; HABANERO_BOOT=require makes any such thing end the start. Settings that cannot be used always do.
"""

from __future__ import annotations

import logging
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from habanero_receiver.config import ReceiverConfig, child_environment
from habanero_receiver.errors import ConfigError, HabaneroError, StoreError
from habanero_receiver.journal.base import Base
from habanero_receiver.journal.bucket import open_bucket
from habanero_receiver.journal.head import find_head
from habanero_receiver.journal.images import load_images
from habanero_receiver.journal.journal import Journal
from habanero_receiver.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from habanero_receiver.journal.bucket import Bucket
    from habanero_receiver.release.manifest import Manifest
    from habanero_receiver.release.statement import Statement
    from habanero_receiver.swap.image import ModuleImage
    from habanero_receiver.trust import Head

_log = logging.getLogger("habanero")


@dataclass(frozen=True, slots=True)
class Booted:
    """What this process started on.

    `head`, `statement` and `manifest` are None on the base. `trouble` is why it is not the journal's last entry that
    runs, if it is not.
    """

    config: ReceiverConfig
    base: Base
    journal: Journal
    overlay: Overlay
    head: Head | None = None
    statement: Statement | None = None
    manifest: Manifest | None = None
    trouble: HabaneroError | None = None


@dataclass(slots=True)
class _Process:
    booting_lock: threading.RLock = field(default_factory=threading.RLock)
    booted: Booted | None = None


@dataclass(slots=True)
class _Start:
    """What loading came to, so far."""

    head: Head | None = None
    statement: Statement | None = None
    manifest: Manifest | None = None
    images: Mapping[str, ModuleImage | None] = field(default_factory=dict)
    trouble: HabaneroError | None = None


_process = _Process()


def current() -> Booted | None:
    """What this process booted, or None while it has not."""
    return _process.booted


def boot_from_env() -> Booted | None:
    """Boot with the settings of the environment; None, and nothing done, without trusted keys. Errors as `boot`."""
    if _process.booted is not None:
        return _process.booted
    config = ReceiverConfig.from_env(os.environ, Path.cwd())
    return None if config is None else boot(config)


def boot(config: ReceiverConfig) -> Booted:
    """Install the overlay of the newest release; the first call of a process does it, later ones give what it gave.

    Also sets the environment so that child processes boot the same way. ConfigError for settings that cannot be used,
    StoreError when the base cannot be read, and with `config.boot` "require" whatever stands in the way of the head.
    """
    with _process.booting_lock:
        if _process.booted is None:
            _process.booted = _boot(config)
            os.environ.update(child_environment(config, os.environ))
        return _process.booted


def _boot(config: ReceiverConfig) -> Booted:
    bucket = open_bucket(config.bucket)
    base = Base.scan(config.root, config.top_level)
    journal = Journal(bucket, config.app, config.environment, base.digest)
    start = _Start()
    try:
        with bucket.aside() as aside:  # this process may be one that forks its workers
            _load(start, config, aside, Journal(aside, config.app, config.environment, base.digest), base)
    except ConfigError:
        raise
    except HabaneroError as error:
        start = _Start(trouble=error)
    except Exception as error:  # a fault of ours must not take the app down with it
        _log.exception("boot failed unexpectedly")
        start = _Start(trouble=HabaneroError("internal", f"boot failed: {type(error).__name__}: {error}"))
    _tell(config, start)
    files = {name: base.modules[name].file for name in config.top_level if name in base.modules}
    overlay = Overlay(files, lambda *where: _misplaced(config, *where))
    overlay.replace(start.images)
    overlay.install()
    return Booted(config, base, journal, overlay, start.head, start.statement, start.manifest, start.trouble)


def _load(start: _Start, config: ReceiverConfig, bucket: Bucket, journal: Journal, base: Base) -> None:
    if not bucket.check():
        raise StoreError(
            "store-missing",
            f"there is no bucket at {config.bucket} yet",
            subject=config.bucket,
            help="as it should be before the first push, which makes it; later it means that a volume is not mounted",
        )
    journal.check_format()
    policy = config.policy()
    found = find_head(journal, policy, base.digest)
    start.trouble = found.refused
    if found.statement is not None:
        start.manifest, start.images = load_images(journal, found.statement, policy, config.root)
        start.head, start.statement = found.head, found.statement


def _tell(config: ReceiverConfig, start: _Start) -> None:
    """Log what starts, and why; raise instead when what starts is not the head and only the head will do."""
    trouble = start.trouble
    runs = f"release {start.head.seq}" if start.head is not None else "the code on disk, without any release,"
    if trouble is None:
        _log.info("%s runs in process %d", runs, os.getpid())
        return
    if config.boot == "require":
        raise trouble
    level, word = (logging.WARNING, "warning") if trouble.code == "store-missing" else (logging.ERROR, "error")
    help_line = f"\n  help: {trouble.help}" if trouble.help else ""
    _log.log(level, "%s[%s]: %s; %s runs in process %d%s",
             word, trouble.code, trouble.message, runs, os.getpid(), help_line)  # fmt: skip


def _misplaced(config: ReceiverConfig, name: str, imported: str, deployed: Path) -> None:
    """Say that the app turns out to be imported from elsewhere, so that no release may be laid over it."""
    error = ConfigError(
        "misplaced",
        f"{name} is imported from {imported}, but HABANERO_ROOT makes it {deployed}",
        subject=name,
        help="set HABANERO_ROOT to the folder that the process imports its packages from",
    )
    if config.boot == "require":
        raise error
    _log.error("error[%s]: %s; the code on disk runs, without any release\n  help: %s",
               error.code, error.message, error.help)  # fmt: skip
