"""Changed arguments of an ASGI app: the one that is served takes them over, or the swap says that it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from asgi_client import ask, get
from living import LiveApp, dedented

from habanero_receiver.swap import SwapFailedError

APP = dedented({
    "desk": """
        from contextlib import asynccontextmanager
        from fastapi import APIRouter, Depends, FastAPI
        from fastapi.responses import PlainTextResponse
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.routing import Mount, Route

        class Full(Exception):
            pass

        class Tag:
            def __init__(self, app, name="given"):
                self.app, self.name, self.count = app, name, 0
            async def __call__(self, scope, receive, send):
                self.count += 1
                async def out(message):
                    if message["type"] == "http.response.start":
                        message["headers"] = [*message["headers"], (self.name.encode(), str(self.count).encode())]
                    await send(message)
                await self.app(scope, receive, out)

        class Late(Tag):
            pass

        def on_full(request, error):
            return PlainTextResponse("full", 507)
        def on_key(request, error):
            return PlainTextResponse("key", 404)
        def on_error(request, error):
            return PlainTextResponse("error", 500)
        @asynccontextmanager
        async def life(app):
            yield
        def home(request):
            return PlainTextResponse("home")
        def guard():
            pass
        def make():
            return None

        app = FastAPI(title="desk", middleware=[Middleware(Tag)], exception_handlers={Full: on_full})
        app.add_middleware(Late, name="late")

        @app.exception_handler(KeyError)
        def key(request, error):
            return PlainTextResponse("key", 404)

        @app.get("/full")
        def full():
            raise Full

        @app.get("/key")
        def missing():
            raise KeyError

        plain = Starlette(
            routes=[Route("/", home), Mount("/in", routes=[Route("/a", home)])],
            middleware=[Middleware(Tag)], exception_handlers={Full: on_full},
        )
        plain.add_middleware(Late, name="late")
        plain.add_route("/late", home)
        plain.add_exception_handler(500, on_error)
    """,
})  # fmt: skip


def edited(*pairs: tuple[str, str]) -> dict[str, str | None]:
    text = APP["desk"]
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return {"desk": text}


def headers(app: Any, path: str) -> dict[str, str]:
    """The headers that middleware gave, each with how many requests it has seen."""
    return {name: value for name, value in ask(app, "GET", path).headers.items() if not name.startswith("content-")}


@pytest.fixture
def live(start: Any) -> tuple[LiveApp, Any]:
    """The apps have answered once: their stacks of middleware are built."""
    app = start(APP)
    desk = app.load("desk")
    assert headers(desk.app, "/key") == headers(desk.plain, "/late") == {"given": "1", "late": "1"}
    return app, desk


def test_another_title_leaves_all_else(live: tuple[LiveApp, Any]) -> None:
    """Middleware and handlers that the statement gives, and those that others added, go on with what they hold."""
    app, desk = live
    app.push(edited(('title="desk"', 'title="office"')))
    assert desk.app.openapi()["info"]["title"] == "office"
    assert headers(desk.app, "/key") == {"given": "2", "late": "2"}
    assert get(desk.app, "/full") == 507
    assert get(desk.app, "/key") == 404


def test_middleware_that_is_given(live: tuple[LiveApp, Any]) -> None:
    """It is added, changed and removed among that which others added; an undo brings back what there was."""
    app, desk = live
    more = "middleware=[Middleware(Tag), Middleware(Tag, name='more')]"
    done = app.push(edited(("middleware=[Middleware(Tag)]", more)))
    assert headers(desk.app, "/key") == {"given": "2", "late": "2", "more": "1"}
    assert headers(desk.plain, "/late") == {"given": "2", "late": "2", "more": "1"}
    done.undo()
    app.push(edited(("middleware=[Middleware(Tag)],", "")))
    assert headers(desk.app, "/key").keys() == headers(desk.plain, "/late").keys() == {"late"}


def test_handlers_that_are_given(live: tuple[LiveApp, Any]) -> None:
    """Those for other errors, and those that statements added, stay."""
    app, desk = live
    app.push(edited(("exception_handlers={Full: on_full}", "exception_handlers={KeyError: on_key, Full: on_key}")))
    assert ask(desk.app, "GET", "/full").text == "key"
    assert desk.app.exception_handlers[KeyError] is desk.key
    assert desk.plain.exception_handlers == {KeyError: desk.on_key, desk.Full: desk.on_key, 500: desk.on_error}
    app.push(edited(("exception_handlers={Full: on_full}", "exception_handlers={}")))
    assert ask(desk.app, "GET", "/full").text == "Internal Server Error"
    assert desk.plain.exception_handlers == {500: desk.on_error}


def test_routes_that_are_given(live: tuple[LiveApp, Any]) -> None:
    """They change before those that statements added."""
    app, desk = live
    app.push(edited(('Route("/", home), ', 'Route("/late", lambda r: PlainTextResponse("over")), Route("/b", home), ')))
    assert (get(desk.plain, "/late"), get(desk.plain, "/b"), get(desk.plain, "/in/a")) == ("over", "home", "home")
    assert get(desk.plain, "/") == 404
    app.push({}, fresh=True)
    assert (get(desk.plain, "/late"), get(desk.plain, "/b"), get(desk.plain, "/")) == ("home", 404, "home")


@pytest.mark.parametrize("name", ["app", "plain"])
def test_debug(live: tuple[LiveApp, Any], name: str) -> None:
    """The middleware that answers for errors shows what it is told to."""
    app, desk = live
    served = getattr(desk, name)
    app.push(edited((f"{name} = {type(served).__name__}(", f"{name} = {type(served).__name__}(debug=True, ")))
    assert served.middleware_stack.debug is True
    app.push({}, fresh=True)
    assert served.middleware_stack.debug is False


def test_lifespan_is_named(live: tuple[LiveApp, Any]) -> None:
    """One that has begun is not begun again: the report says so."""
    app, _ = live
    done = app.push(edited(('title="desk"', 'title="desk", lifespan=life')))
    assert done.report.to_json()["modules"][0]["stale"] == [
        "app = (lifespan_context changed, and it has begun: from the next start on)"
    ]


@pytest.mark.parametrize(
    "argument",
    [
        "dependencies=[Depends(guard)]", "docs_url='/d'", "root_path='/api'", "max_body_size=4",
        "default_response_class=PlainTextResponse", "responses={418: {}}",
        "generate_unique_id_function=lambda route: route.name",
    ],
)  # fmt: skip
def test_what_routes_took_over_is_refused(live: tuple[LiveApp, Any], argument: str) -> None:
    """The reason names the argument, and nothing has changed."""
    app, desk = live
    before = app.picture(desk.app)
    with pytest.raises(SwapFailedError, match=argument.partition("=")[0]):
        app.push(edited(('title="desk"', f'title="desk", {argument}')))
    assert app.picture(desk.app) == before


def test_what_cannot_be_told_is_refused(live: tuple[LiveApp, Any]) -> None:
    """An app that was made by a call of the app's own is not made a second time to see what it was given."""
    app, _ = live
    app.push(edited(('title="desk"', 'title=make() or "desk"')))
    with pytest.raises(SwapFailedError, match="what it was given before cannot be told"):
        app.push(edited(('title="desk"', 'title=make() or "desks"')))


def test_a_handler_that_gets_another_name(live: tuple[LiveApp, Any]) -> None:
    """What the statement gave is told although the name by which it gave it is gone."""
    app, desk = live
    app.push(edited(("on_full", "when_full"), ('"full", 507', '"really full", 507')))
    assert ask(desk.app, "GET", "/full").text == "really full"
    assert desk.plain.exception_handlers == {desk.Full: desk.when_full, 500: desk.on_error}


def test_calls_that_give_one_class_twice_are_told_by_their_texts(live: tuple[LiveApp, Any]) -> None:
    """Of the same middleware, once in the app's own statement and once in a call, the one goes whose call is gone."""
    app, desk = live
    call = 'app.add_middleware(Late, name="late")\n'
    app.push(edited((call, call + 'app.add_middleware(Tag, name="third")\n')))
    assert headers(desk.app, "/key").keys() == {"given", "late", "third"}
    app.push({}, fresh=True)
    assert headers(desk.app, "/key").keys() == {"given", "late"}
