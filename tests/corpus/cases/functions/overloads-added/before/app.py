import typing as t


def parse(value):
    return t.cast(int, value)


HANDLERS = [parse]
