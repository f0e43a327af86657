import typing
class R(typing.NamedTuple):
    """A."""
    a: int
    b: int = 1
