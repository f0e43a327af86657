"""FastAPI apps follow: dependencies, included routers, models, handlers, sockets, schema; factories' apps too."""

from __future__ import annotations

from typing import Any

import pytest
from asgi_client import ask, get, talk
from living import dedented

WEB = dedented({
    "web/": "",
    "web.models": """
        from pydantic import BaseModel
        class Item(BaseModel):
            name: str
        class Basket(BaseModel):
            items: list[Item] = []
    """,
    "web.deps": """
        class Missing(Exception):
            pass
        def common(q: str = "none"):
            return q
        def user(token: str = "anon"):
            return "user1 " + token
    """,
    "web.routes": """
        from typing import Annotated
        from fastapi import APIRouter, BackgroundTasks, Depends, WebSocket
        from web.deps import Missing, common, user
        from web.models import Basket, Item
        DONE = []
        router = APIRouter(prefix="/api", tags=["api"])
        inner = APIRouter(prefix="/inner")
        User = Annotated[str, Depends(user)]
        def note(text):
            DONE.append("1" + text)
        @router.get("/item", response_model=Item)
        def item():
            "Gives an item."
            return {"name": "x", "extra": 1}
        @router.get("/who")
        def who(user: User, q: str = Depends(common)):
            return [user, q]
        @router.get("/note")
        def noted(tasks: BackgroundTasks):
            tasks.add_task(note, "a")
            return "ok"
        @router.post("/basket")
        def basket(b: Basket) -> Basket:
            return b
        @router.get("/missing")
        def missing():
            raise Missing
        @router.websocket("/ws")
        async def ws(socket: WebSocket):
            await socket.accept()
            async for text in socket.iter_text():
                await socket.send_text("1" + text)
        @inner.get("/deep")
        def deep():
            return "deep1"
        router.include_router(inner)
    """,
    "web.main": """
        from fastapi import FastAPI
        from fastapi.responses import JSONResponse
        from web.deps import Missing
        from web.routes import router

        def create_app():
            app = FastAPI(title="made")
            app.include_router(router, prefix="/v1")

            @app.get("/own")
            def own():
                return "own1"

            return app

        app = FastAPI(title="first")
        app.include_router(router)

        @app.exception_handler(Missing)
        async def on_missing(request, exc):
            return JSONResponse("gone1", 410)

        @app.middleware("http")
        async def tag(request, call_next):
            answer = await call_next(request)
            answer.headers["tag"] = "1"
            return answer
    """,
})  # fmt: skip


def edit(module: str, *pairs: tuple[str, str]) -> dict[str, str | None]:
    text = WEB[module]
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return {module: text}


@pytest.fixture
def live(start: Any) -> tuple[Any, Any, Any]:
    """The app of the module, and one that only its server holds."""
    app = start(WEB)
    main = app.load("web.main")
    made = main.create_app()
    assert (get(main.app, "/api/item"), get(made, "/v1/api/inner/deep")) == ({"name": "x"}, "deep1")
    assert "/api/item" in main.app.openapi()["paths"]
    return app, main.app, made


def test_bodies(live: Any) -> None:
    """Endpoints, dependencies, background tasks, sockets, exception handlers, middleware and nested functions."""
    app, first, made = live
    app.push(
        edit("web.routes", ("deep1", "deep2"), ('"1" + text)\n@', '"2" + text)\n@'), ('"name": "x"', '"name": "y"'))
        | edit("web.deps", ("user1", "user2"))
        | edit("web.main", ("own1", "own2"), ("gone1", "gone2"), ('["tag"] = "1"', '["tag"] = "2"'))
    )
    assert (get(first, "/api/item"), get(made, "/v1/api/inner/deep")) == ({"name": "y"}, "deep2")
    assert get(made, "/own") == "own2"
    assert get(first, "/api/who?token=t") == ["user2 t", "none"]
    assert talk(first, "/api/ws", "a") == ["2a"]
    assert ask(first, "GET", "/api/missing").json() == "gone2"
    assert ask(first, "GET", "/api/item").headers["tag"] == "2"
    assert get(made, "/v1/api/note") == "ok"


def test_signatures_models_and_schema(live: Any) -> None:
    """Dependencies' parameters, response models, nested models: in routes and schema of every app, and back again."""
    app, first, made = live
    schemas = [item.openapi() for item in (first, made)]
    committed = app.push(
        edit("web.deps", ('q: str = "none"', 'q: str = "some", page: int = 1'), ("return q", "return [q, page]"))
        | edit("web.models", ("    name: str\n", "    name: str\n    size: int = 3\n"))
    )
    for item, prefix in ((first, ""), (made, "/v1")):
        assert get(item, prefix + "/api/who?page=4") == ["user1 anon", ["some", 4]]
        assert get(item, prefix + "/api/who?page=x") == 422
        assert get(item, prefix + "/api/item") == {"name": "x", "size": 3}
        answer = ask(item, "POST", prefix + "/api/basket", json={"items": [{"name": "n"}]})
        assert answer.json() == {"items": [{"name": "n", "size": 3}]}
        assert "size" in str(item.openapi()["components"])
        assert "page" in str(item.openapi()["paths"][prefix + "/api/who"])
    committed.undo()
    assert [item.openapi() for item in (first, made)] == schemas
    assert get(made, "/v1/api/who?page=x") == ["user1 anon", "none"]


