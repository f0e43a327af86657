"""Starlette apps: routes in lists, mounts, exception handlers and WebSockets follow in the app that is served."""

from __future__ import annotations

from typing import Any

import pytest
from asgi_client import get, talk
from living import dedented

pytest.importorskip("starlette")

SITE = dedented({
    "site_app/": "",
    "site_app.views": """
        from starlette.responses import JSONResponse, PlainTextResponse
        async def home(request):
            return PlainTextResponse("home1")
        async def item(request):
            return JSONResponse({"id": request.path_params["id"]})
        async def chat(websocket):
            await websocket.accept()
            async for text in websocket.iter_text():
                await websocket.send_text("1" + text)
        async def broken(request):
            raise LookupError("no")
        async def lost(request, exc):
            return PlainTextResponse("lost1")
        async def late(request, exc):
            return PlainTextResponse("late")
    """,
    "site_app.main": """
        from contextlib import asynccontextmanager
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.routing import Mount, Route, WebSocketRoute
        from site_app import views

        class Tag:
            made = 0
            def __init__(self, app, tag="1"):
                self.app, self.tag = app, tag
                Tag.made += 1
            async def __call__(self, scope, receive, send):
                await self.app(scope, receive, send)

        @asynccontextmanager
        async def lifespan(app):
            yield

        sub_routes = [Route("/in", views.home)]
        routes = [
            Route("/", views.home),
            Route("/item/{id}", views.item),
            Route("/broken", views.broken),
            Mount("/sub", routes=sub_routes),
            WebSocketRoute("/chat", views.chat),
        ]
        app = Starlette(
            routes=routes, middleware=[Middleware(Tag)], lifespan=lifespan,
            exception_handlers={LookupError: views.lost},
        )
    """,
})  # fmt: skip


def begin(start: Any) -> tuple[Any, Any]:
    app = start(SITE)
    main = app.load("site_app.main")
    assert get(main.app, "/") == "home1"
    return app, main


def edit(module: str, *pairs: tuple[str, str]) -> dict[str, str | None]:
    text = SITE[module]
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return {module: text}


def test_bodies_of_endpoints_handlers_and_sockets(start: Any) -> None:
    """Whatever holds the endpoint runs its new code; middleware is not made again."""
    app, main = begin(start)
    made = main.Tag.made
    app.push(edit("site_app.views", ("home1", "home2"), ('"1" + text', '"2" + text'), ("lost1", "lost2")))
    assert (get(main.app, "/"), get(main.app, "/sub/in"), get(main.app, "/broken")) == ("home2", "home2", "lost2")
    assert talk(main.app, "/chat", "a") == ["2a"]
    assert main.Tag.made == made


def test_a_changed_list_of_routes_reaches_the_app_that_was_made_of_it(start: Any) -> None:
    """Paths change, routes come and go, in a list and in the list of a mount; the app is the same."""
    app, main = begin(start)
    living, made = main.app, main.Tag.made
    committed = app.push(
        edit(
            "site_app.main",
            ('Route("/item/{id}"', 'Route("/thing/{id:int}"'),
            ('    Route("/broken", views.broken),\n', '    Route("/new", views.home),\n'),
            ('Route("/in"', 'Route("/inner"'),
            ('"/chat"', '"/talk"'),
        )
    )
    assert main.app is living
    assert main.Tag.made == made
    assert (get(living, "/thing/7"), get(living, "/item/7"), get(living, "/new")) == ({"id": 7}, 404, "home1")
    assert (get(living, "/broken"), get(living, "/sub/inner"), get(living, "/sub/in")) == (404, "home1", 404)
    assert talk(living, "/talk", "a") == ["1a"]
    committed.undo()
    assert (get(living, "/thing/7"), get(living, "/item/7"), get(living, "/broken")) == (404, {"id": "7"}, "lost1")


