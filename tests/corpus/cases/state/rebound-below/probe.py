def before():
    from shop import rates

    assert rates.where() == (("/base", 1), "/shop")
    rates.SEEN.append(1)
    return rates


def after(rates):
    from shop import rates as now

    assert now.where() == (("/base", 2), "/shop"), now.where()
    if rates is not None:
        assert now is rates
        assert rates.SEEN == [1]
