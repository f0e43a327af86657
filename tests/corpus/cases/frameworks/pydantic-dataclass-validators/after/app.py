from pydantic import field_validator
from pydantic.dataclasses import dataclass


@dataclass
class Person:
    name: str
    age: int = 2

    @field_validator("name")
    @classmethod
    def lower(cls, value):
        return value.lower() + "."

    @field_validator("age")
    @classmethod
    def older(cls, value):
        return value + 10


@dataclass
class Author(Person):
    books: int = 0
