"""FastAPI routes follow the types that their handlers and decorators name, wherever those are bound to others."""

from __future__ import annotations

from typing import Any

import pytest
from asgi_client import ask, get
from living import LiveApp, dedented

APP = dedented({
    "zoo/": "",
    "zoo.types": """
        from typing import Annotated, Literal
        from fastapi import Depends, Query
        from pydantic import BaseModel
        class Cat(BaseModel):
            kind: Literal["cat"] = "cat"
        class Dog(BaseModel):
            kind: Literal["dog"] = "dog"
            age: int = 3
        Pet = Cat
        Limit = Annotated[int, Query(le=10)]
        def name():
            return "name1"
        Name = Annotated[str, Depends(name)]
    """,
    "zoo.main": """
        from fastapi import Body, FastAPI
        from zoo.types import Limit, Name, Pet
        app = FastAPI()

        @app.post("/pet")
        def pet(pet: Pet = Body()) -> Pet:
            return pet

        @app.get("/given", response_model=Pet)
        def given():
            return {"kind": "dog", "age": 3}

        @app.get("/all", response_model=list[Pet])
        def every():
            return [{"kind": "dog", "age": 3}]

        @app.get("/limit")
        def limit(name: Name, limit: Limit = 5, more: str = Body("")):
            return [name, limit]

        @app.get("/also", responses={404: {"model": Pet}})
        def also():
            pass
    """,
})  # fmt: skip
AS_TEXT = {name: "from __future__ import annotations\n" * (name == "zoo.main") + text for name, text in APP.items()}


def types(*pairs: tuple[str, str]) -> dict[str, str | None]:
    text = APP["zoo.types"]
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return {"zoo.types": text}


@pytest.fixture(params=[APP, AS_TEXT], ids=["objects", "text"])
def live(start: Any, request: pytest.FixtureRequest) -> tuple[LiveApp, Any]:
    """The app, with annotations as objects and as text."""
    app = start(request.param)
    main = app.load("zoo.main")
    assert ask(main.app, "POST", "/pet", json={"kind": "dog"}).status_code == 422
    return app, main.app


def test_another_model(live: tuple[LiveApp, Any]) -> None:
    """Beside a default that is made by a call, as what is returned, and where the decorator was given it."""
    app, served = live
    done = app.push(types(("Pet = Cat", "Pet = Dog")))
    assert ask(served, "POST", "/pet", json={"kind": "dog"}).json() == {"kind": "dog", "age": 3}
    assert (get(served, "/given"), get(served, "/all")) == ({"kind": "dog", "age": 3}, [{"kind": "dog", "age": 3}])
    assert [*served.openapi()["components"]["schemas"]] != []
    done.undo()
    assert ask(served, "POST", "/pet", json={"kind": "cat"}).json() == {"kind": "cat"}


def test_what_a_decorator_was_given_and_does_not_follow_is_named(live: tuple[LiveApp, Any]) -> None:
    """The one route whose decorator reads the type for something else than its response."""
    app, _ = live
    stale = {m["module"]: m["stale"] for m in app.push(types(("Pet = Cat", "Pet = Dog"))).report.to_json()["modules"]}
    assert stale["zoo.main"] == ["def also (it reads Pet, which changed)"]


def test_aliases(live: tuple[LiveApp, Any]) -> None:
    """Annotated types with parameters and dependencies."""
    app, served = live
    assert get(served, "/limit?limit=20") == 422
    app.push(types(("le=10", "le=30"), ("Name = ", "def other():\n    return 'other'\nName = "),
                   ("Depends(name)", "Depends(other)")))  # fmt: skip
    assert get(served, "/limit?limit=20") == ["other", 20]
