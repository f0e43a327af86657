def before():
    import app
    assert app.JOB.run() == ["traced", "first"]
    config = app.Config()
    config.values["port"] = 80
    assert config.get("port") == 80
    return app.JOB, app.Job, config, config.get


def after(state):
    import app
    job, cls, config, get = state
    assert app.JOB is job and app.Job is cls
    assert job.run() == ["traced", ("second", 3)]
    assert app.Config() is config
    assert get("port") == config.get("port") == (80, 2)
    assert config.known() == ["port"]
