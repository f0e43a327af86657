from types import SimpleNamespace as NS


def before():
    from app import limits
    assert limits.LIMIT == 20
    return NS(limits=limits, state=limits.STATE)


def after(s):
    assert s.limits.LIMIT == 30, s.limits.LIMIT
    assert s.limits.STATE is s.state
