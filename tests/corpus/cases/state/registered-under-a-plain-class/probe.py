def before():
    import kinds
    import rules

    assert sorted(rules.RULES) == ["word"]
    assert kinds.Word().match("a") == "text a"
    return {"clean": kinds.clean, "registered": dict(kinds.clean.registry)}


def after(state):
    import kinds
    import rules

    assert sorted(rules.RULES) == ["end", "word"]
    assert dict(kinds.clean.registry) == state["registered"], "an implementation is lost"
    assert kinds.clean("a") == "text a" and kinds.Word().match("b") == "text b"
    assert state["clean"](1) == "other 1"
