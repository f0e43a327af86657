"""`python -m habanero_receiver fingerprint [--write FILE]`: the digest of the code that lies here, for building images.

It needs the packages' names and folder alone, no keys and no bucket, and prints the digest that a server with these
files has as its base. With --write it notes what a start with HABANERO_FINGERPRINT=FILE then need not read again.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from habanero_receiver.config import sources_of
from habanero_receiver.errors import CODES, ConfigError, HabaneroError
from habanero_receiver.journal import baked
from habanero_receiver.journal.base import Base
from habanero_receiver.run import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = "usage: python -m habanero_receiver fingerprint [--write FILE]\n"


def main(words: Sequence[str]) -> int:
    """Print the fingerprint; gives the exit code."""
    if list(words[:1]) in (["-h"], ["--help"]):
        sys.stdout.write(USAGE)
        return 0
    try:
        sys.stdout.write(f"{_fingerprint(words)}\n")
    except HabaneroError as error:
        sys.stderr.write(describe(error))
        return CODES[error.code].exit
    return 0


def _fingerprint(words: Sequence[str]) -> str:
    if len(words) not in (0, 2) or (words and words[0] != "--write"):
        raise ConfigError("usage", "the command line cannot be understood; nothing was written", help=USAGE.rstrip())
    root, top_level = sources_of(os.environ, Path.cwd())
    base = Base.scan(root, top_level)
    if words:
        try:
            baked.write(base, Path(words[1]))
        except OSError as error:
            raise ConfigError(
                "bad-setting",
                f"{words[1]} cannot be written: {error.strerror}",
                subject=words[1],
                help="name a file in a folder that is there, and that this user can write to",
            ) from error
    return base.digest
