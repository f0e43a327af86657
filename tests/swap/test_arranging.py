"""What statements register stands where a fresh process has it, whichever of them are new, changed or moved."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

BUSES = dedented({
    "a list": """
        ALL = []
        def on(path):
            return lambda f: ALL.append((path, f)) or f
        def put(path, f):
            ALL.append((path, f))
        def seen():
            return [path for path, _ in ALL]
    """,
    "a list that grows at its front": """
        ALL = []
        def on(path):
            return lambda f: ALL.insert(0, (path, f)) or f
        def put(path, f):
            ALL.insert(0, (path, f))
        def seen():
            return [path for path, _ in ALL]
    """,
    "a mapping": """
        ALL = {}
        def on(path):
            return lambda f: ALL.setdefault(path, f)
        def put(path, f):
            ALL[path] = f
        def seen():
            return list(ALL)
    """,
})  # fmt: skip
MAIN = dedented({"main": """
    import bus
    import other
    @bus.on("/a")
    def a(): pass
    @bus.on("/b")
    def b(): pass
    def plain(): pass
    bus.put("/plain", plain)
    @bus.on("/c")
    def c(): pass
"""})["main"]  # fmt: skip
OTHER = dedented({"other": """
    import bus
    @bus.on("/other")
    def first(): pass
    def spare(): pass
"""})["other"]  # fmt: skip
EDITS = {
    "added in the middle": ('@bus.on("/b")', '@bus.on("/n")\ndef n(): pass\n@bus.on("/b")'),
    "added first": ('@bus.on("/a")', '@bus.on("/nn")\ndef n(): pass\n@bus.on("/a")'),
    "added by a call": ('@bus.on("/b")', 'bus.put("/again", other.spare)\n@bus.on("/b")'),
    "moved": ('@bus.on("/a")\ndef a(): pass\n@bus.on("/b")\ndef b(): pass',
              '@bus.on("/b")\ndef b(): pass\n@bus.on("/a")\ndef a(): pass'),
    "moved and changed": ('@bus.on("/a")\ndef a(): pass\n@bus.on("/b")\ndef b(): pass',
                          '@bus.on("/bb")\ndef b(): pass\n@bus.on("/a")\ndef a(): pass'),
    "a call moved": ('def plain(): pass\nbus.put("/plain", plain)\n@bus.on("/c")\ndef c(): pass',
                     '@bus.on("/c")\ndef c(): pass\ndef plain(): pass\nbus.put("/plain", plain)'),
}  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("form", BUSES)
def test_the_order_is_that_of_a_fresh_process(start: Any, form: str, edit: str) -> None:
    """In registries that are in the order of the statements, in either direction."""
    old, new = EDITS[edit]
    assert old in MAIN
    app = start({"bus": BUSES[form], "other": OTHER, "main": MAIN})
    app.load("main")
    before = app.load("bus").seen()
    committed = app.push({"main": MAIN.replace(old, new)})
    after = app.load("bus").seen()
    committed.undo()
    assert app.load("bus").seen() == before
    again = start({"bus": BUSES[form], "other": OTHER, "main": MAIN.replace(old, new)})
    again.load("main")
    assert after == again.load("bus").seen()
    assert after != before


def test_an_order_that_the_process_made_stays(start: Any) -> None:
    """What was sorted at run time is not sorted back; what is new comes last, as it registers."""
    app = start({"bus": BUSES["a list"], "other": OTHER, "main": MAIN})
    app.load("main")
    bus = app.load("bus")
    bus.ALL.reverse()
    old, new = EDITS["added in the middle"]
    app.push({"main": MAIN.replace(old, new)})
    assert bus.seen() == ["/c", "/plain", "/b", "/a", "/other", "/n"]


@pytest.mark.parametrize("new", ["/nnn", "/n", "/nnnnnnnnn"])
def test_a_registry_that_orders_itself_is_left_alone(start: Any, new: str) -> None:
    """It put what is new where it wants it, which need not be where the statement stands."""
    bus = """
        ALL = []
        def on(path):
            def register(f):
                ALL.append((path, f))
                ALL.sort(key=lambda entry: len(entry[0]))
                return f
            return register
        def seen():
            return [path for path, _ in ALL]
    """
    main = MAIN.replace('bus.put("/plain", plain)', "").replace('"/b"', '"/bbbb"').replace('"/c"', '"/cc"')
    app = start({"bus": bus, "other": OTHER, "main": main})
    app.load("main")
    app.push({"main": main.replace("def plain", f'@bus.on("{new}")\ndef plain')})
    seen = app.load("bus").seen()
    assert new in seen
    assert seen == sorted(seen, key=len)
