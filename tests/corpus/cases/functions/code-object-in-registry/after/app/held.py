codes = set()
def internal(f):
    codes.add(f.__code__)
    return f

@internal
def g(): return 2
