def before():
    import app
    assert app.OLDEST < app.NEWEST and app.NEWEST >= app.OLDEST
    return app.Version, app.OLDEST, app.Plain(1)


def after(state):
    import app
    version, oldest, plain = state
    assert app.Version is version and app.OLDEST is oldest
    assert oldest >= app.NEWEST and oldest > app.NEWEST, "the order is turned round"
    assert app.NEWEST < oldest and app.NEWEST <= oldest
    assert not oldest < app.NEWEST
    assert plain < app.Plain(2)
    for name in ("__le__", "__gt__", "__ge__"):
        assert name not in vars(app.Plain), f"{name} was added by a decorator that is gone"
