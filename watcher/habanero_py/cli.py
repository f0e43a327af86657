"""The command line: words and flags in, one call of `commands` each, the exit code out.

No work is done here. The rule it upholds: every command ends through `reporting.guarded`, so that each failure has the
same form and an exit code that means the same everywhere.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import update_wrapper
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import click

from habanero_py import events as e
from habanero_py import init as initialisation
from habanero_py.commands import drift, explain, history, reads, verify, watch, writes
from habanero_py.config import Config, Flags, find_root, load
from habanero_py.doctor import examine
from habanero_py.foreign import question
from habanero_py.project import Project
from habanero_py.render import open_reader
from habanero_py.reporting import guarded
from habanero_py.session import Session
from habanero_receiver.errors import USAGE, ConfigError

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


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("habanero-py"), message="habanero-py %(version)s")
def cli() -> None:
    """Gets a saved line of Python into a running production process: tested, signed, hot-swapped, durable."""


@cli.command("watch")
@common
def watch_(shared: Common) -> int:
    """Push each save, once it has passed the gate."""
    return _with_session(shared, lambda session, guard: _watch(session, guard, shared, push_first=False))


@cli.command()
@click.option("--once", is_flag=True, help="Push and end.")
@click.option("--dry-run", is_flag=True, help="Let the server try it and throw it away; end.")
@common
def push(shared: Common, once: bool, dry_run: bool) -> int:  # click gives flags so
    """Push what differs from what the server runs, then go on watching."""
    if once or dry_run:
        return _with_session(shared, lambda session, _: writes.push_once(session, shared.consent(), check=dry_run))
    return _with_session(shared, lambda session, guard: _watch(session, guard, shared, push_first=True))


@cli.command()
@click.option("-w", "--wait", is_flag=True, help="Go on looking until all workers are in step.")
@common
def status(shared: Common, wait: bool) -> int:
    """Show what every worker of every machine runs."""
    look = reads.wait_in_step if wait else reads.status
    return _with_session(shared, lambda session, _: look(session))


@cli.command()
@click.option("-n", "--number", default=20, type=click.IntRange(1, 10_000), help="How many releases (default 20).")
@common
def log(shared: Common, number: int) -> int:
    """Show the releases over what is deployed, newest first."""
    return _with_session(shared, lambda session, _: history.log(session, number))


@cli.command()
@click.argument("release", type=click.IntRange(0))
@common
def show(shared: Common, release: int) -> int:
    """Show all of one release and what it changed (0: the code as deployed)."""
    return _with_session(shared, lambda session, _: history.show(session, release))


@cli.command()
@click.argument("release", type=click.IntRange(0))
@click.argument("other", required=False, type=click.IntRange(0))
@common
def diff(shared: Common, release: int, other: int | None) -> int:
    """Show what lies between two releases (0: the base); of one alone, what it changed."""
    return _with_session(shared, lambda session, _: history.diff(session, release, other))


@cli.command()
@click.argument("release", required=False, type=click.IntRange(0))
@common
def rollback(shared: Common, release: int | None) -> int:
    """Bring back the code of a release (0: as deployed; default: the one before), by a new release."""
    return _with_session(shared, lambda session, _: writes.rollback(session, shared.consent(), release))


@cli.command()
@common
def clear(shared: Common) -> int:
    """Have machines on which the newest release did not start try it again, by signing it once more."""
    return _with_session(shared, lambda session, _: writes.clear(session, shared.consent()))


@cli.command("verify")
@common
def verify_(shared: Common) -> int:
    """Check the whole journal here, and what every process really runs."""
    return _with_session(shared, lambda session, _: verify.verify(session))


@cli.command("drift")
@click.option("--diff", "show_diff", is_flag=True, help="Show how the sources differ.")
@common
def drift_(shared: Common, show_diff: bool) -> int:
    """Show what production runs that git does not have; exit code 9 when there is something."""
    return _with_session(shared, lambda session, _: drift.drift(session, show_diff=show_diff))


@cli.command("explain")
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def explain_(code: str, as_json: bool) -> int:
    """Explain an error code: what it means, why it comes up, what to do."""
    reader = open_reader("production", as_json=as_json)
    return guarded(lambda: explain.explain(code, reader.show), reader.show, lambda: None)


@cli.command()
@click.option("--days", default=30, type=click.IntRange(0, 36_500), help="What is younger stays (default 30).")
@click.option("--keep", default=10, type=click.IntRange(2, 10_000), help="So many releases stay anyway (default 10).")
@click.option("--dry-run", is_flag=True, help="Show what would be removed; end.")
@common
def prune(shared: Common, days: int, keep: int, dry_run: bool) -> int:
    """Remove the code of old releases, and of code deployed long ago, from the bucket."""
    consent = shared.consent()
    return _with_session(
        shared, lambda session, _: writes.prune(session, consent, days=days, keep=keep, dry_run=dry_run)
    )


@cli.command()
@common
def doctor(shared: Common) -> int:
    """Check everything that a push needs. On a server, doctor --bucket [URL] examines its bucket."""
    return _with_session(shared, lambda session, _: examine(session))


@cli.command()
@click.argument("name", default="production")
@click.option("--app", help="The application's name (default: the project's).")
@click.option("--passphrase", is_flag=True, help="Ask for a passphrase for the new key.")
@click.option("--confirm", is_flag=True, help="Ask before the first push of each session.")
@common
def init(shared: Common, name: str, app: str | None, passphrase: bool, confirm: bool) -> int:
    """Set the project up for a target: settings, a key, and the lines for the server."""
    reader = open_reader(name, as_json=shared.as_json)

    def work() -> int:
        flags = shared.flags
        root = flags.project.resolve() if flags.project else find_root(Path.cwd(), default=Path.cwd())
        if not flags.url:
            raise ConfigError(
                "missing-setting",
                "init needs to know where the receiver will be",
                subject="url",
                help=f"habanero-py init {name} --url https://app.example.com/_habanero",
            )
        project = Project.find(root, flags.watch)
        plan = initialisation.Plan(
            root=root,
            name=name,
            app=app or initialisation.project_name(root),
            url=flags.url,
            key=flags.key,
            passphrase=_new_passphrase() if passphrase else None,
            watch=tuple(project.places()),
            gate=tuple(shlex.split(flags.gate)) if flags.gate else (),
            modules=project.top_level,
            confirm=confirm,
        )
        reader.show(initialisation.initialise(plan, os.environ, _ask_passphrase(shared)))
        return 0

    return guarded(work, reader.show, lambda: None, verbose=shared.verbose)


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def run(command: tuple[str, ...]) -> int:
    """Start a server on the newest release: habanero-py run -- uvicorn app:app."""
    from habanero_receiver import run as starting

    return starting.main(command)


@cli.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def fingerprint(words: tuple[str, ...]) -> int:
    """Print the digest of the deployed code that lies here; --write FILE for an image's build."""
    from habanero_receiver import fingerprint as telling

    return telling.main(words)


