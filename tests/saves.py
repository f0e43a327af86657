"""A small chat bot, and the saves that its developer makes in some days. Pure data: `some_days` gives them in order."""

from __future__ import annotations

Sources = dict[str, str | None]
"""By module name; a package's ends in ``/``; None is one that is gone."""

BASE: Sources = {
    "bot/": "",
    "bot.config": 'PREFIX = "!"\nWAIT = 2\nGREETING = "hello"\nBANNER = f"{GREETING}, type {PREFIX}help"\n',
    "bot.registry": """
import functools
from bot.config import PREFIX, WAIT

class Command:
    def __init__(self, handler):
        self.handler = handler

    def usage(self):
        return PREFIX + self.handler.__name__

class Registry:
    def __init__(self):
        self.commands = {}
        self.listeners = {}

    def command(self, function):
        self.commands[function.__name__] = Command(function)
        return function

    def on(self, event):
        def register(function):
            self.listeners.setdefault(event, []).append(function)
            return function
        return register

registry = Registry()
command, on = registry.command, registry.on

class Plugin:
    found = []

    def __init_subclass__(cls):
        Plugin.found.append(cls)

def cooldown(function):
    @functools.wraps(function)
    def wrapper(*words):
        return f"{function(*words)} (wait {WAIT}s)"
    return wrapper

def logged(function):
    @functools.wraps(function)
    def wrapper(*words):
        return f"<{function(*words)}>"
    return wrapper
""",
    "bot.state": """
import enum
from dataclasses import dataclass

class Mood(enum.Enum):
    CALM = "calm"
    BUSY = "busy"

@dataclass
class User:
    name: str
    seen: int = 0

    def label(self):
        return f"@{self.name}"

class Store:
    def __init__(self):
        self.users = {}

    def user(self, name):
        return self.users.setdefault(name, User(name))

store = Store()
""",
    "bot.commands": """
from bot.config import BANNER, GREETING
from bot.registry import Plugin, command, cooldown, logged, on
from bot.state import Mood, store
from bot.text import plural

@command
def hi(name="you"):
    return f"{GREETING} {name}"

@command
@cooldown
def roll(sides):
    return f"rolled {int(sides) // 2}"

@on("message")
def echo(line):
    return f"heard {line}"

@on("message")
def count(line):
    return plural(len(line.split()), "word")

class Karma(Plugin):
    order = 1
""",
    "bot.text": """
def plural(number, word):
    return f"{number} {word}s"
""",
    "bot.core": """
from bot import commands, config
from bot.registry import Plugin, registry
from bot.state import store

class Bot:
    def handle(self, author, line):
        user = store.user(author)
        if not line.startswith(config.PREFIX):
            return [listener(line) for listener in registry.listeners["message"]]
        name, *words = line.removeprefix(config.PREFIX).split()
        found = registry.commands.get(name)
        return found.handler(*words) if found else f"{user.label()}: no {name}"

    def names(self):
        return sorted(registry.commands), [cls.__name__ for cls in Plugin.found]

bot = Bot()

def stream():
    while True:
        yield bot.handle("gen", "a b")
""",
}

USE = """
def use(load, held):
    core, state, commands = load("bot.core"), load("bot.state"), load("bot.commands")
    if not held:
        held.update(handle=core.bot.handle, user=state.User("held"), stream=core.stream(), hi=commands.hi)
        next(held["stream"])
    lines = ["!hi", "!hi bo", "!roll 6", "two words", "!ping", "!quote", "!nothing"]
    told = {line: held["handle"]("ana", line) for line in lines}
    told.update(label=held["user"].label(), stream=next(held["stream"]), hi=held["hi"]("z"), names=core.bot.names())
    told.update(moods=[mood.name for mood in state.Mood], banner=commands.BANNER)
    told["same"] = {name: getattr(commands, name) is made.handler
                    for name, made in core.registry.commands.items() if hasattr(commands, name)}
    told["usage"] = {name: made.usage() for name, made in core.registry.commands.items()}
    return told
"""

