"""The named tuples that are cheap to define are what `typing.NamedTuple` would make of the same class body."""

from __future__ import annotations

import pickle
import typing
from typing import TYPE_CHECKING

import pytest

from habanero_receiver import values

if TYPE_CHECKING:
    from collections.abc import Sequence


class Ours(values.NamedTuple):
    """Two numbers and a name."""

    left: int
    right: int = 2
    name: Sequence[str] = "none"

    @property
    def sum(self) -> int:
        """Both."""
        return self.left + self.right

    @classmethod
    def twice(cls, number: int) -> Ours:
        """The same number two times."""
        return cls(number, number)


class Theirs(typing.NamedTuple):
    """Two numbers and a name."""

    left: int
    right: int = 2
    name: Sequence[str] = "none"


def test_fields_and_defaults_are_those_of_the_body() -> None:
    """Positions, names and defaults; what has no default must be given."""
    assert (Ours._fields, Ours._field_defaults) == (Theirs._fields, Theirs._field_defaults)
    assert Ours(1) == Theirs(1) == (1, 2, "none")
    assert Ours(1, name="x") == Theirs(1, name="x")
    assert repr(Ours(1)) == repr(Theirs(1)).replace("Theirs", "Ours")
    with pytest.raises(TypeError):
        Ours()  # type: ignore[call-arg]  # that is the point
    with pytest.raises(TypeError):
        Ours(1, wrong=2)  # type: ignore[call-arg]  # likewise


def test_methods_and_properties_work() -> None:
    """They are the class's, and see the fields."""
    assert Ours.twice(4).sum == 8
    assert Ours(1)._replace(right=5).sum == 6


def test_a_value_does_not_change() -> None:
    """No field can be set, and there is no place for another attribute."""
    for name in ("left", "sum", "other"):
        with pytest.raises(AttributeError):
            setattr(Ours(1), name, 3)


def test_the_class_is_found_where_it_was_defined() -> None:
    """Its module, its name and its docstring are the body's, so that a value can be pickled."""
    assert (Ours.__module__, Ours.__qualname__, Ours.__doc__) == (__name__, "Ours", Theirs.__doc__)
    assert pickle.loads(pickle.dumps(Ours(3))) == Ours(3)
