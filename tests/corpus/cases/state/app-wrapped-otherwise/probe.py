from types import SimpleNamespace as NS


def before():
    from app import main
    main.app.inner.connections.append("open")
    return NS(main=main, app=main.app)


def after(s):
    assert s.main.app is s.app and s.app.most == 1, "the living app was replaced"
    assert type(s.app.inner).__name__ == "App", "wrapped twice"
    assert s.app.inner.connections == ["open"]
