"""What libraries derive from an app's functions and classes follows them, and is put back when a swap fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from living import LiveApp

from habanero_receiver.swap import SwapFailedError, adapters
from habanero_receiver.swap.adapters import Adapter, register
from habanero_receiver.swap.transaction import Transaction

Start = Callable[[dict[str, str]], LiveApp]


def answer(app: Any, path: str, **json: Any) -> Any:
    """The JSON that an ASGI app answers, or its status if it is no success."""
    import asyncio

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            return await (client.post(path, json=json) if json else client.get(path))

    response = asyncio.run(ask())
    return response.json() if response.is_success else response.status_code


FASTAPI = {
    "web/": "",
    "web.models": """
        from pydantic import BaseModel, field_validator
        class Item(BaseModel):
            name: str
            @field_validator("name")
            @classmethod
            def check(cls, value):
                return value.lower()
        class Order(BaseModel):
            items: list[Item]
        class Special(Item):
            extra: int = 1
        ITEM = Item(name="Old")
    """,
    "web.deps": "def paging(page: int = 1):\n    return [page]\n",
    "web.main": """
        from fastapi import APIRouter, Depends, FastAPI
        from web.deps import paging
        from web.models import Item, Order, Special
        app = FastAPI()
        router = APIRouter(prefix="/sub")
        @app.get("/list")
        def listing(p=Depends(paging)):
            return p
        @router.post("/order")
        def order(o: Order) -> Order:
            return o
        @router.post("/special")
        def special(s: Special) -> Special:
            return s
        app.include_router(router)
    """,
}
NEW_MODELS = (
    FASTAPI["web.models"]
    .replace("name: str\n", "name: str\n            size: int = 5\n")
    .replace("value.lower()", "value.upper()")
)


def test_fastapi_models_dependencies_and_schema(start: Start) -> None:
    """A model's new field reaches the models and routes that hold it, a dependency's parameter every route."""
    app = start(FASTAPI)
    main, models = app.load("web.main"), app.load("web.models")
    assert answer(main.app, "/sub/order", items=[{"name": "A"}]) == {"items": [{"name": "a"}]}
    assert "size" not in str(main.app.openapi())
    classes = (models.Item, models.Order, models.Special)
    committed = app.push(
        {"web.models": NEW_MODELS, "web.deps": "def paging(page: int = 1, size: int = 2):\n    return [page, size]\n"}
    )
    assert (models.Item, models.Order, models.Special) == classes
    assert answer(main.app, "/sub/order", items=[{"name": "a"}]) == {"items": [{"name": "A", "size": 5}]}
    assert answer(main.app, "/sub/order", items=[{"name": "a", "size": "x"}]) == 422
    assert answer(main.app, "/sub/special", name="a") == {"name": "A", "size": 5, "extra": 1}
    assert answer(main.app, "/list?page=3&size=4") == [3, 4]
    assert "size" in str(main.app.openapi())
    assert models.ITEM.size == 5
    assert models.Item(name="x").model_dump() == {"name": "X", "size": 5}
    committed.undo()
    assert answer(main.app, "/sub/order", items=[{"name": "A", "size": 7}]) == {"items": [{"name": "a"}]}
    assert answer(main.app, "/list?page=3&size=4") == [3]
    assert "size" not in str(main.app.openapi())
    assert vars(models.ITEM) == {"name": "old"}


def test_fastapi_routes_of_an_included_router(start: Start) -> None:
    """A route added to a router that an app includes already is served; a changed path replaces the old one."""
    app = start(FASTAPI)
    main = app.load("web.main")
    before = len(main.app.routes)
    text = (
        FASTAPI["web.main"]
        .replace('"/order"', '"/orders"')
        .replace(
            "        app.include",
            '        @router.get("/more")\n        def more():\n            return "more"\n        app.include',
        )
    )
    committed = app.push({"web.main": text})
    assert answer(main.app, "/sub/more") == "more"
    assert answer(main.app, "/sub/orders", items=[]) == {"items": []}
    assert answer(main.app, "/sub/order", items=[]) == 404
    assert len(main.app.routes) in (before, before + 1)
    committed.undo()
    assert answer(main.app, "/sub/more") == 404
    assert answer(main.app, "/sub/order", items=[]) == {"items": []}


def test_pydantic_validators_come_and_go(start: Start) -> None:
    """A new validator runs, a removed one does not, and a computed field appears."""
    pytest.importorskip("pydantic")
    before = FASTAPI["web.models"]
    after = (
        before.replace(
            "            @field_validator",
            "            @computed_field\n            @property\n            def loud(self) -> str:\n"
            "                return self.name + '!'\n            @field_validator",
        )
        .replace(
            "def check(cls, value):\n                return value.lower()",
            "def other(cls, value):\n                return value * 2",
        )
        .replace("field_validator\n", "computed_field, field_validator\n", 1)
    )
    app = start({"web/": "", "web.models": before})
    models = app.load("web.models")
    committed = app.push({"web.models": after})
    assert models.Item(name="Ab").model_dump() == {"name": "AbAb", "loud": "AbAb!"}
    committed.undo()
    assert models.Item(name="Ab").model_dump() == {"name": "ab"}


FLASK = {
    "web/": "",
    "web.bp": "from flask import Blueprint\nbp = Blueprint('bp', __name__)\n@bp.get('/a')\ndef a():\n    return 'a1'\n",
    "web.main": """
        from flask import Flask
        from web.bp import bp
        app = Flask(__name__)
        app.register_blueprint(bp, url_prefix="/bp")
        @app.get("/")
        def index():
            return "index1"
        @app.get("/gone")
        def gone():
            return "gone"
    """,
}


def test_flask_views_after_the_first_request(start: Start) -> None:
    """Views are added to an app and to a blueprint that serve already; moved and removed ones leave no rule behind."""
    pytest.importorskip("flask")
    app = start(FLASK)
    main = app.load("web.main")
    client = main.app.test_client()
    assert (client.get("/").text, client.get("/bp/a").text) == ("index1", "a1")
    text = (
        FLASK["web.main"]
        .replace('get("/")', 'get("/home")')
        .replace("index1", "index2")
        .split('        @app.get("/gone')[0]
    )
    committed = app.push({
        "web.main": text + '        @app.get("/new")\n        def new():\n            return "new"\n',
        "web.bp": FLASK["web.bp"].replace("'/a'", "'/b'") + "@bp.get('/more')\ndef more():\n    return 'more'\n",
    })  # fmt: skip
    assert [client.get(p).text for p in ("/home", "/new", "/bp/b", "/bp/more")] == ["index2", "new", "a1", "more"]
    assert [client.get(p).status_code for p in ("/", "/gone", "/bp/a")] == [404, 404, 404]
    with pytest.raises(AssertionError):
        main.app.add_url_rule("/late", "late", lambda: "")
    committed.undo()
    assert [client.get(p).status_code for p in ("/", "/gone", "/bp/a")] == [200, 200, 200]
    assert [client.get(p).status_code for p in ("/home", "/new", "/bp/b", "/bp/more")] == [404] * 4


class Menu(Adapter):
    """An adapter as an app writes it for its own registry."""

    library = "web"

    def __init__(self) -> None:
        self.told: list[str] = []
        self.broken = False

    def begin(self, swap: Transaction) -> None:
        self.told.append("begin")

    def forget(self, swap: Transaction, function: object) -> None:
        self.told.append(f"forget {function.__name__}")  # type: ignore[attr-defined]

    def reshape(self, swap: Transaction, cls: type, twin: type) -> None:
        self.told.append(f"reshape {cls.__name__}")

    def finish(self, swap: Transaction) -> None:
        self.told.append("finish")
        menu = swap.modules["web"].MENU
        swap.log.set_item(menu, "dishes", len(swap.redefined))
        if self.broken:
            raise RuntimeError("the kitchen is closed")


@pytest.fixture
def menu() -> Iterator[Menu]:
    adapter = Menu()
    register(adapter)
    yield adapter
    adapters._registered.clear()


WEB = (
    "from dataclasses import dataclass\nMENU = {}\ndef on(f):\n    return f\n@on\ndef f(a=1): ...\n"
    "@dataclass\nclass D:\n    x: int\n"
)


def test_an_app_can_write_its_own_adapter(start: Start, menu: Menu) -> None:
    """It is asked before, during and after the statements; not at all where none runs; and is undone with the rest."""
    app = start({"web": WEB})
    web = app.load("web")
    app.push({"web": "# shifted\n" + WEB})
    assert menu.told == []
    committed = app.push({"web": WEB.replace("a=1", "a=2").replace("x: int", "x: str")})
    assert menu.told == ["begin", "forget f", "reshape D", "finish"]
    assert web.MENU == {"dishes": 1}
    committed.undo()
    assert web.MENU == {}


def test_an_adapter_that_raises_fails_the_swap(start: Start, menu: Menu) -> None:
    """Everything is as it was, what the adapter had done by then included."""
    app = start({"web": WEB})
    app.load("web")
    before = app.picture()
    menu.broken = True
    with pytest.raises(SwapFailedError, match="kitchen"):
        app.push({"web": WEB.replace("a=1", "a=2")})
    assert app.picture() == before
