def before():
    import app
    import jobs
    assert jobs.CALLBACK() == jobs.JOB.convert(10) == 20
    return app.convert, app.fetch, jobs.JOB


def after(state):
    import app
    import jobs
    import money
    convert, fetch, job = state
    assert app.convert is money.convert
    assert convert(10) == app.convert(10) == job.convert(10) == jobs.CALLBACK() == 31
    assert fetch() == app.fetch() == "new"
    assert not hasattr(app, "RATE")
