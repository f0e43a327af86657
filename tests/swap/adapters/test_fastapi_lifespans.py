"""What FastAPI's apps begin with is there once for each router that they include, however often the call runs again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from living import dedented

pytest.importorskip("fastapi")

SITE = dedented({
    "begun/": "",
    "begun.parts": """
        from contextlib import asynccontextmanager
        from fastapi import APIRouter
        BEGAN = []
        def lifespan_of(name):
            @asynccontextmanager
            async def lifespan(app):
                BEGAN.append(name)
                yield
            return lifespan
        one = APIRouter(lifespan=lifespan_of("one"))
        two = APIRouter(lifespan=lifespan_of("two"))
    """,
    "begun.main": """
        from fastapi import FastAPI
        from begun import parts
        app = FastAPI(lifespan=parts.lifespan_of("app"))
        app.include_router(parts.one, prefix="/v1")
        app.include_router(parts.two)
    """,
})  # fmt: skip


async def began(app: Any) -> list[str]:
    """Which lifespans an app has, as they begin."""
    from begun import parts  # type: ignore[import-not-found]  # the app of the test

    parts.BEGAN.clear()
    async with app.router.lifespan_context(app):
        return list(parts.BEGAN)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('prefix="/v1"', 'prefix="/v2"', ["app", "one", "two"]),
        ("app.include_router(parts.two)\n", "", ["app", "one"]),
        ('app.include_router(parts.one, prefix="/v1")\n', "", ["app", "two"]),
        ("app.include_router(parts.two)\n", "app.include_router(parts.two, tags=['t'])\n", ["app", "one", "two"]),
    ],
    ids=["another prefix", "the last is gone", "the first is gone", "tags"],
)
def test_each_router_has_its_lifespan_once(start: Any, old: str, new: str, expected: list[str]) -> None:
    """In the order of the routers; and as before when the swap is taken back."""
    assert old in SITE["begun.main"]
    app = start(SITE)
    main = app.load("begun.main")
    context = main.app.router.lifespan_context
    assert asyncio.run(began(main.app)) == ["app", "one", "two"]
    committed = app.push({"begun.main": SITE["begun.main"].replace(old, new)})
    assert asyncio.run(began(main.app)) == expected
    committed.undo()
    assert main.app.router.lifespan_context is context
