"""What a call registered goes with the call, and gives way to what the call registers when it is another."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

SOURCES = dedented({
    "hub": """
        class Hub:
            def __init__(self, name):
                self.name, self.parts, self.table, self.kinds = name, [], {}, set()
                self.parts.append(("own", self))
            def add(self, part, path="/"):
                self.parts.append((path, part))
                self.table[path] = part
                self.kinds.add(part)
            def on(self, path):
                return lambda f: self.add(f, path) or f
            def look(self, other):
                return len(other.parts)
        def seen(hub):
            return [path for path, _ in hub.parts], list(hub.table), len(hub.kinds)
    """,
    "views": """
        def index(): pass
        def about(): pass
    """,
    "main": """
        import hub, views
        from views import index
        app, side = hub.Hub("app"), hub.Hub("side")
        def plain(): pass
        app.add(index, "/index")
        app.add(plain, "/plain")
        app.add(side, "/side")
        app.look(side)
        @app.on("/last")
        def last(): pass
    """,
})  # fmt: skip
ALL = (["own", "/index", "/plain", "/side", "/last"], ["/index", "/plain", "/side", "/last"], 4)


def without(*paths: str) -> tuple[list[str], list[str], int]:
    """What is seen when some paths are not there."""
    return [p for p in ALL[0] if p not in paths], [p for p in ALL[1] if p not in paths], ALL[2] - len(paths)


@pytest.mark.parametrize(
    ("line", "instead", "expected"),
    [
        ('app.add(plain, "/plain")', "", without("/plain")),
        ('app.add(index, "/index")', "", without("/index")),
        ('app.add(index, "/index")\napp.add(plain, "/plain")', "", without("/index", "/plain")),
        ('app.add(plain, "/plain")', 'app.add(plain, "/else")', None),
        ('app.add(plain, "/plain")', 'app.add(plain, path="/else")', None),
        ("app.look(side)", "app.look(app)", ALL),
    ],
)
def test_an_entry_goes_with_its_call(start: Any, line: str, instead: str, expected: Any) -> None:
    """From lists, tables and sets; a changed call's comes in its place; an undo brings all of it back, in order."""
    app = start(SOURCES)
    main, seen = app.load("main"), app.load("hub").seen
    assert seen(main.app) == ALL
    assert line in SOURCES["main"]
    committed = app.push({"main": SOURCES["main"].replace(line, instead)})
    renamed = tuple(["/else" if p == "/plain" else p for p in part] for part in ALL[:2])
    assert seen(main.app) == (expected or (*renamed, 4))
    assert not committed.report.of("main").stale
    committed.undo()
    assert seen(main.app) == ALL


def test_what_could_be_anothers_stays_and_is_named(start: Any) -> None:
    """Where another module may have registered the same, or the process did, nothing is taken out."""
    other = "import main, views\nmain.side.add(views.index, '/index')\nmain.side.add(views.about, '/about')\n"
    more = SOURCES["main"] + "side.add(views.about, '/about')\n"
    app = start({**SOURCES, "main": more, "other": other})
    main, seen = app.load("main"), app.load("hub").seen
    app.load("other")
    before = seen(main.side)
    committed = app.push({"main": SOURCES["main"]})
    assert seen(main.side) == before
    assert any("cannot be told" in entry for entry in committed.report.of("main").stale)


def test_what_an_object_put_into_itself_is_nobodys(start: Any) -> None:
    """A call that is given the object itself (`look(side)`) has registered nothing in it, and takes nothing away."""
    app = start(SOURCES)
    main, seen = app.load("main"), app.load("hub").seen
    app.push({"main": SOURCES["main"].replace("app.look(side)", "")})
    assert seen(main.side)[0] == ["own"]
