"""Django: views, URLs and signals follow; what needs a migration is refused with the model, field and table."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

from habanero_receiver.swap import SwapRefusedError

django = pytest.importorskip("django")

PROJECT = dedented({
    "djapp/": "",
    "djapp.models": """
        from django.db import models
        SIZES = [("s", "small")]
        class Author(models.Model):
            LIMIT = 5
            name = models.CharField(max_length=30)
            class Meta:
                app_label = "djapp"
                ordering = ["name"]
            def shout(self):
                return self.name.upper()
            @property
            def short(self):
                return self.name[:1]
            @classmethod
            def of(cls, name):
                return cls(name=name)
    """,
    "djapp.receivers": """
        from django.dispatch import Signal, receiver
        ordered, paid = Signal(), Signal()
        SEEN = []
        @receiver(ordered, dispatch_uid="one")
        def on_ordered(sender, **given):
            SEEN.append("ordered1")
        @receiver(ordered)
        def also(sender, **given):
            SEEN.append("also1")
    """,
    "djapp.views": """
        from django.http import HttpResponse
        from django.views import View
        def home(request):
            return HttpResponse("home1")
        class Page(View):
            title = "t1"
            def get(self, request, n):
                return HttpResponse(f"{self.title} page1 {n}")
    """,
    "djapp.inner": """
        from django.urls import path
        from djapp import views
        urlpatterns = [path("deep/", views.home, name="deep")]
    """,
    "djapp.urls": """
        from django.urls import include, path
        from djapp import views
        urlpatterns = [
            path("", views.home, name="home"),
            path("page/<int:n>/", views.Page.as_view(), name="page"),
            path("in/", include("djapp.inner")),
        ]
    """,
})  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _settings() -> None:
    from django.conf import settings

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", INSTALLED_APPS=[], USE_TZ=True)
    django.setup()


def edit(module: str, *pairs: tuple[str, str]) -> dict[str, str | None]:
    text = PROJECT[module]
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return {module: text}


def fetch(path: str) -> Any:
    """What the project answers, through Django's own handler."""
    from django.test import RequestFactory, override_settings
    from django.urls import Resolver404, resolve

    with override_settings(ROOT_URLCONF="djapp.urls"):
        try:
            found = resolve(path)
        except Resolver404:
            return 404
        return found.func(RequestFactory().get(path), *found.args, **found.kwargs).content.decode()


def test_views_and_urls(start: Any) -> None:
    """Function and class views, attributes, changed and added paths, included modules, reversed names."""
    from django.test import override_settings
    from django.urls import reverse

    app = start(PROJECT)
    app.load("djapp.urls")
    assert (fetch("/"), fetch("/page/3/"), fetch("/in/deep/")) == ("home1", "t1 page1 3", "home1")
    committed = app.push(
        edit("djapp.views", ("home1", "home2"), ('"t1"', '"t2"'), ("page1", "page2"))
        | edit(
            "djapp.urls",
            ("page/<int:n>/", "sheet/<int:n>/"),
            ('    path("",', '    path("new/", views.home),\n    path("",'),
        )
        | edit("djapp.inner", ('"deep/"', '"deeper/"'))
    )
    assert (fetch("/"), fetch("/sheet/3/")) == ("home2", "t2 page2 3")
    assert (fetch("/new/"), fetch("/in/deeper/")) == ("home2", "home2")
    assert (fetch("/page/3/"), fetch("/in/deep/")) == (404, 404)
    with override_settings(ROOT_URLCONF="djapp.urls"):
        assert (reverse("page", args=[4]), reverse("deep")) == ("/sheet/4/", "/in/deeper/")
    committed.undo()
    assert (fetch("/"), fetch("/page/3/"), fetch("/in/deep/"), fetch("/new/")) == ("home1", "t1 page1 3", "home1", 404)


def test_signals(start: Any) -> None:
    """A receiver that is connected to another signal, or with another identifier, is called once, there alone."""
    app = start(PROJECT)
    module = app.load("djapp.receivers")
    committed = app.push(
        edit(
            "djapp.receivers",
            ('@receiver(ordered, dispatch_uid="one")', '@receiver(ordered, dispatch_uid="two")'),
            ("ordered1", "ordered2"),
            ("@receiver(ordered)\ndef also", "@receiver(paid)\ndef also"),
        )
    )
    module.ordered.send(None)
    assert module.SEEN == ["ordered2"]
    module.paid.send(None)
    assert module.SEEN == ["ordered2", "also1"]
    committed.undo()
    module.SEEN.clear()
    module.ordered.send(None)
    module.paid.send(None)
    assert sorted(module.SEEN) == ["also1", "ordered1"]
    app.push(edit("djapp.receivers", ('@receiver(ordered, dispatch_uid="one")\n', "")))
    module.SEEN.clear()
    module.ordered.send(None)
    assert module.SEEN == ["also1"]


@pytest.fixture
def models(start: Any) -> tuple[Any, Any]:
    from django.apps import apps

    app = start(PROJECT)
    apps.all_models.pop("djapp", None)
    return app, app.load("djapp.models")


def test_a_models_methods(models: Any) -> None:
    """Methods, properties, class methods and plain constants change for instances that live."""
    app, module = models
    author = module.Author(name="ana")
    app.push(
        edit(
            "djapp.models", ("self.name.upper()", "self.name.upper() + '!'"), ("[:1]", "[:2]"),
            ("LIMIT = 5", "LIMIT = 6"), ("cls(name=name)", "cls(name=name * 2)"),
        )
    )  # fmt: skip
    assert (author.shout(), author.short, module.Author.LIMIT, module.Author.of("x").name) == ("ANA!", "an", 6, "xx")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("max_length=30", "max_length=60", "field name was changed in living model Author (table djapp_author)"),
        ("    LIMIT = 5\n", "    LIMIT = 5\n    age = models.IntegerField()\n", "field age was added to"),
        ("    name = models.CharField(max_length=30)\n", "", "field name was removed from"),
        ('ordering = ["name"]', 'ordering = ["-name"]', "Meta of model Author (table djapp_author)"),
        ("    LIMIT = 5\n", "    LIMIT = 5\n    objects = models.Manager()\n", "objects"),
    ],
)
def test_what_needs_a_migration_is_refused(models: Any, old: str, new: str, words: str) -> None:
    """A field, manager or option that changed, came or went: refused with model and table, and what to do."""
    app, _ = models
    with pytest.raises(SwapRefusedError) as caught:
        app.stage(edit("djapp.models", (old, new)))
    (_, refusal), *_ = caught.value.report.refusals()
    assert words in refusal.reason
    assert "restart" in refusal.help
