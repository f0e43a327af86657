from types import SimpleNamespace as NS


def before():
    from app import rates, web
    assert (rates.RATE, web.show()) == (20, 20)
    return NS(rates=rates, web=web, pool=rates.POOL)


def after(s):
    assert (s.rates.RATE, s.web.show()) == (30, 30), "the constant is stale"
    assert s.rates.POOL is s.pool, "a live object was made again"
    assert s.rates.STARTED == [1], "a statement that did not change was run again"
