def before():
    import app
    return app.Jobs, app.Jobs.sweep


def after(state):
    jobs, sweep = state
    assert jobs.sweep is sweep and sweep.schedule == "night"
    assert not {"mark", "name", "default"} & vars(jobs).keys()
