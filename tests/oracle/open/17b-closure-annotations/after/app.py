def make(n=1):
    def inner(x: "int | str" = 0) -> "tuple":
        return (x, n)
    return inner
f = make()
