"""What every command shares: its flags, its questions, and the session, reader and exit code around it.

No command is here, and no work is done. The rule it upholds: every command ends through `reporting.guarded`, so that
each failure has the same form and an exit code that means the same everywhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import Any, TypeVar

import click

from habanero_py import events as e
from habanero_py.commands import watch, writes
from habanero_py.config import Config, Flags, load
from habanero_py.foreign import question
from habanero_py.render import open_reader
from habanero_py.reporting import guarded
from habanero_py.session import Session

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Common:
    """The flags that every command has."""

    flags: Flags
    as_json: bool
    verbose: bool
    yes: bool

    @property
    def interactive(self) -> bool:
        """Whether a person can be asked."""
        return sys.stdin.isatty() and sys.stderr.isatty() and not self.as_json

    def consent(self) -> writes.Consent:
        """How this run answers questions."""
        return writes.Consent(self.yes, _confirm if self.interactive else None)


def common(function: F) -> F:
    """Adds the flags of every command and gives them to `function` as one `Common`."""

    def wrapped(**words: Any) -> Any:  # noqa: ANN401  # click's callbacks take what was declared
        flags = Flags(
            project=words.pop("project"),
            to=words.pop("to"),
            url=words.pop("url"),
            key=words.pop("key"),
            target=words.pop("target"),
            gate=words.pop("gate"),
            gate_timeout_s=words.pop("gate_timeout_s"),
            watch=words.pop("watch_paths"),
        )
        shared = Common(flags, words.pop("as_json"), words.pop("verbose"), words.pop("yes"))
        return function(shared, **words)

    for option in reversed(
        (
            click.option("-t", "--to", help="Which of [tool.habanero.targets]; needed when there are several."),
            click.option("--project", type=FOLDER, help="The project's folder (default: found upwards)."),
            click.option("--url", help="Where the receiver is, with its prefix: https://host/_habanero."),
            click.option("--key", help="The key that signs: an ed25519 file; a .pub file or SHA256:… for the agent."),
            click.option("--target", help='The deployment, "app/environment#id", as the server has it.'),
            click.option("--gate", help="The test command; no shell runs it."),
            click.option("--gate-timeout-s", type=float, help="How long the gate may take."),
            click.option("--watch", "watch_paths", multiple=True, help="A package to watch; may be given again."),
            click.option("-y", "--yes", is_flag=True, help="Answer every question with yes."),
            click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout."),
            click.option("-v", "--verbose", is_flag=True, help="Show where an error came from."),
        )
    ):
        wrapped = option(wrapped)
    return update_wrapper(wrapped, function)  # type: ignore[return-value]  # click calls it by its options


def with_session(shared: Common, work: Callable[[Session, watch.Guarded], int]) -> int:
    """Settings, reader and session around a command; everything is closed again."""
    reader = open_reader(shared.flags.to or "production", as_json=shared.as_json)
    opened: list[Session] = []

    def running() -> int | None:
        return opened[0].pusher.running if opened else None

    def guard(action: Callable[[], int]) -> int:
        return guarded(action, reader.show, running, verbose=shared.verbose)

    def whole() -> int:
        config = load(shared.flags, os.environ, Path.cwd())
        with _session(config, reader.show, shared) as session:
            opened.append(session)
            return work(session, guard)

    try:
        return guard(whole)
    finally:
        reader.close()


def _session(config: Config, emit: Callable[[e.Event], None], shared: Common) -> Session:
    session = Session(config, emit, ask_passphrase=ask_passphrase(shared))
    if shared.yes:
        session.approve = session.go_on = _always
    elif shared.interactive:
        session.approve = lambda found: _confirm(question(found))
        session.go_on = lambda moved: _confirm(watch.everything(moved))
    return session


def _always(_: object) -> bool:
    return True


def _confirm(question_: str) -> bool:
    return click.confirm(question_, default=False, err=True)


def ask_passphrase(shared: Common) -> Callable[[Path], str] | None:
    """How to ask for a key's passphrase; None where there is nobody to ask."""
    if not shared.interactive:
        return None

    def ask(path: Path) -> str:
        return str(click.prompt(f"Passphrase for {path}", hide_input=True, default="", show_default=False, err=True))

    return ask
