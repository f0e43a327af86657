class Base:
    known = {}
    def __init_subclass__(cls, **o):
        super().__init_subclass__(**o)
        Base.known[cls.__name__] = cls
class A(Base): pass
