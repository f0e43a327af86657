from types import SimpleNamespace as NS


def before():
    import app
    app.kept.seen = ["by the process"]
    return NS(app=app, kept=app.kept)


def after(s):
    kept = s.kept
    assert s.app.typed is s.app.kept is kept and kept() == "new"
    assert (kept.find(0), kept.limit) == (("new", 0), 2), "what the old decoration put on it"
    assert kept.seen == ["by the process"], "what the process put on it is gone"
