import abc
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Table = dict
    Field = object
else:

    class Table(MutableMapping, dict):
        def first(self):
            return 1

    class Field(abc.ABC):
        @abc.abstractmethod
        def load(self): ...


class Settings(Table):
    __getitem__, __setitem__, __delitem__ = dict.__getitem__, dict.__setitem__, dict.__delitem__
    __iter__, __len__ = dict.__iter__, dict.__len__


class Text(Field):
    def load(self):
        return "text"


@Field.register
class Number:
    pass


live = Settings(a=1)
