"""What a class must keep while it lives: the layout of its instances."""

from __future__ import annotations

from types import MemberDescriptorType


class LayoutError(TypeError):
    """The new body wants instances of another layout than the living ones have."""


def layout(cls: type) -> tuple[object, ...]:
    """What two classes must share for instances of one to be instances of the other."""
    slots = sorted(name for name, value in vars(cls).items() if isinstance(value, MemberDescriptorType))
    return (slots, cls.__basicsize__, cls.__dictoffset__, cls.__itemsize__)
