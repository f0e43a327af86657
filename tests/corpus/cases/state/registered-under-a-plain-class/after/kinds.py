import functools


@functools.singledispatch
def clean(value):
    return f"other {value!r}"


@clean.register
def _(value: str):
    return f"text {value}"


class Word:
    pattern = "[a-z]+"

    def match(self, value):
        return clean(value)
