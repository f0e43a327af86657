from pydantic import field_validator
from pydantic.dataclasses import dataclass


@dataclass
class Person:
    name: str
    age: int = 1

    @field_validator("name")
    @classmethod
    def lower(cls, value):
        return value.lower()


@dataclass
class Author(Person):
    books: int = 0