def test_routes_come_go_and_move(live: Any) -> None:
    """In routers that apps included, at any depth: at once, in place, once; the schema shows them."""
    app, first, made = live
    committed = app.push(
        edit(
            "web.routes",
            ('"/item", response_model=Item', '"/thing", status_code=201'),
            ('@inner.get("/deep")', '@inner.post("/deeper")'),
            ('@router.get("/missing")\ndef missing():\n    raise Missing\n', ""),
            ("def note(text)", '@router.get("/more")\ndef more():\n    return "more"\ndef note(text)'),
            ('"/ws"', '"/socket"'),
        )
    )
    assert committed.report.of("web.routes").doubled == []
    for item, prefix in ((first, ""), (made, "/v1")):
        assert get(item, prefix + "/api/thing") == {"name": "x", "extra": 1}
        assert ask(item, "GET", prefix + "/api/thing").status_code == 201
        assert [get(item, prefix + path) for path in ("/api/item", "/api/missing")] == [404, 404]
        assert ask(item, "POST", prefix + "/api/inner/deeper").json() == "deep1"
        assert get(item, prefix + "/api/inner/deep") == 404
        assert get(item, prefix + "/api/more") == "more"
        paths = item.openapi()["paths"]
        assert prefix + "/api/thing" in paths
        assert prefix + "/api/item" not in paths
    assert talk(first, "/api/socket", "a") == ["1a"]
    committed.undo()
    assert get(made, "/v1/api/item") == {"name": "x"}
    assert get(made, "/v1/api/more") == 404


def test_the_app_itself_changes(live: Any) -> None:
    """A changed title is in the schema; the server's app stays, with its routes; a handler moves to another error."""
    app, first, _ = live
    committed = app.push(
        edit(
            "web.main",
            ('FastAPI(title="first")', 'FastAPI(title="second", version="2")'),
            ("@app.exception_handler(Missing)", "@app.exception_handler(LookupError)"),
        )
        | edit("web.routes", ("    raise Missing\n", "    raise KeyError\n"))
    )
    assert app.load("web.main").app is first
    assert first.openapi()["info"] == {"title": "second", "version": "2"}
    assert ask(first, "GET", "/api/missing").json() == "gone1"
    assert get(first, "/api/item") == {"name": "x"}
    committed.undo()
    assert first.openapi()["info"]["title"] == "first"
    assert ask(first, "GET", "/api/missing").status_code == 410


def test_included_under_another_prefix(live: Any) -> None:
    """The changed statement's routes take the place of those that it included before."""
    app, first, _ = live
    included = ("app.include_router(router)\n", 'app.include_router(router, prefix="/v2")\n')
    committed = app.push(edit("web.main", included))
    assert (get(first, "/v2/api/item"), get(first, "/api/item")) == ({"name": "x"}, 404)
    committed.undo()
    assert (get(first, "/v2/api/item"), get(first, "/api/item")) == (404, {"name": "x"})


def test_overrides_and_docstrings(live: Any) -> None:
    """An override that a test set stays; a docstring is in the schema."""
    app, first, _ = live
    first.dependency_overrides[app.load("web.deps").user] = lambda: "fake"
    anonymous = ('token: str = "anon"', 'token: str = "nobody"')
    app.push(edit("web.deps", anonymous) | edit("web.routes", ("Gives", "Hands out")))
    assert get(first, "/api/who") == ["fake", "none"]
    first.dependency_overrides.clear()
    assert get(first, "/api/who") == ["user1 nobody", "none"]
    assert first.openapi()["paths"]["/api/item"]["get"]["description"] == "Hands out an item."


def test_objects_that_routes_depend_on(start: Any) -> None:
    """A security scheme, an instance and a class of the app that are made again or change; an undo takes it back."""
    sources = dedented({
        "guarded": """
            from fastapi import Depends, FastAPI, Header, HTTPException
            from fastapi.security import APIKeyHeader
            key = APIKeyHeader(name="x-key", auto_error=False)
            class Role:
                def __init__(self, name):
                    self.name = name
                def __call__(self, x_role: str = Header("none")):
                    if x_role != self.name:
                        raise HTTPException(403, self.name)
            admin = Role("admin")
            class Paging:
                def __init__(self, page: int = 1):
                    self.page = page
            app = FastAPI()
            @app.get("/key")
            def keyed(k=Depends(key)):
                return k
            @app.get("/admin", dependencies=[Depends(admin)])
            def panel():
                return "in"
            @app.get("/list")
            def listing(paging: Paging = Depends()):
                return paging.page
        """,
    })  # fmt: skip
    app = start(sources)
    main = app.load("guarded")
    headers = {"x-key": "k", "x-token": "t", "x-role": "owner"}

    def seen() -> list[Any]:
        return [get(main.app, path, headers=headers) for path in ("/key", "/admin", "/list?page=2&offset=8")]

    assert seen() == ["k", 403, 2]
    text = sources["guarded"].replace('name="x-key"', 'name="x-token"').replace('Role("admin")', 'Role("owner")')
    committed = app.push({"guarded": text.replace("page: int = 1", "offset: int = 0").replace("= page", "= offset")})
    assert seen() == ["t", "in", 8]
    assert "x-token" in str(main.app.openapi()["components"])
    committed.undo()
    assert seen() == ["k", 403, 2]
