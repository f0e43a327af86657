"""Real libraries whose metaclasses take a body apart: forms, serializers and tables get fields, or are refused."""

from __future__ import annotations

from typing import Any

import pytest
from living import dedented

from habanero_receiver.swap import SwapRefusedError


@pytest.fixture
def _django() -> None:
    django = pytest.importorskip("django")
    from django.conf import settings

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="x", INSTALLED_APPS=[], USE_TZ=True)
    django.setup()


FORMS = dedented({
    "shop": """
        from django import forms
        class Address(forms.Form):
            name = forms.CharField(max_length=3)
            note = forms.CharField(required=False)
            def clean_name(self):
                return self.cleaned_data["name"]
        class Order(Address):
            amount = forms.IntegerField(required=False)
    """
})["shop"]  # fmt: skip


def edited(text: str, *edits: tuple[str, str]) -> str:
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return text


@pytest.mark.usefixtures("_django")
def test_forms(start: Any) -> None:
    """Django: fields come, go and change, in order, also for forms built on it; an open form has those it began with;
    undone, all is as before."""  # noqa: D205, D209  # one sentence
    app = start({"shop": FORMS})
    module = app.load("shop")
    form, before = module.Address, module.Address({"name": "ab"})
    committed = app.push({
        "shop": edited(
            FORMS,
            ("    name = forms.CharField(max_length=3)", "    age = forms.FloatField()\n    name = forms.CharField()"),
            ("    note = forms.CharField(required=False)\n", ""),
            ('self.cleaned_data["name"]', 'self.cleaned_data["name"] + "!"'),
        )
    })  # fmt: skip
    assert module.Address is form
    assert (list(form().fields), list(module.Order().fields)) == (["age", "name"], ["age", "name", "amount"])
    filled = form({"name": "abcdef", "age": "3"})
    assert filled.is_valid(), filled.errors
    assert filled.cleaned_data == {"name": "abcdef!", "age": 3}
    assert before.is_valid(), before.errors
    assert before.cleaned_data == {"name": "ab!", "note": ""}
    committed.undo()
    assert (list(form().fields), list(module.Order().fields)) == (["name", "note"], ["name", "note", "amount"])
    assert not form({"name": "abcdef"}).is_valid()


SERIALIZERS = dedented({
    "api": """
        from rest_framework import serializers
        class Person(serializers.Serializer):
            name = serializers.CharField(max_length=3)
            def validate_name(self, value):
                return value
        class Team(serializers.Serializer):
            lead = Person()
    """
})["api"]  # fmt: skip


@pytest.mark.usefixtures("_django")
def test_serializers(start: Any) -> None:
    """Django REST framework: fields come and change, also of a serializer that is a field of another."""
    pytest.importorskip("rest_framework")
    app = start({"api": SERIALIZERS})
    module = app.load("api")
    committed = app.push({
        "api": edited(
            SERIALIZERS,
            ("(max_length=3)", "()\n    age = serializers.IntegerField(default=7)"),
            ("return value", "return value + '!'"),
        )
    })  # fmt: skip
    team = module.Team(data={"lead": {"name": "abcdef"}})
    assert team.is_valid(), team.errors
    assert team.validated_data == {"lead": {"name": "abcdef!", "age": 7}}
    committed.undo()
    assert not module.Team(data={"lead": {"name": "abcdef"}}).is_valid()


WTFORMS = dedented({
    "forms": """
        from wtforms import Form, IntegerField, StringField, validators
        class Login(Form):
            name = StringField("Name", [validators.Length(max=3)])
            note = StringField()
        class Again(Login):
            more = StringField()
        Login(), Again()
    """
})["forms"]  # fmt: skip


