"""Whatever step of a commit fails, what each library derived from the app's code answers as before."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgi_client import get
from faulty_log import faults
from living import dedented


@dataclass(frozen=True, slots=True)
class Case:
    """An app of one library, what changes in its module ``mod.main``, and what one sees of it from outside."""

    library: str
    source: str
    edits: tuple[tuple[str, str], ...]
    look: Callable[[Any], Any]
    after: Callable[[Any], bool]


FASTAPI = """
    from fastapi import APIRouter, Depends, FastAPI
    from pydantic import BaseModel, field_validator
    class Item(BaseModel):
        name: str = "A"
        @field_validator("name", mode="before")
        @classmethod
        def check(cls, value):
            return value.lower()
    class Order(BaseModel):
        item: Item
    def paging(page: int = 1):
        return [page]
    app = FastAPI()
    router = APIRouter(prefix="/sub")
    @app.get("/list")
    def listing(p=Depends(paging)):
        return p
    @router.get("/order")
    def order(name: str = "X") -> Order:
        return Order(item=Item(name=name))
    app.include_router(router)
"""


def look_at_fastapi(main: Any) -> Any:
    return get(main.app, "/list?page=3&size=4"), get(main.app, "/sub/order"), main.app.openapi()["components"]


STARLETTE = """
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Mount, Route
    async def home(request):
        return PlainTextResponse("home1")
    async def broken(request):
        raise LookupError("no")
    async def lost(request, exc):
        return PlainTextResponse("lost1")
    app = Starlette(
        routes=[Route("/", home), Route("/broken", broken), Mount("/sub", routes=[Route("/in", home)])],
        exception_handlers={LookupError: lost},
    )
"""


def look_at_starlette(main: Any) -> Any:
    return [get(main.app, path) for path in ("/", "/home", "/broken", "/sub/in", "/sub/out")]


FLASK = """
    import click
    from flask import Blueprint, Flask, render_template_string
    bp = Blueprint("bp", __name__)
    @bp.get("/a")
    def a():
        return "a1"
    app = Flask(__name__)
    app.register_blueprint(bp, url_prefix="/bp")
    @app.after_request
    def tag(response):
        response.headers["tag"] = "1"
        return response
    @app.errorhandler(404)
    def lost(error):
        return "lost1", 404
    @app.template_filter("twice")
    def twice(text):
        return text * 2
    @app.get("/")
    def index():
        return render_template_string("{{ 'x'|twice }}")
    @app.cli.command("seed")
    def seed():
        click.echo("seeded")
"""


def look_at_flask(main: Any) -> Any:
    client = main.app.test_client()
    answers = [client.get(path) for path in ("/", "/home", "/bp/a", "/bp/b")]
    return [(r.text, r.headers["tag"]) for r in answers], main.app.test_cli_runner().invoke(args=["seed"]).output


DJANGO = """
    from django.dispatch import Signal, receiver
    from django.http import HttpResponse
    from django.urls import path
    from django.views import View
    ordered = Signal()
    @receiver(ordered)
    def on_ordered(sender, **given):
        return "ordered1"
    def home(request):
        return HttpResponse("home1")
    class Page(View):
        title = "t1"
        def get(self, request, n):
            return HttpResponse(f"{self.title} {n}")
    urlpatterns = [path("", home), path("page/<int:n>/", Page.as_view(), name="page")]
"""


def look_at_django(main: Any) -> Any:
    from django.conf import settings
    from django.test import RequestFactory, override_settings
    from django.urls import Resolver404, resolve

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", INSTALLED_APPS=[], USE_TZ=True)

    def fetch(where: str) -> Any:
        try:
            found = resolve(where)
        except Resolver404:
            return 404
        return found.func(RequestFactory().get(where), *found.args, **found.kwargs).content.decode()

    with override_settings(ROOT_URLCONF="mod.main"):
        pages = [fetch(where) for where in ("/", "/home/", "/page/3/", "/leaf/3/")]
    return pages, [answer for _, answer in main.ordered.send(None)]


PYDANTIC = """
    from typing import Generic, TypeVar
    from pydantic import BaseModel, RootModel, TypeAdapter, field_validator
    T = TypeVar("T")
    class Item(BaseModel):
        cents: int
        @field_validator("cents")
        @classmethod
        def check(cls, value):
            return value
    class Page(BaseModel, Generic[T]):
        items: list[T]
    class Gift(Item):
        label: str = ""
    class Basket(RootModel[list[Item]]):
        pass
    ItemPage, READER = Page[Item], TypeAdapter(list[Item])
