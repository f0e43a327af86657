def make(n=0):
    def inner(x=0):
        return (x, n)
    return inner
f = make(1)
