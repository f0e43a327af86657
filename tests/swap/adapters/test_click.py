"""Commands of click and typer follow their functions, in the groups that hold them."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

click = pytest.importorskip("click")
from click.testing import CliRunner  # noqa: E402  # only where there is click

TOOL = dedented(
    {
        "tool/": "",
        "tool.cli": """
        import click

        class State:
            def __init__(self):
                self.seen = []

        pass_state = click.make_pass_decorator(State, ensure=True)

        @click.group()
        @click.option("--debug/--no-debug", default=False)
        @click.pass_context
        def cli(ctx, debug):
            ctx.obj = {"debug": debug}

        @cli.command()
        @click.argument("name")
        @click.option("--count", default=1)
        @click.pass_context
        def greet(ctx, name, count):
            "Greets."
            click.echo(f"hi {name} " * count + str(ctx.obj["debug"]))

        @cli.command("old-name")
        def renamed():
            click.echo("renamed")

        @cli.command()
        def gone():
            click.echo("gone")

        @cli.group()
        def db():
            pass

        @db.command()
        @click.option("--to")
        def migrate(to):
            click.echo(f"to {to}")

        @click.command()
        @click.option("--x", type=int, default=3)
        def alone(x):
            click.echo(x)

        cli.add_command(alone)
    """,
    }
)


def run(cli: Any, *words: str) -> str:
    result = CliRunner().invoke(cli, words)
    return result.output.strip() if result.exit_code == 0 else f"exit {result.exit_code}"


def test_bodies_options_and_commands(start: Any) -> None:
    """Bodies, defaults, added options; renamed, removed, added commands; nested groups: in their places, once."""
    app = start(TOOL)
    module = app.load("tool.cli")
    cli, greet = module.cli, module.greet
    names = list(cli.commands)
    assert run(cli, "greet", "ana") == "hi ana False"
    text = (
        TOOL["tool.cli"]
        .replace('"--count", default=1)', '"--count", default=2)\n@click.option("--loud", is_flag=True)')
        .replace("def greet(ctx, name, count):", "def greet(ctx, name, count, loud):")
        .replace('f"hi {name} " * count', 'f"hey {name.upper() if loud else name} " * count')
        .replace('"old-name"', '"new-name"')
        .replace('@cli.command()\ndef gone():\n    click.echo("gone")\n', "")
        .replace('"--to")', '"--to", default="head")')
        .replace("default=3", "default=4")
        .replace('--debug/--no-debug", default=False', '--debug/--no-debug", default=True')
    )
    text += "@db.command()\ndef stamp():\n    click.echo('stamped')\n"
    committed = app.push({"tool.cli": text})
    assert module.cli is cli
    assert list(cli.commands) == ["greet", "new-name", "db", "alone"]
    assert run(cli, "greet", "ana") == "hey ana hey ana True"
    assert run(cli, "greet", "ana", "--loud", "--count", "1") == "hey ANA True"
    assert run(greet, "ana") != ""
    assert run(cli, "new-name") == "renamed"
    assert run(cli, "old-name") == "exit 2"
    assert run(cli, "gone") == "exit 2"
    assert run(cli, "db", "migrate") == "to head"
    assert run(cli, "db", "stamp") == "stamped"
    assert run(cli, "alone") == "4"
    committed.undo()
    assert list(cli.commands) == names
    assert run(cli, "greet", "ana") == "hi ana False"
    assert run(cli, "gone") == "gone"
    assert run(cli, "db", "stamp") == "exit 2"
    assert run(cli, "alone") == "3"


def test_help_follows_the_docstring(start: Any) -> None:
    """A command's help is that of the docstring that runs."""
    app = start(TOOL)
    cli = app.load("tool.cli").cli
    app.push({"tool.cli": TOOL["tool.cli"].replace('"Greets."', '"Says hello."')})
    assert "Says hello." in run(cli, "greet", "--help")


TYPER = dedented(
    {
        "tool": """
        import typer
        app = typer.Typer()
        sub = typer.Typer()
        app.add_typer(sub, name="sub")

        @app.command()
        def greet(name: str, count: int = 1):
            typer.echo(f"hi {name}" * count)

        @app.command("old")
        def renamed():
            typer.echo("renamed")

        @sub.command()
        def inner():
            typer.echo("inner")
    """
    }
)


def test_typer_commands(start: Any) -> None:
    """Signatures are read again, names replaced, sub-apps extended."""
    typer = pytest.importorskip("typer")
    from typer.testing import CliRunner as Runner

    def typed(*words: str) -> str:
        result = Runner().invoke(module.app, words)
        return result.output.strip() if result.exit_code == 0 else f"exit {result.exit_code}"

    assert typer
    app = start(TYPER)
    module = app.load("tool")
    assert typed("greet", "ana") == "hi ana"
    text = (
        TYPER["tool"]
        .replace("count: int = 1", "count: int = 2, loud: bool = False")
        .replace('f"hi {name}"', 'f"hey {name}{loud}"')
        .replace('"old"', '"new"')
    ) + "@sub.command()\ndef more():\n    typer.echo('more')\n"
    committed = app.push({"tool": text})
    assert typed("greet", "ana", "--count", "1", "--loud") == "hey anaTrue"
    assert typed("greet", "ana") == "hey anaFalse" * 2
    assert [typed("new"), typed("old"), typed("sub", "more")] == ["renamed", "exit 2", "more"]
    committed.undo()
    assert [typed("greet", "ana"), typed("old"), typed("new")] == ["hi ana", "renamed", "exit 2"]
