"""Registries of frameworks that nobody told the engine about: replaced in place, or named where they may be doubled."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

FORMS = dedented({
    "list of tuples": """
        ROUTES = []
        def on(path):
            return lambda f: ROUTES.append((path, f)) or f
        def seen():
            return [path for path, _ in ROUTES]
    """,
    "list of records": """
        ROUTES = []
        def on(path):
            return lambda f: ROUTES.append({"path": path, "handler": f}) or f
        def seen():
            return [route["path"] for route in ROUTES]
    """,
    "list of slotted records": """
        from dataclasses import dataclass
        @dataclass(slots=True, frozen=True)
        class Job:
            name: str
            call: object
        class Jobs:
            __slots__ = ("all",)
            def __init__(self):
                self.all = []
        JOBS = Jobs()
        def on(name):
            return lambda f: JOBS.all.append(Job(name, f)) or f
        def seen():
            return [job.name for job in JOBS.all]
    """,
    "set of pairs": """
        MEMBERS = set()
        def on(path):
            return lambda f: MEMBERS.add((path, f)) or f
        def seen():
            return sorted(path for path, _ in MEMBERS)
    """,
    "table of lists": """
        EVENTS = {}
        def on(event):
            return lambda f: EVENTS.setdefault(event, []).append(f) or f
        def seen():
            return [event for event, calls in EVENTS.items() for _ in calls]
    """,
    "table of lists made before": """
        EVENTS = {"/a": [], "/b": [], "/c": [], "/x": []}
        def on(event):
            return lambda f: EVENTS[event].append(f) or f
        def seen():
            return [event for event, calls in EVENTS.items() for _ in calls]
    """,
    "table of records": """
        COMMANDS = {}
        def on(name):
            return lambda f: COMMANDS.__setitem__(name, {"name": name, "call": f}) or f
        def seen():
            return list(COMMANDS)
    """,
    "tables by method": """
        TABLES = {"GET": {}, "POST": {}}
        def on(path):
            return lambda f: TABLES["GET" if path < "/c" else "POST"].__setitem__(path, f) or f
        def seen():
            return [path for table in TABLES.values() for path in table]
    """,
    "wrappers": """
        ROUTES = []
        def on(path):
            def add(f):
                def call(*args):
                    return f(*args)
                ROUTES.append((path, call))
                return f
            return add
        def seen():
            return [path for path, _ in ROUTES]
    """,
    "partials": """
        import functools
        JOBS = []
        def on(path):
            return lambda f: JOBS.append(functools.partial(f, path)) or f
        def seen():
            return [job.args[0] for job in JOBS]
    """,
    "an object that replaces the function": """
        class Command:
            def __init__(self, name, callback):
                self.name, self.callback = name, callback
        class Bot:
            def __init__(self):
                self.commands = {}
            def command(self, name):
                def add(f):
                    self.commands[name] = made = Command(name, f)
                    return made
                return add
        BOT = Bot()
        on = BOT.command
        def seen():
            return [name for name, command in BOT.commands.items() if command.name == name]
    """,
    "functions with their order": """
        HOOKS = []
        ORDER = {}
        def on(path):
            def add(f):
                ORDER[f] = path
                HOOKS.append(f)
                HOOKS.sort(key=ORDER.get)
                return f
            return add
        def seen():
            return [ORDER[f] for f in HOOKS]
    """,
})  # fmt: skip

ORDERED_BY_ITSELF = ("set of pairs", "table of lists made before", "tables by method", "functions with their order")

APP = """
from reg import on

@on("/a")
def first():
    return "first"

@on("/b")
def second():
    return "second"

@on("/c")
def third():
    return "third"
