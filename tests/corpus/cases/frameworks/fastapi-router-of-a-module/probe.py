import asyncio

import httpx


def _answers():
    from shop.main import app

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop") as client:
            return [(await client.get(path)).json() for path in ("/first", "/v1/items", "/v2/items", "/else")]

    return asyncio.run(ask())


def _began():
    from shop import api
    from shop.main import app

    async def begin():
        async with app.router.lifespan_context(app):
            return list(api.BEGAN)

    api.BEGAN.clear()
    return asyncio.run(begin())


def before():
    assert _answers() == ["first", "items", "rest v2/items", "rest else"], _answers()
    assert _began() == ["api"]
    from shop.main import app

    return app


def after(state):
    from shop.main import app

    assert app is state or state is None
    assert _answers() == ["first", "rest v1/items", "items", "rest else"], _answers()
    assert _began() == ["api"], _began()