def test_wtforms(start: Any) -> None:
    """WTForms: a form that was in use already has the fields that its class has now, and so have those built on it."""
    pytest.importorskip("wtforms")
    app = start({"forms": WTFORMS})
    module = app.load("forms")
    text = edited(WTFORMS, ("max=3", "max=9"), ("    note = StringField()", "    age = IntegerField()"))
    committed = app.push({"forms": text})
    filled = module.Login(data={"name": "abcdef", "age": 1})
    assert filled.validate(), filled.errors
    assert set(filled.data) == {"name", "age"}
    assert set(module.Again().data) == {"name", "age", "more"}
    committed.undo()
    assert set(module.Again().data) == {"name", "note", "more"}
    assert not module.Login(data={"name": "abcdef"}).validate()


SQLMODEL = dedented({
    "tables": """
        from sqlmodel import Field, SQLModel
        class HeroBase(SQLModel):
            name: str
        class Hero(HeroBase, table=True):
            id: int | None = Field(default=None, primary_key=True)
            def shout(self):
                return self.name.upper()
        class HeroCreate(HeroBase):
            secret: str = "x"
    """
})["tables"]  # fmt: skip


def test_sqlmodel(start: Any) -> None:
    """Models without a table get fields and methods of tables change; a column, also by way of a base, is refused by
    name, and the model goes on as it was."""  # noqa: D205, D209  # one sentence
    sqlmodel = pytest.importorskip("sqlmodel")
    sqlmodel.SQLModel.metadata.clear()
    app = start({"tables": SQLMODEL})
    module = app.load("tables")
    hero = module.Hero(name="ana")
    base = ("    name: str\n", "    name: str\n    age: int = 3\n")
    column = ("primary_key=True)\n", "primary_key=True)\n    age: int = 3\n")
    for edit, words in ((base, "Hero is built on it"), (column, "column hero.age was added to a living mapped class")):
        with pytest.raises(SwapRefusedError, match=words):
            app.push({"tables": edited(SQLMODEL, edit)})
        assert "age" not in module.HeroCreate(name="a").model_dump()
    fields = ('secret: str = "x"', 'secret: str = "y"\n    note: str = "n"')
    app.push({"tables": edited(SQLMODEL, fields, (".upper()", ".upper() + '!'"))})
    assert module.HeroCreate.model_validate({"name": "a"}).model_dump() == {"name": "a", "secret": "y", "note": "n"}
    assert hero.shout() == "ANA!"


SCHEMA = dedented({
    "schemas": """
        from marshmallow import Schema, fields, post_load, pre_load
        class Person(Schema):
            name = fields.Str()
            @post_load
            def done(self, data, **given):
                return {**data, "by": 1}
    """
})["schemas"]  # fmt: skip


@pytest.mark.parametrize(
    "edit",
    [
        ("    @post_load", "    @pre_load\n    def early(self, data, **given):\n        return data\n    @post_load"),
        ("    @post_load\n    def done(self, data, **given):", "    def done(self, data, **given):"),
        ("    @post_load", "    @post_load(pass_many=True)"),
    ],
    ids=["comes", "goes", "changes"],
)
def test_hooks_that_a_metaclass_read(start: Any, edit: tuple[str, str]) -> None:
    """marshmallow: a hook that comes, goes or is marked otherwise is refused, since no one would ask for it; bodies
    and plain methods change."""  # noqa: D205, D209  # one sentence
    pytest.importorskip("marshmallow")
    app = start({"schemas": SCHEMA})
    module = app.load("schemas")
    with pytest.raises(SwapRefusedError, match="marshmallow marks it and made the class"):
        app.push({"schemas": edited(SCHEMA, edit)})
    assert module.Person().load({"name": "a"}) == {"name": "a", "by": 1}
    more = ("    @post_load", "    @property\n    def plain(self):\n        return 5\n    @post_load")
    app.push({"schemas": edited(SCHEMA, ('"by": 1', '"by": 2'), more)})
    assert module.Person().load({"name": "a"}) == {"name": "a", "by": 2}
    assert module.Person().plain == 5
