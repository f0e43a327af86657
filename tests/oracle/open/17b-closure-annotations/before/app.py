def make(n=1):
    def inner(x: "int" = 0) -> "str":
        return (x, n)
    return inner
f = make()
