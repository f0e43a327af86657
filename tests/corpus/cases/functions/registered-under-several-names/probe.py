def before():
    import bot
    return bot.start, bot.w, bot.P, bot.echo, bot.plain

def after(s):
    import bot
    start, w, P, echo, plain = s
    assert (bot.start, bot.w, bot.P, bot.echo) == (start, w, P, echo)
    assert list(bot.HANDLERS) == ["start", "go", "w1", "w3", "echo", "pa", "pc"], bot.HANDLERS
    assert bot.HANDLERS["start"] is start and bot.HANDLERS["w3"] is w, bot.HANDLERS
    assert bot.PLUGINS == {"p1": P, "p3": P}, bot.PLUGINS
    assert bot.ALL == {start, w, P, echo, plain}, bot.ALL
    assert list(bot.META) == [start, echo] and list(bot.LEVELS.values()) == [2, 1]
    assert bot.ORDER == [start, w, echo], bot.ORDER
    assert w(1) == ("wrapped", 1)