def test_an_app_that_is_made_again_lives_on_in_the_first_one(start: Any) -> None:
    """The server holds the first app: it takes the routes and handlers of the one that its statement makes now."""
    app, main = begin(start)
    living = main.app
    committed = app.push(
        edit(
            "site_app.main",
            ("routes=routes,", 'routes=[*routes, Route("/more", views.home)],'),
            ("{LookupError: views.lost}", "{KeyError: views.lost, LookupError: views.late}"),
        )
    )
    assert main.app is living
    assert (get(living, "/more"), get(living, "/"), get(living, "/broken")) == ("home1", "home1", "late")
    committed.undo()
    assert (get(living, "/more"), get(living, "/broken")) == (404, "lost1")


FACTORY = dedented({
    "made": """
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route

        def home(request):
            return PlainTextResponse("home")

        ROUTES = [Route("/", home)]

        def create_app():
            return Starlette(routes=ROUTES)
    """
})  # fmt: skip


def test_an_app_that_no_module_names(start: Any) -> None:
    """What only the server holds, since a factory made it, follows its module's routes."""
    app = start(FACTORY)
    living = app.load("made").create_app()
    assert get(living, "/") == "home"
    committed = app.push({"made": FACTORY["made"].replace('Route("/", home)', 'Route("/new", home)')})
    assert (get(living, "/new"), get(living, "/")) == ("home", 404)
    committed.undo()
    assert (get(living, "/new"), get(living, "/")) == (404, "home")


VIEWS = """
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, Router
async def a(request):
    return PlainTextResponse("a")
async def b(request):
    return PlainTextResponse("b")
"""
CALLS = {
    "calls": """
app = Starlette()
app.add_route("/a", a)
app.mount("/sub", Router(routes=[Route("/x", a)]))
app.add_route("/{rest:path}", b)
""",
    "a list": """
routes = []
routes.append(Route("/a", a))
routes.append(Mount("/sub", routes=[Route("/x", a)]))
routes.append(Route("/{rest:path}", b))
app = Starlette(routes=routes)
""",
}


@pytest.mark.parametrize(
    ("old", "new"),
    [('"/a"', '"/{any}"'), ('"/x"', '"/y"'), ('"/sub"', '"/new"'), ('"/{rest:path}"', '"/z"')],
    ids=["the route before", "the route inside", "the mount", "the route behind"],
)
@pytest.mark.parametrize("form", CALLS)
def test_calls_beside_a_mount_of_the_same_view(start: Any, form: str, old: str, new: str) -> None:
    """Each keeps its place, and what one registered is told from what the other did."""

    def answers(app: Any) -> list[Any]:
        return [get(app, path) for path in ("/a", "/sub/x", "/sub/y", "/new/x", "/b", "/z")]

    source = VIEWS + CALLS[form]
    assert old in source
    app = start({"mounted": source})
    living = app.load("mounted").app
    before = answers(living)
    report = app.push({"mounted": source.replace(old, new)}).report
    assert report.of("mounted").doubled == []
    after, paths = answers(living), [route.path for route in living.routes]
    fresh = start({"mounted": source.replace(old, new)}).load("mounted").app
    assert (after, paths) == (answers(fresh), [route.path for route in fresh.routes])
    assert after != before


def test_a_list_that_gets_a_name_is_the_list_that_the_app_goes_on_with(start: Any) -> None:
    """What it holds are the routes that live, so that the next change of it reaches the app."""
    one = VIEWS + 'app = Starlette(routes=[Route("/a", a), Route("/b", b)])\n'
    two = VIEWS + 'routes = [Route("/a", a), Route("/b", b)]\napp = Starlette(routes=routes)\n'
    app = start({"named_routes": one})
    main = app.load("named_routes")
    living = list(main.app.routes)
    app.push({"named_routes": two})
    assert main.routes == living
    assert list(map(id, main.routes)) == list(map(id, main.app.routes))
    app.push({"named_routes": two.replace('"/b"', '"/c"')})
    assert [get(main.app, path) for path in ("/a", "/b", "/c")] == ["a", 404, "b"]
