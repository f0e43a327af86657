"""The command line: words and flags in, one call of `commands` each, the exit code out.

No work is done here. The rule it upholds: every command ends through `reporting.guarded`, so that each failure has the
same form and an exit code that means the same everywhere.
"""

from __future__ import annotations

import os
import shlex
from importlib.metadata import version
from pathlib import Path

import click

from habanero_py import init as initialisation
from habanero_py.commands import drift, explain, history, keys, reads, sign, verify, watch, writes
from habanero_py.config import find_root
from habanero_py.doctor import examine
from habanero_py.errors import UsageError
from habanero_py.invocation import Common, ask_passphrase, common, with_session
from habanero_py.project import Project
from habanero_py.render import open_reader
from habanero_py.reporting import guarded
from habanero_py.session import Session
from habanero_receiver.errors import USAGE, ConfigError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version("habanero-py"), message="habanero-py %(version)s")
def cli() -> None:
    """Gets a saved line of Python into a running production process: tested, signed, hot-swapped, durable."""


@cli.command("watch")
@common
def watch_(shared: Common) -> int:
    """Push each save, once it has passed the gate."""
    return with_session(shared, lambda session, guard: _watch(session, guard, shared, push_first=False))


@cli.command()
@click.option("--once", is_flag=True, help="Push and end.")
@click.option("--dry-run", is_flag=True, help="Let the server try it and throw it away; end.")
@common
def push(shared: Common, once: bool, dry_run: bool) -> int:  # click gives flags so
    """Push what differs from what the server runs, then go on watching."""
    if once or dry_run:
        return with_session(shared, lambda session, _: writes.push_once(session, shared.consent(), check=dry_run))
    return with_session(shared, lambda session, guard: _watch(session, guard, shared, push_first=True))


@cli.command()
@click.option("-w", "--wait", is_flag=True, help="Go on looking until all workers are in step.")
@common
def status(shared: Common, wait: bool) -> int:
    """Show what every worker of every machine runs."""
    look = reads.wait_in_step if wait else reads.status
    return with_session(shared, lambda session, _: look(session))


@cli.command()
@click.option("-n", "--number", default=20, type=click.IntRange(1, 10_000), help="How many releases (default 20).")
@common
def log(shared: Common, number: int) -> int:
    """Show the releases over what is deployed, newest first."""
    return with_session(shared, lambda session, _: history.log(session, number))


@cli.command()
@click.argument("release", type=click.IntRange(0))
@common
def show(shared: Common, release: int) -> int:
    """Show all of one release and what it changed (0: the code as deployed)."""
    return with_session(shared, lambda session, _: history.show(session, release))


@cli.command()
@click.argument("release", type=click.IntRange(0))
@click.argument("other", required=False, type=click.IntRange(0))
@common
def diff(shared: Common, release: int, other: int | None) -> int:
    """Show what lies between two releases (0: the base); of one alone, what it changed."""
    return with_session(shared, lambda session, _: history.diff(session, release, other))


@cli.command()
@click.argument("release", required=False, type=click.IntRange(0))
@common
def rollback(shared: Common, release: int | None) -> int:
    """Bring back the code of a release (0: as deployed; default: the one before), by a new release."""
    return with_session(shared, lambda session, _: writes.rollback(session, shared.consent(), release))


@cli.command()
@common
def clear(shared: Common) -> int:
    """Have machines on which the newest release did not start try it again, by signing it once more."""
    return with_session(shared, lambda session, _: writes.clear(session, shared.consent()))


@cli.command()
@click.argument("reason", required=False)
@common
def freeze(shared: Common, reason: str | None) -> int:
    """Have nothing pushed any more until unfreeze, by a signed entry; REASON is shown to all."""
    return with_session(shared, lambda session, _: writes.freeze(session, shared.consent(), reason))


@cli.command()
@common
def unfreeze(shared: Common) -> int:
    """End a freeze."""
    return with_session(shared, lambda session, _: writes.unfreeze(session, shared.consent()))


@cli.command("sign")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--head", is_flag=True, help="Sign the newest release again, since its key is trusted no more.")
@click.option("--diff", "show_diff", is_flag=True, help="Show how the sources differ.")
@common
def sign_(shared: Common, file: Path | None, head: bool, show_diff: bool) -> int:
    """Look at a pending release FILE, sign it as well, and push it once enough people have."""
    consent = shared.consent()

    def work(session: Session) -> int:
        if (file is None) != head:
            raise UsageError("usage", "sign takes a file, or --head", subject="sign", help="habanero-py sign FILE")
        return sign.sign_head(session, consent) if file is None else sign.sign_file(
            session, consent, file, show_diff=show_diff
        )  # fmt: skip

    return with_session(shared, lambda session, _: work(session))


@cli.command("keys")
@common
def keys_(shared: Common) -> int:
    """Show who may do what where: trusted keys, roles, validity, and what is revoked."""
    return with_session(shared, lambda session, _: keys.keys(session))


@cli.command("verify")
@common
def verify_(shared: Common) -> int:
    """Check the whole journal here, and what every process really runs."""
    return with_session(shared, lambda session, _: verify.verify(session))


@cli.command("drift")
@click.option("--diff", "show_diff", is_flag=True, help="Show how the sources differ.")
@common
def drift_(shared: Common, show_diff: bool) -> int:
    """Show what production runs that git does not have; exit code 9 when there is something."""
    return with_session(shared, lambda session, _: drift.drift(session, show_diff=show_diff))


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
    return with_session(
        shared, lambda session, _: writes.prune(session, consent, days=days, keep=keep, dry_run=dry_run)
    )


@cli.command()
@common
def doctor(shared: Common) -> int:
    """Check everything that a push needs. On a server, doctor --bucket [URL] examines its bucket."""
    return with_session(shared, lambda session, _: examine(session))


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
        reader.show(initialisation.initialise(plan, os.environ, ask_passphrase(shared)))
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


def _watch(session: Session, guard: watch.Guarded, shared: Common, *, push_first: bool) -> int:
    return watch.run(session, shared.consent(), guard, push_first=push_first, keys=shared.interactive)


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
