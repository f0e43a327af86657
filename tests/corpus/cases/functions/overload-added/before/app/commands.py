import typing as t


@t.overload
def command(name: str) -> str: ...


@t.overload
def command(name: int) -> int: ...


def command(name=None):
    return ("old", name)
