import typing as t


@t.overload
def command(name: str) -> str: ...


@t.overload
def command(name: int = 0) -> int: ...


@t.overload
def command(name: None) -> None: ...


def command(name=None):
    return ("new", name)
