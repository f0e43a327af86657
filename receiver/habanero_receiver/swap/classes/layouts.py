"""What a class must keep while it lives: the layout of its instances."""

from __future__ import annotations

from types import MemberDescriptorType


class LayoutError(TypeError):
    """The new body wants instances of another layout than the living ones have. ``help`` says what to do, if known."""

    def __init__(self, message: str, help: str = "") -> None:  # noqa: A002  # the word of the error form
        super().__init__(message)
        self.help = help


def slots(cls: type) -> list[str]:
    """The names of the class's own slots."""
    return sorted(name for name, value in vars(cls).items() if isinstance(value, MemberDescriptorType))


def layout(cls: type) -> tuple[object, ...]:
    """What two classes must share for instances of one to be instances of the other."""
    return (slots(cls), cls.__basicsize__, cls.__dictoffset__, cls.__itemsize__)
