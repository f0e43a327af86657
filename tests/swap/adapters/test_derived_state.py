"""What libraries made of functions and classes once, when the app started: it follows, is named, or is refused."""

from __future__ import annotations

from typing import Any

import pytest
from living import LiveApp

from habanero_receiver.swap import SwapFailedError, SwapRefusedError


def stale(done: Any) -> list[str]:
    return [item for module in done.report.to_json()["modules"] for item in module["stale"]]


CHECKED = """
from typing import Annotated
from pydantic import AfterValidator, BaseModel, create_model, field_validator, validate_call
def low(value):
    if value < 1:
        raise ValueError("low")
    return value
Size = Annotated[int, AfterValidator(low)]
class Base(BaseModel):
    id: int = 0
class Item(Base):
    name: str
    @field_validator("name")
    @classmethod
    def check(cls, value):
        return value + "1"
Made = create_model("Made", __base__=Base)
@validate_call
def grow(size: Size):
    return size
item = Item(name="a")
"""


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('value + "1"', 'value + "2"', ["item = (it calls Item.check, which changed)"]),
        ('    @field_validator("name")\n', "", ["item = (it calls Item, which changed)"]),
        ("id: int = 0", "id: int = 1", ["item = (it calls Base, which changed)",
                                        "Made (it was made of Base, which changed)"]),
    ],
)  # fmt: skip
def test_instances_that_pydantic_made(start: Any, old: str, new: str, named: list[str]) -> None:
    """Those that changed validators and fields have made, and models without a statement, are named."""
    pytest.importorskip("pydantic")
    app = start({"checked": CHECKED})
    app.load("checked")
    if "@" in old:  # the whole method goes
        old, new = CHECKED[CHECKED.index(old) : CHECKED.index("Made =")], new
    assert stale(app.push({"checked": CHECKED.replace(old, new)})) == named


def test_checked_functions_follow_their_types(start: Any) -> None:
    """``validate_call`` checks by what an annotation is now; an undo brings the former check back."""
    pytest.importorskip("pydantic")
    app = start({"checked": CHECKED})
    checked = app.load("checked")
    grow = checked.grow
    done = app.push({"checked": CHECKED.replace("Annotated[int, AfterValidator(low)]", "int")})
    assert grow(-3) == -3
    done.undo()
    with pytest.raises(ValueError, match="low"):
        grow(-3)


TOOL = """
import click
import typer
@click.group()
@click.option("--config", default="c1")
def cli(config):
    pass
@cli.command()
def run():
    click.echo("ran")
@cli.result_callback()
def done(result, config):
    click.echo("done " + config)
app = typer.Typer()
@app.callback()
def top():
    typer.echo("top")
@app.command()
def go():
    typer.echo("gone")
"""


def test_what_groups_call_beside_their_commands(start: Any) -> None:
    """A group that is made again keeps its result callback; callbacks whose functions go are not called."""
    click_testing, typer_testing = pytest.importorskip("click.testing"), pytest.importorskip("typer.testing")
    app = start({"tool": TOOL})
    tool = app.load("tool")
    run, go = click_testing.CliRunner().invoke, typer_testing.CliRunner().invoke
    app.push({"tool": TOOL.replace("c1", "c2")})
    assert run(tool.cli, ["run"]).output == "ran\ndone c2\n"
    without = TOOL.replace('@cli.result_callback()\ndef done(result, config):\n    click.echo("done " + config)\n', "")
    app.push({"tool": without.replace('@app.callback()\ndef top():\n    typer.echo("top")\n', "")})
    assert (run(tool.cli, ["run"]).output, go(tool.app, []).output) == ("ran\n", "gone\n")


TASKS = """
from celery import Celery, Task
class Base(Task):
    autoretry_for = (ValueError,)
app = Celery("crew", broker="memory://", task_cls=Base)
class Own(Base):
    name = "own"
    def run(self):
        return 1
own = app.register_task(Own())
"""


@pytest.mark.parametrize(
    ("old", "new", "error", "reason"),
    [
        ("(ValueError,)", "()", SwapRefusedError, "autoretry_for was changed in task class Base"),
        ("(ValueError,)", "(ValueError,)\n    ignore_result = True", SwapRefusedError, "ignore_result was added to"),
        ('"own"', '"other"', SwapRefusedError, "name was changed in task class Own"),
        ('"memory://"', '"memory://x"', SwapFailedError, "the arguments of a Celery app changed"),
    ],
)
def test_what_tasks_took_over_is_refused(start: Any, old: str, new: str, error: type[Exception], reason: str) -> None:
    """What a task read of its class or app when it was made: the reason says so."""
    pytest.importorskip("celery")
    app = start({"crew": TASKS})
    app.load("crew")
    with pytest.raises(error, match=reason):
        app.push({"crew": TASKS.replace(old, new)})


BOT = """
class Command:
    def __init__(self, text):
        self.text = text
class Bot:
    def __init__(self):
        self.handlers, self.jobs, self.on_error, self.most = [], {}, None, 0
    def __call__(self):
        return self.jobs
    def event(self, function):
        setattr(self, function.__name__, function)
        return function
    def error(self, function):
        self.on_error = function
        return function
    def add(self, function, name, hour):
        self.jobs[name] = (function, hour)
    def limit(self, most):
        self.most = most
"""
USE = """
from shift import Bot
bot = Bot()
bot.limit(5)
def mail():
    return 1
bot.add(mail, "a", 1)
bot.add(mail, "b", 2)
@bot.event
def on_ready():
    return 1
@bot.error
def failed():
    return 1
"""


def bots(start: Any) -> tuple[LiveApp, Any]:
    app = start({"shift": BOT, "using": USE})
    return app, app.load("using")


def test_two_calls_with_one_function(start: Any) -> None:
    """The one that changed has its own entry replaced, and the one that is gone loses it, by their texts."""
    app, using = bots(start)
    app.push({"using": USE.replace('"b", 2', '"b", 3')})
    assert {name: hour for name, (_, hour) in using.bot.jobs.items()} == {"a": 1, "b": 3}
    done = app.push({"using": USE.replace('bot.add(mail, "a", 1)\n', "")})
    assert {name: hour for name, (_, hour) in using.bot.jobs.items()} == {"b": 2}
    assert stale(done) == []


def test_functions_that_a_decorator_set_on_an_object(start: Any) -> None:
    """One that is set by its own name goes with its function; under another name it is named."""
    app, using = bots(start)
    without = USE.replace("@bot.error\ndef failed():\n    return 1\n", "")
    done = app.push({"using": without.replace("on_ready", "on_message")})
    assert not hasattr(using.bot, "on_ready")
    assert using.bot.on_message is using.on_message
    assert stale(done) == ["bot.on_error (def failed is gone)"]


def test_an_object_that_is_made_anew(start: Any) -> None:
    """What registered functions with it is run again; what told it something else is named."""
    app, using = bots(start)
    before = using.bot
    named = stale(app.push({"using": USE.replace("bot = Bot()", "bot = Bot() or None")}))
    assert using.bot is not before
    assert (using.bot.jobs, vars(using.bot)["on_ready"]) == (before.jobs, using.on_ready)
    assert using.bot.on_error is using.failed
    assert (using.bot.most, before.most) == (0, 5)
    assert [item.partition(" (")[0] for item in named] == ["expression at line 4"]
