def before():
    import app
    assert [app.CALLBACKS[0](), app.CALLBACKS[1](2)] == [("job", "Job"), 2]
    return app.JOB, app.JOB.run, app.Job.cost, app.CALLBACKS


def after(state):
    import app
    job, run, cost, callbacks = state
    assert app.JOB is job
    assert job.run() == run() == callbacks[0]() == ("base", "Job")
    assert app.Job.cost(2) == cost(2) == callbacks[1](2) == 160
    assert job.close() == ("base", "Job")
