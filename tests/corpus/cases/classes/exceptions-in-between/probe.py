def before():
    import app
    import errors
    return errors.NotFound, errors.NotFound("kept")


def after(state):
    import app
    import errors
    cls, kept = state
    assert errors.NotFound is cls is app.NotFound
    try:
        app.get("key")
    except LookupError as error:
        assert isinstance(error, app.AppError) and isinstance(error, errors.ClientError)
        assert error.answer() == (410, "key")
    assert kept.answer() == (410, "kept")
