from types import SimpleNamespace as NS


def _start():
    from fastapi.testclient import TestClient
    from shop import main
    return NS(c=TestClient(main.app), main=main, counted=0)


def fresh():
    return _start()


def before():
    s = _start()
    answer = s.c.get("/number/1", headers={"origin": "http://a.example"})
    assert answer.headers["access-control-allow-origin"] == "http://a.example"
    assert answer.headers["content-encoding"] == "gzip"
    assert s.c.get("/number/x").json() == {"invalid": True}
    assert s.c.get("/old/thing").json() == "thing"
    s.counted = s.main.Count.seen
    assert s.counted == 3
    return s


def after(s):
    answer = s.c.get("/number/1", headers={"origin": "http://b.example"})
    assert answer.headers.get("access-control-allow-origin") == "http://b.example", "the changed middleware is not in use"
    assert "access-control-allow-origin" not in s.c.get("/number/1", headers={"origin": "http://a.example"}).headers
    assert answer.headers.get("x-version") == "2", "the new middleware is not in use"
    assert "content-encoding" not in answer.headers, "the middleware that was removed still answers"
    assert s.main.Count.seen == s.counted + 2, "the middleware that did not change lost its state"
    assert s.c.get("/old/thing").status_code == 404, "the router that is included no more still answers"
    invalid = s.c.get("/number/x")
    assert invalid.status_code == 422, f"without a handler the library's own answers: {invalid.status_code}"
    names = [item.cls.__name__ for item in s.main.app.user_middleware]
    assert names == ["Count", "Version", "CORSMiddleware"], names
