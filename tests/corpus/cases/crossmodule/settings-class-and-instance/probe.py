from types import SimpleNamespace as NS


def before():
    from app import client, conf
    assert (client.LIMIT, client.HARD, client.THERE, client.TRIES) == (11, 100, 10, 9)
    return NS(client=client, settings=conf.settings, state=client.STATE, fetch=client.fetch)


def after(s):
    c = s.client
    assert c.settings is s.settings
    assert (c.LIMIT, c.HARD, c.THERE) == (13, 120, 12), (c.LIMIT, c.HARD, c.THERE)
    assert c.TRIES == 9  # the instance has a value of its own
    assert s.fetch() == 12, s.fetch()
    assert c.Client.timeout == 12, c.Client.timeout
    assert c.STATE is s.state
