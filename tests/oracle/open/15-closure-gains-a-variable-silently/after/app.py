def make(n=0):
    m = "m"
    def inner(x=0):
        return (m, x, n)
    return inner
f = make(1)