@cli.command()
def demo() -> int:
    """Show the whole path on a real server on this machine."""
    from habanero_py.demo import main

    return main()


def _with_session(shared: Common, work: Callable[[Session, watch.Guarded], int]) -> int:
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
    session = Session(config, emit, ask_passphrase=_ask_passphrase(shared))
    if shared.yes:
        session.approve = session.go_on = _always
    elif shared.interactive:
        session.approve = lambda found: _confirm(question(found))
        session.go_on = lambda moved: _confirm(watch.everything(moved))
    return session


def _watch(session: Session, guard: watch.Guarded, shared: Common, *, push_first: bool) -> int:
    return watch.run(session, shared.consent(), guard, push_first=push_first, keys=shared.interactive)


def _always(_: object) -> bool:
    return True


def _confirm(question_: str) -> bool:
    return click.confirm(question_, default=False, err=True)


def _ask_passphrase(shared: Common) -> Callable[[Path], str] | None:
    if not shared.interactive:
        return None

    def ask(path: Path) -> str:
        return str(click.prompt(f"Passphrase for {path}", hide_input=True, default="", show_default=False, err=True))

    return ask


def _new_passphrase() -> str:
    return str(click.prompt("Passphrase for the new key", hide_input=True, confirmation_prompt=True, err=True))


def main(words: list[str]) -> int:
    """Runs one command line; the exit code."""
    try:
        code = cli.main(args=words, prog_name="habanero-py", standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return USAGE
    return code if isinstance(code, int) else 0
