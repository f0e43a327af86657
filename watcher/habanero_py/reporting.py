"""Turns what a command raised into what a person or a program is told, and into the exit code.

The rule it upholds: a failure of ours never shows its stack on the terminal; it lies in a file whose path is told.
"""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

from habanero_py import events as e
from habanero_py.client import RemoteError
from habanero_py.codes import INTERRUPTED, exit_code
from habanero_receiver.errors import BUG, UNREACHABLE, HabaneroError


def guarded(
    action: Callable[[], int],
    emit: Callable[[e.Event], None],
    running: Callable[[], int | None],
    *,
    verbose: bool = False,
) -> int:
    """Runs `action`; its exit code, or that of what it raised after an event told of it."""
    try:
        return action()
    except HabaneroError as error:
        emit(refused(error, running(), trace=traceback.format_exc() if verbose else ""))
        return exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # a bug of ours: told with the place of its traceback
        emit(_bug(error, running(), traceback.format_exc()))
        return BUG


def refused(error: HabaneroError, running: int | None, trace: str = "") -> e.Refused:
    """The event of an error. What runs is said only where that is known."""
    code = exit_code(error)
    remote = isinstance(error, RemoteError)
    heard = error.running if isinstance(error, RemoteError) else None
    known = heard if heard is not None else running
    return e.Refused(
        code=error.code,
        message=f"{error.message}\n{trace}" if trace else error.message,
        exit=code,
        subject=error.subject or None,
        help=error.help or None,
        running=None if code == UNREACHABLE else known,
        by_server=remote,
        refusals=error.refusals if isinstance(error, RemoteError) else (),
        traceback=error.traceback if isinstance(error, RemoteError) else None,
    )


def _bug(error: Exception, running: int | None, trace: str) -> e.Refused:
    return e.Refused(
        code="internal",
        message=f"unexpected {type(error).__name__}: {error}",
        exit=BUG,
        help=f"this is a mistake in habanero-py; its traceback is in {_saved(trace)}",
        running=running,
    )


def _saved(trace: str) -> Path:
    with tempfile.NamedTemporaryFile("w", prefix="habanero-py-", suffix=".log", delete=False) as file:
        file.write(trace)
    return Path(file.name)
