def before():
    import app
    return app.PLAYERS


def after(players):
    import app
    assert app.PLAYERS is players
    assert [player.show() for player in players] == [1, 2, "none"]
    assert [vars(player) for player in players] == [{"score": 1}, {"score": 2}, {"score": "none"}]
