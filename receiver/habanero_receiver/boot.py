"""Boot: puts the newest release before the disk, before the app's first module is imported.

    settings -> base fingerprint -> head of the journal for that base -> all of it verified -> import finder

It is the path of a change cut short: the same rules judge the release, but no living module has to be patched. Once
per process; a forked child has what its parent had. What it does not: no HTTP, no import of the app, and nothing
unmarshalled (an import does that, module by module). Which release it is is `journal.newest`'s to say.

The rule it upholds: the process starts on one release, whole, or on the code on disk, whole. When it is not the newest
one it says why, at the level of an error; HABANERO_BOOT=require makes what cannot be verified or loaded end the start.
Settings that cannot be used always do.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from habanero_receiver import verdicts
from habanero_receiver.config import ReceiverConfig, child_environment
from habanero_receiver.errors import ConfigError, HabaneroError
from habanero_receiver.journal.base import Base
from habanero_receiver.journal.bucket import open_bucket
from habanero_receiver.journal.candidate import Candidate
from habanero_receiver.journal.journal import Journal
from habanero_receiver.journal.local import LocalState
from habanero_receiver.journal.newest import Chooser, Chosen, Place
from habanero_receiver.overlay import Overlay
from habanero_receiver.starting import Start, StartLedger
from habanero_receiver.trust import Head
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from habanero_receiver.release.manifest import Manifest
    from habanero_receiver.release.statement import Statement

_log = logging.getLogger("habanero")


class Booted(NamedTuple):
    """What this process started on.

    `head`, `statement` and `manifest` are None on the base. `newest` is the journal's newest release, which another
    one may run in place of. `trouble` is why it is not the journal's last entry that runs, if it is not.
    """

    config: ReceiverConfig
    base: Base
    journal: Journal
    overlay: Overlay
    local: LocalState
    start: Start
    ledger: StartLedger
    chosen: Chosen

    @property
    def head(self) -> Head | None:
        """The release that was started on."""
        return None if self.statement is None else self.chosen.run.head

    @property
    def statement(self) -> Statement | None:
        """What it says."""
        return self.chosen.run.statement

    @property
    def manifest(self) -> Manifest | None:
        """Its modules."""
        return self.chosen.manifest

    @property
    def newest(self) -> Candidate:
        """The newest release that was found."""
        return self.chosen.newest

    @property
    def trouble(self) -> HabaneroError | None:
        """Why it is not the journal's last entry that runs."""
        return self.chosen.trouble


class _Process:
    def __init__(self) -> None:
        self.booting_lock = threading.RLock()
        self.booted: Booted | None = None


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
            with _uncollected():
                _process.booted = _boot(config)
            os.environ.update(child_environment(config, os.environ))
        return _process.booted


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """What a start makes is there to stay: to look for garbage among it, again and again, finds none."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _boot(config: ReceiverConfig) -> Booted:
    base = _base(config)
    journal = Journal(open_bucket(config.bucket), config.app, config.environment, base.digest)
    local = LocalState.of(config.state, config.target, config.instance, base.digest)
    ledger = StartLedger(local, config.start_limit, config.ready_after_s)
    files = {name: base.modules[name].file for name in config.top_level if name in base.modules}
    overlay = Overlay(files, lambda *where: _misplaced(config, *where))
    start = Start(ledger, config.ready_after_s, lambda name: _is_ours(overlay, base, name), _reconsider)
    booted = Booted(config, base, journal, overlay, local, start, ledger, _choose(config, journal, base, local, ledger))
    _tell(config, booted.chosen)
    overlay.replace(booted.chosen.images)
    overlay.on_import = start.asked if config.start_limit else None
    overlay.install()
    return booted


def _base(config: ReceiverConfig) -> Base:
    if config.fingerprint is not None:
        from habanero_receiver.journal import baked

        found = baked.read(config.fingerprint, config.root, config.top_level)
        if isinstance(found, Base):
            return found
        _log.warning("%s does not tell this base, so every source is read: %s", config.fingerprint, found)
    return Base.scan(config.root, config.top_level)


def _choose(
    config: ReceiverConfig, journal: Journal, base: Base, local: LocalState, ledger: StartLedger
) -> Chosen:
    condemned = verdicts.of_this_machine(ledger, config.instance)
    try:
        with open_bucket(config.bucket).aside() as bucket:  # this process may be one that forks its workers
            reading = Journal(bucket, config.app, config.environment, base.digest)
            verdicts.tell(ledger, bucket, reading, config.instance, config.boot_wait_s)
            place = Place(base.digest, config.root, config.policy(), local, journal)
            chosen = Chooser(bucket, reading, place, config.boot_wait_s).choose(condemned)
            if chosen.withdrawn is not None and chosen.withdrawn.digest not in condemned:
                newest = chosen.newest.head  # others say so: remembered for when it is no longer the newest
                ledger.condemn(newest.digest, newest.seq, chosen.withdrawn.reason, told=True)
            return chosen
    except ConfigError:
        raise
    except HabaneroError as error:
        trouble = error
    except Exception as error:  # a fault of ours must not take the app down with it
        _log.exception("boot failed unexpectedly")
        trouble = HabaneroError("internal", f"boot failed: {type(error).__name__}: {error}")
    deployed = Candidate(Head.start(base.digest))
    return Chosen(deployed, deployed, trouble=trouble)


def _reconsider() -> tuple[str, int] | None:
    """Just before the app's first import: what is started on, if failing counts against it.

    A process may have been forked long after its parent booted (a server's worker that replaces one that died), and
    the release that the parent chose may have been condemned in between.
    """
    with _process.booting_lock:
        booted = _process.booted
        if booted is None or booted.head is None:
            return None
        if booted.head.digest in booted.ledger.condemned():
            chosen = _choose(booted.config, booted.journal, booted.base, booted.local, booted.ledger)
            booted = _process.booted = booted._replace(chosen=chosen)
            _tell(booted.config, chosen)
            booted.overlay.replace(chosen.images)
        if booted.head is None:
            return None
        try:
            booted.local.raise_floor(booted.head.seq, booted.head.digest)
        except OSError as error:
            _log.warning("release %d is not remembered on this machine's disk: %s", booted.head.seq, error)
        return (booted.head.digest, booted.head.seq) if booted.chosen.counts else None


def _is_ours(overlay: Overlay, base: Base, name: str) -> bool:
    """Whether there is such a module of the app."""
    return overlay.images[name] is not None if name in overlay.images else name in base.modules


def _tell(config: ReceiverConfig, chosen: Chosen) -> None:
    """Log what starts, and why; raise instead when what starts is not the head and only the head will do."""
    trouble = chosen.trouble
    seq = chosen.run.head.seq
    runs = f"release {seq}" if seq else "the code on disk, without any release,"
    if trouble is None:
        _log.info("%s runs in process %d", runs, os.getpid())
        return
    if config.boot == "require" and trouble.code != "condemned":
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
