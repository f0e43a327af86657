import enum


class Code(enum.IntEnum):
    def __new__(cls, value: int, phrase: str = ""):
        obj = int.__new__(cls, value)
        obj._value_ = value
        obj.phrase = phrase
        return obj

    OK = 200, "ok"
    GONE = 410, "gone"
