import typing as t


@t.overload
def parse(value: int) -> int: ...
@t.overload
def parse(value: str, base: int) -> int: ...


def parse(value, base=10):
    return t.cast(int, value), base


HANDLERS = [parse]