"""


@pytest.mark.parametrize("form", FORMS)
def test_a_changed_decorator_replaces_what_the_old_one_registered(start: Any, form: str) -> None:
    """Whatever an entry looks like, it is replaced, never doubled; a removed function is registered no more."""
    app = start({"reg": FORMS[form], "app": APP})
    app.load("app")
    seen = app.load("reg").seen
    assert seen() == ["/a", "/b", "/c"]
    before = app.picture()
    committed = app.push({"app": APP.replace('"/b"', '"/x"')})
    assert sorted(seen()) == ["/a", "/c", "/x"]
    assert committed.report.of("app").doubled == []
    committed.undo()
    assert app.picture() == before
    app.push({"app": APP.replace('@on("/b")\ndef second():\n    return "second"\n', "")})
    assert seen() == ["/a", "/c"]


@pytest.mark.parametrize("form", [f for f in FORMS if f not in ORDERED_BY_ITSELF])
def test_the_place_in_the_registry_is_kept(start: Any, form: str) -> None:
    """The new registration stands where the old one stood, where order is what a registry keeps."""
    app = start({"reg": FORMS[form], "app": APP})
    app.load("app")
    app.push({"app": APP.replace('"/b"', '"/x"')})
    assert app.load("reg").seen() == ["/a", "/x", "/c"]


def test_the_same_function_again(start: Any) -> None:
    """An option beside the event changes: the list holds the function once."""
    reg = "EVENTS = {}\ndef on(event, once=False):\n    return lambda f: EVENTS.setdefault(event, []).append(f) or f\n"
    text = "from reg import on\n@on('a')\ndef f():\n    return 1\n@on('a')\ndef g():\n    return 2\n"
    app = start({"reg": reg, "app": text})
    module = app.load("app")
    app.push({"app": text.replace("@on('a')\ndef f", "@on('a', once=True)\ndef f")})
    assert {"a": [module.f, module.g]} == app.load("reg").EVENTS


def test_another_decorator_of_the_same_library(start: Any) -> None:
    """`@get` becomes `@post`: the list that only the old decorator writes to lets go of the function."""
    reg = "GET, POST = [], []\nget = lambda f: GET.append(f) or f\npost = lambda f: POST.append(f) or f\n"
    text = "from reg import get, post\n@get\ndef f():\n    return 1\n@get\ndef g():\n    return 2\n"
    app = start({"reg": reg, "app": text})
    module, reg_module = app.load("app"), app.load("reg")
    app.push({"app": text.replace("@get\ndef f", "@post\ndef f")})
    assert ([module.g], [module.f]) == (reg_module.GET, reg_module.POST)


def test_what_other_statements_registered_stays(start: Any) -> None:
    """A function that is in a list of another make under the same object keeps that place."""
    reg = """
        class App:
            def __init__(self):
                self.routes, self.timed = [], []
            def time(self, limit):
                return lambda f: self.timed.append((limit, f)) or f
        APP = App()
    """
    text = "from reg import APP\n@APP.time(1)\ndef f():\n    return 1\nAPP.routes.append(f)\n"
    app = start({"reg": reg, "app": text})
    module = app.load("app")
    committed = app.push({"app": text.replace("time(1)", "time(2)")})
    held = app.load("reg").APP
    assert (held.routes, held.timed) == ([module.f], [(2, module.f)])
    assert committed.report.of("app").doubled == []


def test_what_cannot_be_told_is_named(start: Any) -> None:
    """A list of paths alone does not say whose they are: the report names the list and the entry."""
    reg = "PATHS = []\ndef on(path):\n    return lambda f: PATHS.append(path) or f\n"
    text = "from reg import on\n@on('/a')\ndef f():\n    return 1\n"
    app = start({"reg": reg, "app": text})
    app.load("app")
    committed = app.push({"app": text.replace("/a", "/b")})
    assert app.load("reg").PATHS == ["/a", "/b"]
    assert committed.report.of("app").doubled == ["reg.PATHS: '/b'"]


def test_a_first_registration_is_no_double(start: Any) -> None:
    """A function that gets its first decorator, and a new one, are registered; nothing is said of doubles."""
    reg = "PATHS = []\ndef on(path):\n    return lambda f: PATHS.append(path) or f\n"
    text = "from reg import on\ndef f():\n    return 1\n"
    app = start({"reg": reg, "app": text})
    app.load("app")
    committed = app.push({"app": text.replace("def f", "@on('/a')\ndef f") + "@on('/b')\ndef g():\n    return 1\n"})
    assert app.load("reg").PATHS == ["/a", "/b"]
    assert committed.report.of("app").doubled == []


STATEMENTS = {
    "reg": "ROUTES, SEEN = [], []\nclass Bus:\n    def __init__(self):\n        self.by_event = {}\n"
    "    def subscribe(self, event, call):\n        self.by_event.setdefault(event, []).append(call)\nBUS = Bus()\n",
    "app": "from reg import BUS, ROUTES, SEEN\ndef f():\n    return 1\ndef g():\n    return 2\n"
    "ROUTES.append(('/a', f))\nROUTES.append(('/b', g))\nBUS.subscribe('x', f)\nSEEN.append('one')\n",
}


def test_a_changed_statement_replaces_what_it_registered(start: Any) -> None:
    """Where a registration is told by the function that it names, the changed one stands in its place."""
    app = start(STATEMENTS)
    module, reg = app.load("app"), app.load("reg")
    text = STATEMENTS["app"].replace("'/a'", "'/z'").replace("'x'", "'y'")
    committed = app.push({"app": text})
    assert [("/z", module.f), ("/b", module.g)] == reg.ROUTES
    assert reg.BUS.by_event == {"y": [module.f]}
    assert committed.report.of("app").doubled == []
    committed.undo()
    assert [("/a", module.f), ("/b", module.g)] == reg.ROUTES
    assert reg.BUS.by_event == {"x": [module.f]}


def test_a_changed_statement_that_cannot_be_told_is_named(start: Any) -> None:
    """A plain value, or a function that other statements registered too: both entries stay, and are reported."""
    source = STATEMENTS["app"] + "BUS.subscribe('y', 'one')\n"
    app = start({**STATEMENTS, "app": source})
    app.load("app")
    committed = app.push({"app": source.replace("'one'", "'two'")})
    assert app.load("reg").BUS.by_event["y"] == ["one", "two"]
    assert committed.report.of("app").doubled == ["reg.BUS.by_event['y']: 'two'"]
    committed.undo()
    twice = STATEMENTS["app"] + "BUS.subscribe('y', f)\nBUS.subscribe('y', (1, f))\n"
    app = start({**STATEMENTS, "app": twice})
    module = app.load("app")
    committed = app.push({"app": twice.replace("(1, f)", "(2, f)")})
    assert app.load("reg").BUS.by_event["y"] == [module.f, (1, module.f), (2, module.f)]
    assert committed.report.of("app").doubled == ["reg.BUS.by_event['y']: (2, f)"]
