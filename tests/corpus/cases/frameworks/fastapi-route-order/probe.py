from types import SimpleNamespace as NS


def _client():
    from fastapi.testclient import TestClient
    from shop import main
    return TestClient(main.app)


def fresh():
    return NS(c=_client())


def before():
    c = _client()
    assert c.get("/orders/open").json() == {"number": "open"}
    assert c.get("/health").json() == {"page": "health"}
    return NS(c=c)


def after(s):
    assert s.c.get("/orders/latest").json() == {"latest": True}, "the new route is behind the one that catches all"
    assert s.c.get("/orders/open").json() == {"open": []}, "routes that changed places still stand as they did"
    assert s.c.get("/orders/7").json() == {"number": "7"}
    assert s.c.get("/admin").json() == {"admin": True}, "the new router is behind the one that catches all"
    assert s.c.get("/health").json() == {"ok": True}
    assert s.c.get("/about").json() == {"page": "about"}
    paths = list(s.c.get("/openapi.json").json()["paths"])
    assert paths == ["/orders/open", "/orders/latest", "/orders/{number}", "/admin", "/health", "/{page}"], paths