"""


def look_at_pydantic(main: Any) -> Any:
    page, basket = main.ItemPage(items=[{"cents": 1}]), main.Basket([{"cents": 1}])
    read = main.READER.validate_python([{"cents": 1}])
    items = (page.items[0], basket.root[0], read[0], main.Gift(cents=1))
    return [item.model_dump() for item in items], main.Gift.model_json_schema()


SQLALCHEMY = """
    from sqlalchemy import create_engine, event
    from sqlalchemy.ext.hybrid import hybrid_property
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, validates
    SEEN = []
    class Base(DeclarativeBase):
        pass
    class User(Base):
        __tablename__ = "users"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str]
        def greeting(self):
            return f"hi {self.name}"
        @hybrid_property
        def named(self):
            return self.name == "ana"
        @validates("name")
        def check_name(self, key, value):
            return value.strip()
    @event.listens_for(User.name, "set")
    def on_name(target, value, old, initiator):
        SEEN.append("set1")
"""


def look_at_sqlalchemy(main: Any) -> Any:
    main.SEEN.clear()
    user = main.User(name=" ana ")
    return user.greeting(), user.named, str(main.User.named), list(main.SEEN), str(main.User.__table__.columns)


CELERY = """
    from celery import Celery, shared_task
    celery = Celery("jobs", broker="memory://", backend="cache+memory://")
    celery.conf.task_always_eager = True
    @celery.task(name="add")
    def add(x, y=1):
        return x + y
    @celery.task(bind=True, max_retries=3)
    def bound(self, x=1):
        return self.max_retries * x
    @shared_task(name="shared")
    def shared(x=1):
        return x
"""


def look_at_celery(main: Any) -> Any:
    own = {name: task for name, task in main.celery.tasks.items() if not name.startswith("celery.")}
    return {name: task.delay(5).get() for name, task in own.items()}, main.add.name, main.bound.max_retries


CLICK = """
    import click
    @click.group()
    def cli():
        pass
    @cli.command()
    @click.option("--count", default=1)
    def greet(count):
        click.echo("hi " * count)
    @cli.command("old-name")
    def renamed():
        click.echo("renamed")
"""


def look_at_click(main: Any) -> Any:
    from click.testing import CliRunner

    said = [CliRunner().invoke(main.cli, [name]).output for name in ("greet", "old-name", "new-name")]
    return list(main.cli.commands), said


ATTRS = """
    from attrs import define, field, validators
    @define
    class Item:
        name: str = field(default="a", converter=str.lower)
        price: int = field(default=1, validator=validators.ge(0))
        def total(self):
            return self.price
    ITEM = Item()
