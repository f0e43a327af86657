"""What Flask's apps take over from blueprints stands where a fresh process has it, in every table."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

pytest.importorskip("flask")

SITE = dedented({
    "placed/": "",
    "placed.bp": """
        from flask import Blueprint
        bp = Blueprint("bp", __name__)
        @bp.get("/1")
        def one():
            return "one"
        @bp.get("/two")
        def two():
            return "two"
        @bp.before_app_request
        def prepare():
            pass
        @bp.errorhandler(404)
        def lost(error):
            return "lost", 404
        extra = Blueprint("extra", __name__)
        @extra.before_app_request
        def early():
            pass
        @extra.get("/extra")
        def more():
            return "more"
    """,
    "placed.main": """
        from flask import Flask
        from placed.bp import bp, extra
        app = Flask("placed")
        @app.before_request
        def first():
            pass
        app.register_blueprint(bp, url_prefix="/p", url_defaults={})
        @app.before_request
        def second():
            pass
        @app.get("/<path:rest>")
        def rest(rest):
            return "rest"
        @app.errorhandler(418)
        def teapot(error):
            return "teapot", 418
    """,
})  # fmt: skip


def tables(app: Any) -> dict[str, Any]:
    """All that an app has from its own statements and from blueprints, in its order, by name."""
    rules = [(r.rule, r.endpoint, sorted(r.methods or ()), id(r.defaults)) for r in app.url_map.iter_rules()]
    shared = {identity: place for place, identity in reversed(list(enumerate(rule[3] for rule in rules)))}
    return {
        "views": list(app.view_functions),
        "rules": [(*rule[:3], shared[rule[3]]) for rule in rules],
        "before": {key: [f.__name__ for f in held] for key, held in app.before_request_funcs.items()},
        "errors": {
            key: {code: [f.__name__ for f in handlers.values()] for code, handlers in codes.items()}
            for key, codes in app.error_handler_spec.items()
        },
        "answers": [app.test_client().get(path).text for path in ("/p/1", "/p/two", "/p/nowhere", "/extra", "/free")],
    }


EDITS = {
    "the first view's path": [("placed.bp", '"/1"', '"/0"')],
    "the first view's path and a hook": [("placed.bp", '"/1"', '"/0"'), ("placed.bp", "def prepare():", "def prepare(a=1):")],
    "a view between": [("placed.bp", '@bp.get("/two")', '@bp.get("/b")\ndef between():\n    return "b"\n@bp.get("/two")')],
    "a hook for all": [("placed.bp", "def prepare():\n    pass\n", "def prepare():\n    pass\n@bp.before_app_request\ndef late():\n    pass\n")],
    "a hook for all before": [("placed.bp", '@bp.get("/1")', '@bp.before_app_request\ndef sooner():\n    pass\n@bp.get("/1")')],
    "another blueprint in between": [("placed.main", "@app.before_request\ndef second", "app.register_blueprint(extra)\n@app.before_request\ndef second")],
    "another blueprint first": [("placed.main", "@app.before_request\ndef first", "app.register_blueprint(extra)\n@app.before_request\ndef first")],
    "no handler of errors": [("placed.bp", '@bp.errorhandler(404)\ndef lost(error):\n    return "lost", 404\n', "")],
    "no handler of the app": [("placed.main", '@app.errorhandler(418)\ndef teapot(error):\n    return "teapot", 418\n', "")],
    "a view with defaults of its own": [("placed.bp", '@bp.get("/1")', '@bp.get("/1", defaults={})')],
    "no hook": [("placed.bp", "@bp.before_app_request\ndef prepare():\n    pass\n", "")],
    "a hook of the app between": [("placed.main", "def first():\n    pass\n", "def first():\n    pass\n@app.before_request\ndef new():\n    pass\n")],
    "the call further down": [("placed.main", 'app.register_blueprint(bp, url_prefix="/p", url_defaults={})\n', ""),
                              ("placed.main", "@app.errorhandler(418)", 'app.register_blueprint(bp, url_prefix="/p", url_defaults={})\n@app.errorhandler(418)')],
}  # fmt: skip
# ruff: noqa: E501  # edits are read as text beside text


@pytest.mark.parametrize("edit", EDITS)
def test_tables_are_those_of_a_fresh_process(start: Any, edit: str) -> None:
    """Whatever changes in a blueprint or around the call that registers it; and as before when it is taken back."""
    new = dict(SITE)
    for module, old, text in EDITS[edit]:
        assert old in new[module], old
        new[module] = new[module].replace(old, text)
    app = start(SITE)
    live = app.load("placed.main").app
    before = tables(live)
    committed = app.push({name: text for name, text in new.items() if SITE[name] != text})
    after = tables(live)
    committed.undo()
    assert tables(live) == before
    fresh = start(new).load("placed.main").app
    tables(fresh)  # an app that answers asks for tables, which makes these
    wanted = tables(fresh)
    assert after == wanted
    assert after != before


def test_hooks_of_an_app_that_nobody_names_stand_with_those_of_their_blueprint(start: Any) -> None:
    """Where no statement says the order, what a blueprint has stays together, in the order of its statements."""
    made = SITE | {
        "placed.main": SITE["placed.main"].replace("app = Flask", "def make():\n    return app\napp = Flask")
    }
    factory = made["placed.main"].replace("app = Flask", "HELD = []\napp = Flask")
    app = start(made | {"placed.main": factory + "HELD.append(app)\ndel app\n"})
    live = app.load("placed.main").HELD[0]
    new = SITE["placed.bp"].replace(
        "@bp.before_app_request", "@bp.before_app_request\ndef sooner():\n    pass\n@bp.before_app_request", 1
    )
    app.push({"placed.bp": new})
    assert [f.__name__ for f in live.before_request_funcs[None]] == ["first", "sooner", "prepare", "second"]
