"""Flask apps follow: views, blueprints, hooks, error handlers, filters, commands; apps of factories too."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

pytest.importorskip("flask")

SITE = dedented({
    "flasked/": "",
    "flasked.bp": """
        from flask import Blueprint, abort
        bp = Blueprint("bp", __name__)
        @bp.get("/a")
        def a():
            return "a1"
        @bp.get("/abort")
        def aborted():
            abort(418)
        @bp.before_request
        def before():
            pass
        @bp.app_template_filter("loud")
        def loud(text):
            return text.upper()
    """,
    "flasked.main": """
        import click
        from flask import Flask, g, render_template_string
        from flasked.bp import bp

        def create_app():
            made = Flask("made")
            made.register_blueprint(bp, url_prefix="/v1")
            return made

        app = Flask(__name__)
        app.register_blueprint(bp, url_prefix="/bp")
        @app.before_request
        def prepare():
            g.who = "who1"
        @app.after_request
        def tag(response):
            response.headers["tag"] = "1"
            return response
        @app.errorhandler(404)
        def lost(error):
            return "lost1", 404
        @app.errorhandler(418)
        def teapot(error):
            return "teapot", 418
        @app.template_filter("twice")
        def twice(text):
            return text * 2
        @app.context_processor
        def context():
            return {"site": "s1"}
        @app.get("/")
        def index():
            return render_template_string("{{ 'x'|twice }}{{ 'y'|loud }}{{ site }}") + g.who
        @app.route("/item/<int:n>", methods=["GET", "POST"])
        def item(n):
            return str(n)
        @app.cli.command("seed")
        @click.option("--n", default=1)
        def seed(n):
            click.echo(f"seeded {n}")
    """,
})  # fmt: skip


def edit(module: str, *pairs: tuple[str, str]) -> dict[str, str | None]:
    text = SITE[module]
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return {module: text}


@pytest.fixture
def live(start: Any) -> tuple[Any, Any, Any]:
    """The app of the module and one that nobody names, both after their first request."""
    app = start(SITE)
    main = app.load("flasked.main")
    made = main.create_app()
    assert main.app.test_client().get("/").text == "xxYs1who1"
    assert made.test_client().get("/v1/a").text == "a1"
    return app, main.app, made


def test_bodies(live: Any) -> None:
    """Views, hooks, error handlers, filters, processors and commands run their new code."""
    app, first, made = live
    app.push(
        edit("flasked.bp", ("a1", "a2"), ("text.upper()", "text + '!'"))
        | edit("flasked.main", ("who1", "who2"), ("lost1", "lost2"), ("text * 2", "text * 3"), ("seeded", "sown"))
    )
    client = first.test_client()
    assert (client.get("/").text, client.get("/bp/a").text) == ("xxxy!s1who2", "a2")
    assert client.get("/nowhere").text == "lost2"
    assert made.test_client().get("/v1/a").text == "a2"
    assert first.test_cli_runner().invoke(args=["seed"]).output == "sown 1\n"


def test_registrations_move(live: Any) -> None:
    """Hooks, handlers, filters and commands that are registered otherwise are there once, under the new form."""
    app, first, _ = live
    committed = app.push(
        edit(
            "flasked.main",
            ("@app.errorhandler(418)", "@app.errorhandler(409)"),
            ('@app.template_filter("twice")', '@app.template_filter("double")'),
            ("'x'|twice", "'x'|double"),
            ("@app.before_request\ndef prepare():", "@app.before_request\ndef prepare(first=1):"),
            ('"seed")', '"plant")'),
            ('default=1)', 'default=2)'),
            ('methods=["GET", "POST"]', 'methods=["PUT"]'),
            ('@app.after_request\ndef tag(response):\n    response.headers["tag"] = "1"\n    return response\n', ""),
        )
    )  # fmt: skip
    assert committed.report.of("flasked.main").doubled == []
    client = first.test_client()
    assert client.get("/").text == "xxYs1who1"
    assert "tag" not in client.get("/").headers
    assert (client.get("/bp/abort").status_code, client.get("/bp/abort").text == "teapot") == (418, False)
    assert [client.get("/item/3").status_code, client.put("/item/3").text] == [405, "3"]
    assert len(first.before_request_funcs[None]) == 1
    assert "twice" not in first.jinja_env.filters
    runner = first.test_cli_runner()
    assert (runner.invoke(args=["plant"]).output, runner.invoke(args=["seed"]).exit_code) == ("seeded 2\n", 2)
    committed.undo()
    assert client.get("/bp/abort").text == "teapot"
    assert client.get("/").headers["tag"] == "1"
    assert "twice" in first.jinja_env.filters


def test_blueprints_of_apps_that_nobody_names(live: Any) -> None:
    """What is added to a blueprint, moved or removed reaches every app that registered it, under its own prefix."""
    app, first, made = live
    committed = app.push(
        edit("flasked.bp", ('"/a"', '"/b"'), ('@bp.get("/abort")\ndef aborted():\n    abort(418)\n', ""))
        | {"flasked.extra": "X = 1\n"}
    )
    for item, prefix in ((first, "/bp"), (made, "/v1")):
        client = item.test_client()
        assert [client.get(prefix + path).status_code for path in ("/a", "/abort")] == [404, 404]
        assert client.get(prefix + "/b").text == "a1"
    committed.undo()
    for item, prefix in ((first, "/bp"), (made, "/v1")):
        client = item.test_client()
        assert client.get(prefix + "/a").text == "a1"
        assert client.get(prefix + "/b").status_code == 404
    app.push(edit("flasked.bp", ("@bp.before", '@bp.get("/new")\ndef new():\n    return "new"\n@bp.before')))
    assert first.test_client().get("/bp/new").text == "new"
    assert made.test_client().get("/v1/new").text == "new"


def test_an_app_that_is_made_again(live: Any) -> None:
    """A changed `Flask(...)` is refused as a whole: the server holds the first app, and it has been set up."""
    from habanero_receiver.swap import SwapFailedError

    app, first, _ = live
    with pytest.raises(SwapFailedError, match="restart"):
        app.push(edit("flasked.main", ("app = Flask(__name__)", 'app = Flask(__name__, static_folder="other")')))
    assert first.test_client().get("/").text == "xxYs1who1"
