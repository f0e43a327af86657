from types import SimpleNamespace as NS


def _start():
    from shop import main
    return NS(app=main.app, c=main.app.test_client())


def fresh():
    return _start()


def before():
    s = _start()
    assert s.c.get("/in/x").text == "name x True"
    assert s.c.get("/in/item/1").text == "get 1"
    assert s.c.delete("/in/item/1").status_code == 405
    assert s.c.get("/nowhere").text == "lost1"
    return s


def after(s):
    assert s.c.get("/in/x").text == "key x False", "the new rule is not the first, or a hook that is gone runs"
    assert s.c.put("/in/x").text == "name x False"
    assert s.c.get("/in/things/1").text == "get 1"
    assert s.c.delete("/in/things/1").text == "delete 1", "the class's new method is not routed"
    assert s.c.get("/in/item/1").status_code == 404, "the old rule still answers"
    assert s.c.get("/nowhere").text != "lost1", "the handler still answers for the old status"
    rules = [(rule.rule, rule.endpoint) for rule in s.app.url_map.iter_rules() if rule.endpoint != "static"]
    assert rules == [
        ("/in/<key>", "bp.by_key"), ("/in/<name>", "bp.by_name"), ("/in/<slug>", "bp.by_slug"),
        ("/in/things/<int:number>", "bp.item"), ("/", "index"),
    ], rules
