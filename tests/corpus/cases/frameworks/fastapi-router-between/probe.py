from types import SimpleNamespace as NS


def before():
    from fastapi.testclient import TestClient
    from shop import main

    client = TestClient(main.app)
    assert client.get("/health").json() == "page health"
    return NS(client=client, app=main.app, count=len(main.app.routes))


def step(i, name, s):
    assert s.client.get("/health").json() == ("a router" if name == "after" else "page health"), f"swap {i}"
    assert s.client.get("/books/3").json() == {"book": 3} and s.client.get("/faq").json() == "page faq"
    assert len(s.app.routes) == s.count + (name == "after"), f"swap {i}"


def after(s):
    step(2, "after", s)


def fresh():
    from fastapi.testclient import TestClient
    from shop import main

    assert TestClient(main.app).get("/health").json() == "a router"