QUOTE = """
from bot.registry import Plugin, command, on
from bot.state import Mood

@command
def quote():
    return Mood.CALM.value

@on("message")
def shout(line):
    return line.upper()

class Trivia(Plugin):
    order = 3
"""
PING = '\n@command\ndef ping():\n    return "pong"\n'
COUNT = '@on("message")\ndef count(line):\n    return plural(len(line.split()), "word")\n\n'
MEMBERS = '"busy"\n    ANGRY = "angry"'
ECHO = '\n@on("message")\ndef echo'
SIZE = '\n@on("message")\ndef size(line):\n    return len(line)\n'
IMPORTED = ("bot.core", "from bot.registry", "from bot import quotes\nfrom bot.registry")
ROLL = "@command\n@cooldown\ndef roll"


class Days:
    """The saves: what each has changed, and whether it goes live, is refused or undone."""

    def __init__(self) -> None:
        self.now: Sources = dict(BASE)
        self.saves: list[tuple[str, str, Sources]] = []
        self.names: dict[str, Sources] = {}

    def save(self, title: str, *edits: tuple[str, str, str], kind: str = "live", whole: Sources | None = None) -> None:
        """One save: ``edits`` are module, old text and new text; ``whole`` modules are new or gone (None)."""
        after: Sources = {**self.now, **(whole or {})}
        for module, old, new in edits:
            text = after[module]
            assert text is not None and text.count(old) >= 1, (title, old)
            after[module] = text.replace(old, new)
        self._add(title, kind, after)

    def back(self, title: str) -> None:
        """An exact revert to what was live after a save."""
        self._add(f"back to {title}", "live", self.names[title])

    def _add(self, title: str, kind: str, after: Sources) -> None:
        self.saves.append((title, kind, after))
        if kind == "live":
            self.now = self.names[title] = after


def some_days() -> Days:
    """Two dozen of them, ending where they began."""
    days = Days()
    save, commands, state = days.save, "bot.commands", "bot.state"
    save("typo", (commands, "heard {line}", "I heard {line}"))
    save("command", (commands, ECHO, PING + ECHO))
    save("fails", (commands, '"pong"', "str(1 / 0)"), (state, "store = Store()", "store = Store(1)"), kind="refused")
    save("constant", ("bot.config", '"hello"', '"hey"'))
    save("signature", ("bot.text", "(number, word)", '(number, word, *, ending="s")'), ("bot.text", "}s", "}{ending}"))
    save(
        "field and member",
        (state, "seen: int = 0", "seen: int = 0\n    karma: int = 0"),
        (state, "@{self.name}", "@{self.name}+{self.karma}"),
        (state, '"busy"', MEMBERS),
    )
    save("module", IMPORTED, whole={"bot.quotes": QUOTE})
    save("decorator", (commands, ROLL, "@command\n@logged\n@cooldown\ndef roll"))
    save("rename", (commands, "def ping", "def pong"), kind="undone")
    save("package", whole={"bot.text": None, "bot.text/": BASE["bot.text"]}, kind="refused")
    save("listener gone", (commands, COUNT, ""), (commands, "from bot.text import plural\n", ""))
    save("module gone", ("bot.core", "from bot import quotes\n", ""), whole={"bot.quotes": None})
    save("import missing", (commands, "logged, on", "logger, on"), kind="refused")
    save("decorator off", (commands, "@command\n@logged\n@cooldown\n", "@command\n"))
    save("decorator's body", ("bot.registry", "<{function", "<<{function"))
    save("comments", (commands, "\nfrom bot.config", "# commands\n\n\nfrom bot.config"))
    save("plugin renamed", (commands, "class Karma", "class Points"))
    days.back("module")
    days.back("constant")
    save("listener first", (commands, ECHO, SIZE + ECHO))
    save("module again", IMPORTED, whole={"bot.quotes": QUOTE.replace("upper()", "title()")})
    save("wait", ("bot.config", "WAIT = 2", "WAIT = 3"))
    days.names["base"] = dict(BASE)
    days.back("base")
    return days
