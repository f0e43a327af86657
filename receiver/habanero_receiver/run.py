"""`habanero-py run -- command …`: starts a server so that it, and every Python that it starts, boots first.

It checks the settings, prepares the environment and becomes the command; nothing of it stays in memory. It starts
nothing beside the command and reads no journal: the command's own process does, in `sitecustomize`.

The rule it upholds: a command that is started with settings that cannot be used is not started at all.
"""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from habanero_receiver.config import ReceiverConfig, child_environment
from habanero_receiver.errors import CODES, ConfigError, HabaneroError

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = "usage: habanero-py run -- command [argument ...]\n"
_log = logging.getLogger("habanero")


def main(words: Sequence[str]) -> int:
    """Become the command in `words` (a leading "--" is dropped). Gives an exit code only when it could not."""
    if words[:1] == ["-h"] or words[:1] == ["--help"]:
        sys.stdout.write(f"{USAGE}\nStarts the command on the newest release, and every Python that it starts.\n")
        return 0
    command = list(words[1:] if words[:1] == ["--"] else words)
    try:
        return _become(command)
    except HabaneroError as error:
        sys.stderr.write(describe(error))
        return CODES[error.code].exit


def describe(error: HabaneroError) -> str:
    """The error as a person reads it."""
    help_line = f"  help: {error.help}\n" if error.help else ""
    return f"error[{error.code}]: {error.message}\n{help_line}"


def _become(command: list[str]) -> int:
    if not command or command[0].startswith("-"):
        raise ConfigError("usage", "run needs a command to start; nothing was started", help=USAGE.rstrip())
    config = ReceiverConfig.from_env(os.environ, Path.cwd())
    environ = dict(os.environ)
    if config is None:
        _log.warning("HABANERO_TRUSTED_KEYS is not set: %s starts without habanero", command[0])
    else:
        environ.update(child_environment(config, environ))
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, environ)  # noqa: S606  # a list of words, without a shell, is the point
    except OSError as error:
        raise ConfigError(
            "command-not-found",
            f"{command[0]} could not be started: {error.strerror}",
            subject=command[0],
            help="is it installed, and on PATH?",
        ) from error