"""


def look_at_attrs(main: Any) -> Any:
    return repr(main.Item("A")), main.ITEM.total(), repr(main.Item.__attrs_attrs__)


CASES = [
    Case(
        "fastapi",
        FASTAPI,
        (
            ('name: str = "A"', 'name: str = "A"\n    size: int = 5'),
            ("value.lower()", "value.upper()"),
            ("page: int = 1):\n    return [page]", "page: int = 1, size: int = 2):\n    return [page, size]"),
            ('"/order"', '"/orders"'),
            ("app.include_router", '@router.get("/order")\ndef more():\n    return "more"\napp.include_router'),
        ),
        look_at_fastapi,
        lambda seen: (seen[0], seen[1]) == ([3, 4], "more"),
    ),
    Case(
        "starlette",
        STARLETTE,
        (("home1", "home2"), ("lost1", "lost2"), ('Route("/", home)', 'Route("/home", home)'), ('"/in"', '"/out"')),
        look_at_starlette,
        lambda seen: seen == [404, "home2", "lost2", 404, "home2"],
    ),
    Case(
        "flask",
        FLASK,
        (
            ('"a1"', '"a2"'), ('bp.get("/a")', 'bp.get("/b")'), ('"1"', '"2"'), ("lost1", "lost2"),
            ("text * 2", "text * 3"), ('app.get("/")', 'app.get("/home")'), ("seeded", "sown"),
        ),
        look_at_flask,
        lambda seen: seen == ([("lost2", "2"), ("xxx", "2"), ("lost2", "2"), ("a2", "2")], "sown\n"),
    ),
    Case(
        "django",
        DJANGO,
        (
            ("ordered1", "ordered2"), ("home1", "home2"), ('path("", home)', 'path("home/", home)'),
            ('"t1"', '"t2"'), ("page/<int:n>/", "leaf/<int:n>/"),
            ("def home", '@receiver(ordered)\ndef also(sender, **given):\n    return "also"\ndef home'),
        ),
        look_at_django,
        lambda seen: seen == ([404, "home2", 404, "t2 3"], ["ordered2", "also"]),
    ),
    Case(
        "pydantic",
        PYDANTIC,
        (("cents: int\n", 'cents: int\n    currency: str = "EUR"\n'), ("return value", "return value + 1")),
        look_at_pydantic,
        lambda seen: all(item["cents"] == 2 and item["currency"] == "EUR" for item in seen[0]),
    ),
    Case(
        "sqlalchemy",
        SQLALCHEMY,
        (("hi {", "hello {"), ('== "ana"', '!= "ana"'), ("value.strip()", "value.strip().upper()"), ("set1", "set2")),
        look_at_sqlalchemy,
        lambda seen: (seen[0], seen[1], seen[3]) == ("hello ANA", True, ["set2"]),
    ),
    Case(
        "celery",
        CELERY,
        (
            ("return x + y", "return x * 10 + y"), ("max_retries=3", "max_retries=7"),
            ('"shared")', '"renamed", time_limit=30)'),
        ),
        look_at_celery,
        lambda seen: seen == ({"add": 51, "mod.main.bound": 35, "renamed": 5}, "add", 7),
    ),
    Case(
        "click",
        CLICK,
        (("default=1", "default=2"), ("old-name", "new-name"), ('"renamed"', '"moved"')),
        look_at_click,
        lambda seen: seen[0] == ["greet", "new-name"] and seen[1][0] == "hi hi \n" and seen[1][2] == "moved\n",
    ),
    Case(
        "attrs",
        ATTRS,
        (("str.lower", "str.upper"), ("ge(0)", "ge(1)"), ("return self.price", "return self.price * 10")),
        look_at_attrs,
        lambda seen: seen[0].startswith("Item(name='A'") and seen[1] == 10,
    ),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_task_stays() -> Iterator[None]:
    """Celery keeps shared tasks and apps for the whole process: each test leaves none."""
    state = sys.modules.get("celery._state")
    finalizers, apps = (set(state._on_app_finalizers), set(state._apps)) if state else (set(), set())
    yield
    state = sys.modules.get("celery._state")
    if state is not None:
        state._on_app_finalizers.intersection_update(finalizers or state._on_app_finalizers)
        for app in set(state._apps) - apps:
            app.close()
            state._deregister_app(app)


@pytest.mark.heavy
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.library)
def test_a_fault_at_any_step_leaves_the_library_as_it_was(
    case: Case, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each k, after a fault at step k the app answers through its library as before; then the release goes in."""
    pytest.importorskip(case.library)
    text = dedented({"mod.main": case.source})["mod.main"]
    app = start({"mod/": "", "mod.main": text})
    main = importlib.import_module("mod.main")
    for old, new in case.edits:
        assert old in text, old
        text = text.replace(old, new)
    before = case.look(main)
    release = {"mod.main": app.image("mod.main", text)}
    app.swapper.stage(release).commit().undo()  # what is made once, like an adapter's import, is made
    assert case.look(main) == before
    failed = 0
    for failed in faults(monkeypatch, lambda: app.swapper.stage(release).commit()):
        assert case.look(main) == before, f"fault at step {failed}"
    assert failed > 5
    assert case.after(case.look(main)), case.look(main)
