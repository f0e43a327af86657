"""Tells which values are told by what they say of themselves, and writes equal ones alike. Runs no code of theirs."""

from __future__ import annotations

_PLAIN = (str, bytes, int, float, complex, bool, type(None), type(Ellipsis), type(NotImplemented), range, slice)


def text_of(value: object) -> str:
    """A repr in which sets have an order."""
    if type(value) is frozenset:
        return f"frozenset({sorted(map(text_of, value))})"
    if type(value) is tuple:
        return f"({', '.join(map(text_of, value))},)"
    return repr(value)


def is_plain(value: object) -> bool:
    """Whether a value is immutable through and through, and of a built-in type."""
    kind = type(value)
    if kind in (tuple, frozenset):
        return all(map(is_plain, value))  # type: ignore[call-overload]
    return kind in _PLAIN
