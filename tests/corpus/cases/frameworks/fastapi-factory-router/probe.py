from types import SimpleNamespace as NS


def before():
    from fastapi.testclient import TestClient
    from shop import main
    c = TestClient(main.create_app())
    assert c.get("/v1/old").json() == {"n": 1}
    return NS(c=c)


def fresh():
    from shop import main
    assert main.create_app()


def after(s):
    assert s.c.get("/v1/new?n=2").json() == {"n": 2}
    assert s.c.get("/v1/old").status_code == 404
    assert "/v1/new" in s.c.get("/openapi.json").json()["paths"]
