"""Mapped classes keep their mapping: their methods change in place, what is mapped is refused with table and column."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from living import dedented

from habanero_receiver.swap import SwapRefusedError

sqlalchemy = pytest.importorskip("sqlalchemy")

DB = dedented({
    "db/": "",
    "db.base": """
        from sqlalchemy import create_engine
        from sqlalchemy.orm import DeclarativeBase, sessionmaker
        from sqlalchemy.pool import StaticPool
        class Base(DeclarativeBase):
            def label(self):
                return "base"
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        Session = sessionmaker(engine)
    """,
    "db.models": """
        from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, event
        from sqlalchemy.ext.hybrid import hybrid_property
        from sqlalchemy.orm import Mapped, mapped_column, registry, relationship, validates
        from db.base import Base

        SEEN = []

        class User(Base):
            __tablename__ = "users"
            LIMIT = 10
            id: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str] = mapped_column(String(30))
            age: Mapped[int | None]
            posts: Mapped[list["Post"]] = relationship(back_populates="author")

            def greeting(self):
                return f"hi {self.name}"

            @property
            def shout(self):
                return self.name.upper()

            @hybrid_property
            def adult(self):
                return self.age >= 18

            @validates("name")
            def check_name(self, key, value):
                return value.strip()

            @classmethod
            def of(cls, name):
                return cls(name=name, age=1)

        class Post(Base):
            __tablename__ = "posts"
            id: Mapped[int] = mapped_column(primary_key=True)
            title: Mapped[str]
            author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
            author: Mapped[User] = relationship(back_populates="posts")

        mapper_registry = registry()

        @mapper_registry.mapped
        class Plain:
            __tablename__ = "plain"
            id = Column(Integer, primary_key=True)
            def twice(self):
                return self.id * 2

        @event.listens_for(User, "before_insert")
        def before_insert(mapper, connection, target):
            SEEN.append(("insert", target.name))

        @event.listens_for(User.age, "set")
        def on_age(target, value, old, initiator):
            SEEN.append(("age", value))
    """,
})  # fmt: skip


@pytest.fixture(autouse=True)
def _closed(start: Any) -> Iterator[None]:
    """No connection outlives its test."""
    yield
    base = sys.modules.get("db.base")
    if base is not None:
        base.engine.dispose()


def begin(start: Any) -> tuple[Any, Any, Any]:
    app = start(DB)
    base, models = app.load("db.base"), app.load("db.models")
    base.Base.metadata.create_all(base.engine)
    session = base.Session()
    user = models.User(name=" ana ", age=20)
    session.add(user)
    session.flush()
    models.SEEN.clear()
    return app, models, session


def changed(*pairs: tuple[str, str]) -> dict[str, str | None]:
    text = DB["db.models"]
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return {"db.models": text}


def test_methods_change_under_a_living_session(start: Any) -> None:
    """Methods, properties, hybrids, validators and class methods; the session, its objects and the mapping go on."""
    app, models, session = begin(start)
    user = session.query(models.User).one()
    mapper, table = models.User.__mapper__, models.User.__table__
    committed = app.push(
        changed(
            ('f"hi {self.name}"', 'f"hello {self.name} {self.label()}"'),
            ("self.name.upper()", "self.name.upper() + '!'"),
            (">= 18", ">= 21"),
            ("value.strip()", "value.strip().title()"),
            ("age=1)", "age=2)"),
            ("LIMIT = 10", "LIMIT = 20"),
            (
                "            @property\n".replace("            ", "    "),
                "    def fresh(self, n=1):\n        return n\n\n    @property\n",
            ),
            ("self.id * 2", "self.id * 3"),
        )
        | {"db.base": DB["db.base"].replace('"base"', '"BASE"')}
    )
    assert (user.greeting(), user.shout, user.adult, user.fresh()) == ("hello ana BASE", "ANA!", False, 1)
    assert session.query(models.User).filter(models.User.adult).count() == 0
    assert models.User(name=" bob ").name == "Bob"
    assert models.User.of("x").age == 2
    assert (models.User.LIMIT, models.Plain(id=2).twice()) == (20, 6)
    assert (models.User.__mapper__, models.User.__table__) == (mapper, table)
    user.posts.append(models.Post(title="t"))
    session.commit()
    assert session.query(models.Post).one().author is user
    committed.undo()
    assert (user.greeting(), user.shout, user.adult, hasattr(user, "fresh")) == ("hi ana", "ANA", True, False)
    assert models.User.LIMIT == 10
    session.close()


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("String(30))", "String(60))", "column users.name"),
        ("    age: Mapped[int | None]\n", "    age: Mapped[int | None]\n    city: Mapped[str | None]\n", "users.city"),
        ("    age: Mapped[int | None]\n", "", "users.age"),
        ("age: Mapped[int | None]", "age: Mapped[int]", "users.age"),
        ("    LIMIT = 10\n", "    LIMIT = 10\n    rank = Column(Integer)\n", "users.rank"),
        ("    title: Mapped[str]\n", "    title: Mapped[str]\n    tags = mapped_column(String)\n", "posts.tags"),
        ('"users"\n', '"people"\n', "users"),
        ('relationship(back_populates="posts")', 'relationship(back_populates="posts", lazy="joined")', "Post.author"),
        ('    __tablename__ = "posts"', '    __tablename__ = "posts"\n    __table_args__ = {}', "posts"),
        ('__tablename__ = "plain"\n', '__tablename__ = "plain"\n    extra = Column(Integer)\n', "plain.extra"),
        ('@validates("name")', '@validates("name", "age")', "User.check_name"),
    ],
)  # fmt: skip
def test_what_is_mapped_is_refused(start: Any, old: str, new: str, words: str) -> None:
    """A column, relationship or table name that changed, came or went: refused with its name and what to do."""
    app, _, session = begin(start)
    before = app.picture()
    with pytest.raises(SwapRefusedError) as caught:
        app.stage(changed((old, new)))
    (_, refusal), *_ = caught.value.report.refusals()
    assert words in refusal.reason
    assert "restart" in refusal.help
    assert "migration" in refusal.help
    assert app.picture() == before
    session.close()


def test_event_listeners_move(start: Any) -> None:
    """A listener for another event, or on another target, listens there alone, once; a removed one no more."""
    app, models, session = begin(start)
    committed = app.push(
        changed(
            ('@event.listens_for(User, "before_insert")', '@event.listens_for(User, "after_insert")'),
            ("listens_for(User.age,", "listens_for(User.name,"),
            ('("insert", target.name)', '("inserted", target.name)'),
        )
    )
    session.add(models.User(name="bob", age=3))
    session.flush()
    assert models.SEEN == [("age", "bob"), ("inserted", "bob")]
    committed.undo()
    models.SEEN.clear()
    session.add(models.User(name="eva", age=4))
    session.flush()
    assert models.SEEN == [("age", 4), ("insert", "eva")]
    text = changed()["db.models"]
    assert text is not None
    app.push({"db.models": text.split("@event.listens_for(User.age")[0]})
    models.SEEN.clear()
    session.add(models.User(name="kim", age=5))
    session.flush()
    assert models.SEEN == [("insert", "kim")]
    session.close()


def test_a_new_model_beside_others(start: Any) -> None:
    """A class that is new is mapped when its statement runs; taking the swap back leaves no table of it."""
    app, models, session = begin(start)
    text = DB["db.models"] + (
        '\nclass Tag(Base):\n    __tablename__ = "tags"\n    id: Mapped[int] = mapped_column(primary_key=True)\n'
    )
    app.push({"db.models": text})
    base = app.load("db.base")
    base.Base.metadata.create_all(base.engine)
    session.add(models.Tag(id=1))
    session.flush()
    assert session.query(models.Tag).count() == 1
    session.close()
