from types import SimpleNamespace as NS


def before():
    from app import held
    assert held.codes == {held.g.__code__}
    return NS(m=held, old=held.g.__code__, codes=held.codes)


def after(s):
    assert s.m.g() == 2
    assert s.m.codes is s.codes
    assert s.codes == {s.m.g.__code__}, "the set holds the old code"
