"""Named tuples that cost little to define: what the values on the path of a start are.

To a type checker, and to whoever uses one, it is `typing.NamedTuple`. What it does not: it looks at no annotation. The
original compiles each of them, and so takes three times as long to define a class; a start defines forty.

The rule it upholds: a class made here does what the same class made from `typing.NamedTuple` does, as far as fields,
defaults, methods and properties go. There is nothing else to it, and no other base beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["NamedTuple"]

if TYPE_CHECKING:
    from typing import Any, NamedTuple
else:
    from collections import namedtuple

    class _Definition(type):
        """Makes a class with fields of one whose body names them."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            if not bases:
                return super().__new__(cls, name, bases, body)
            fields = list(body.get("__annotations__", ()))
            defaults = [body.pop(field) for field in fields if field in body]
            plain = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            return type(name, (plain,), {"__slots__": (), **body})

    class NamedTuple(metaclass=_Definition):
        """The base to name."""
