"""Tells what objects of the app are by their types alone, and reads what they hold, without running code of theirs.

`isinstance` asks an object for its `__class__` where its type does not answer, and `getattr` asks whatever the class
defines. A lazy proxy (the current user, a setting) finds out then what it stands for: it may query a database, or raise
outside of a request. To plan a swap must never do that. It decides nothing and knows nothing of swaps.
"""

from __future__ import annotations

from types import BuiltinFunctionType, FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from builtins import isinstance as is_a  # type checkers narrow by it
else:

    def is_a(item, kinds):  # noqa: ANN001, ANN201  # its types are those of `isinstance`
        """As `isinstance` for Python's own kinds, by the type of ``item`` alone."""
        return issubclass(type(item), kinds)


__all__ = ["function_of", "home_of", "instance_dict", "is_a", "is_instance", "own_attribute", "slot_content",
           "slot_members"]  # fmt: skip


def is_instance(item: object, cls: type) -> bool:
    """Whether ``item`` was made by ``cls`` or what inherits from it, whatever their metaclass makes of the question."""
    return type.__subclasscheck__(cls, type(item))


def instance_dict(item: object) -> dict[str, Any] | None:
    """The instance dictionary of ``item``, also where its class shows another."""
    for cls in type(item).__mro__:
        place = cls.__dict__.get("__dict__")
        if type(place) is GetSetDescriptorType or type(place) is MemberDescriptorType:
            try:
                held = place.__get__(item)
            except (AttributeError, TypeError):
                return None
            return held if type(held) is dict else None
    return None


def slot_members(cls: type) -> tuple[MemberDescriptorType, ...]:
    """What reads the slots of a class's instances, those that it inherits included."""
    spaces = [vars(base) for base in cls.__mro__ if "__slots__" in vars(base)]
    return tuple(member for space in spaces for member in list(space.values()) if type(member) is MemberDescriptorType)


def slot_content(member: MemberDescriptorType, item: object) -> tuple[object, ...]:
    """What is in a slot of an object: nothing or one object."""
    try:
        return (member.__get__(item),)
    except AttributeError:
        return ()


def own_attribute(item: object, name: str, default: Any = None) -> Any:
    """What ``item`` itself or its class holds by that name: no descriptor is asked, and none of the app's methods."""
    held = instance_dict(item)
    if held is not None and name in held:
        return held[name]
    if is_a(item, _TELLING):
        return getattr(item, name, default)
    for cls in type(item).__mro__:
        if name in cls.__dict__:
            return cls.__dict__[name]
    return default


def function_of(member: Any) -> Any:
    """The function that a member of a class was made from; the member itself where it holds none."""
    if is_a(member, (staticmethod, classmethod, MethodType)):
        return member.__func__
    return member.fget if is_a(member, property) else member


def home_of(item: object) -> str | None:
    """The module that a callable says it comes from."""
    home = own_attribute(item, "__module__")
    return home if type(home) is str else None


_TELLING = (type, FunctionType, BuiltinFunctionType, MethodType, staticmethod, classmethod, property)
"""Kinds whose attributes Python itself answers for."""
