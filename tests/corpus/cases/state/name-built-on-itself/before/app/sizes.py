def times(function, factor):
    def scaled():
        return factor * function()
    return scaled


def size():
    return 1


SIZES = (2,)
SIZES = SIZES * 4
COUNT = len(SIZES)
size = times(size, 10)
