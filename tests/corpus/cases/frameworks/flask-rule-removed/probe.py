from types import SimpleNamespace as NS


def before():
    import shop

    client = shop.app.test_client()
    assert client.get("/items/hat/history").status_code == 200
    return NS(client=client)


def step(i, name, s):
    assert s.client.get("/items/hat").text == "hat", f"swap {i}"
    assert s.client.get("/items/hat/history").status_code == (200 if name == "before" else 404), f"swap {i}"


def after(s):
    step(2, "after", s)


def fresh():
    import shop

    after(NS(client=shop.app.test_client()))
