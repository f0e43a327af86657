from types import SimpleNamespace as NS


def before():
    from app import core, shop
    assert core.find() == shop.shown() == (["a", "shop", "late"], {"a": 1, "shop": 2})
    return NS(core=core, shop=shop)


def after(s):
    assert s.core.find() == (["a", "b", "shop", "late"], {"a": 1, "b": 1, "shop": 2}), s.core.find()
    assert s.shop.shown() == s.core.find(), "the importer holds another list"
    assert s.shop.SHARED is s.core.BUILTIN
