"""Living classes: members come, change and go in place; classes that derive from their bodies follow."""

from __future__ import annotations

import abc
import dataclasses
import gc
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest
from living import LiveApp

from habanero_receiver.swap import SwapFailedError, SwapRefusedError

Start = Callable[[dict[str, str]], LiveApp]


def begin(start: Start, text: str) -> tuple[LiveApp, Any]:
    app = start({"shop": text})
    return app, app.load("shop")


def go(start: Start, before: str, after: str) -> tuple[Any, Callable[[], None]]:
    """The module after a swap, checked to come out of an undo as it was."""
    app, shop = begin(start, before)
    picture = app.picture()
    app.push({"shop": after}).undo()
    assert app.picture() == picture
    committed = app.push({"shop": after})
    return shop, committed.undo


def test_members_are_added_changed_and_removed(start: Start) -> None:
    """The class and its instances stay; a new method closes over `__class__`, a removed one is gone."""
    app, shop = begin(
        start,
        "class A:\n    def hi(self):\n        return 'a'\nclass B(A):\n    x = 1\n    def hi(self):\n"
        "        return 'b'\n"
        "    def gone(self): ...\n    @property\n    def p(self):\n        return 1\n",
    )
    cls, instance, bound = shop.B, shop.B(), shop.B().hi
    app.push({
        "shop": "class A:\n    def hi(self):\n        return 'a'\nclass B(A):\n    x = 2\n    y = 3\n"
        "    def hi(self):\n"
        "        return 'B' + super().hi()\n    def p(self):\n        return 2\n    @classmethod\n    def make(cls):\n"
        "        return cls\n    @staticmethod\n    def s():\n        return __class__\n"
    })  # fmt: skip
    assert shop.B is cls
    assert (instance.hi(), bound(), instance.x, instance.y, instance.p()) == ("Ba", "Ba", 2, 3, 2)
    assert (cls.make(), cls.s()) == (cls, cls)
    assert not hasattr(cls, "gone")


def test_private_members_are_bound_under_their_mangled_names(start: Start) -> None:
    """Values, annotated values, methods and nested classes with private names follow; nothing is bound as written."""
    shop, _ = go(
        start,
        "class _A:\n    __s = 1\n    __n: int = 2\n"
        "    def __h(self, a=1):\n        return a\n    class __K:\n        v = 1\n"
        "    def get(self):\n        return self.__s, self.__n, self.__h(), self.__K.v\n",
        "class _A:\n    __s = 2\n    __n: str = 3\n    __t = __s + 1\n"
        "    def __h(self, a=2, b=3):\n        return a + b\n"
        "    class __K:\n        v = 4\n"
        "    def get(self):\n        return self.__s, self.__n, self.__h(), self.__K.v, self.__t\n",
    )
    assert shop._A().get() == (2, 3, 5, 4, 3)
    assert shop._A.__annotations__ == {"_A__n": str}
    assert not [name for name in vars(shop._A) if name.startswith("__") and not name.endswith("__")]


def test_a_metaclass_keeps_the_living_class(start: Start) -> None:
    """What an own metaclass files away for a class whose body changed is the class itself, once."""
    meta = (
        "class Meta(type):\n    known = {}\n    def __new__(mcs, name, bases, body):\n"
        "        cls = super().__new__(mcs, name, bases, body)\n        mcs.known[name] = cls\n        return cls\n"
    )
    shop, _ = go(
        start,
        meta + "class A(metaclass=Meta):\n    def f(self):\n        return 1\n",
        meta + "class A(metaclass=Meta):\n    x = 1\n    def f(self):\n        return 2\n"
        "class B(metaclass=Meta): ...\n",
    )
    assert shop.Meta.known == {"A": shop.A, "B": shop.B}
    assert shop.A.known["A"]().f() == 2


def test_weak_registries_keep_the_living_class(start: Start) -> None:
    """Weak sets and dictionaries that a hook files classes in hold the class itself after its body changed."""
    hook = (
        "import weakref\nclass B:\n    known = weakref.WeakSet()\n    by = weakref.WeakValueDictionary()\n"
        "    x_of = weakref.WeakKeyDictionary()\n    def __init_subclass__(cls):\n        B.known.add(cls)\n"
        "        B.by[cls.__name__] = cls\n        B.x_of[cls] = cls.x\n"
    )
    shop, _ = go(start, hook + "class A(B):\n    x = 1\n", hook + "class A(B):\n    x = 2\nclass C(B):\n    x = 3\n")
    gc.collect()
    assert set(shop.B.known) == {shop.A, shop.C}
    assert dict(shop.B.by) == {"A": shop.A, "C": shop.C}
    assert dict(shop.B.x_of) == {shop.A: 2, shop.C: 3}


def test_a_new_attribute_can_be_none(start: Start) -> None:
    """`limit: int | None = None` and `x = None` are bound like any other value."""
    shop, _ = go(start, "class A:\n    y = 1\n", "class A:\n    y = 1\n    limit: int | None = None\n    x = None\n")
    assert (vars(shop.A)["limit"], vars(shop.A)["x"]) == (None, None)


def test_special_methods_follow(start: Start) -> None:
    """Hashing goes and comes back with `__eq__`; `__set_name__` is called; implicit static and class methods are."""
    shop, _ = go(
        start,
        "class C:\n    def __eq__(self, other):\n        return True\n",
        "class D:\n    def __set_name__(self, owner, name):\n        self.at = (owner.__name__, name)\n"
        "class C:\n    d = D()\n    def __new__(cls):\n        return super().__new__(cls)\n"
        "    def __init_subclass__(cls):\n        cls.seen = True\n"
        "    def __class_getitem__(cls, item):\n        return item\n",
    )
    assert hash(shop.C())
    assert shop.C.d.at == ("C", "d")
    assert shop.C[3] == 3
    assert type("S", (shop.C,), {}).seen  # type: ignore[attr-defined]


def test_properties_take_setters(start: Start) -> None:
    """A property gains a setter, and keeps it when its getter's own statement runs again."""
    one = "class C:\n    @property\n    def x(self):\n        return vars(self).get('v', 1)\nIT = C()\n"
    setter = "    @x.setter\n    def x(self, value):\n        vars(self)['v'] = value\n"
    app, shop = begin(start, one)
    app.push({"shop": one.replace("IT", setter + "IT")})
    shop.IT.x = 5
    assert shop.IT.x == 5
    app.push({"shop": one.replace("IT", setter + "IT").replace("def x(self):", "def x(self) -> int:")})
    shop.IT.x = 6
    assert shop.IT.x == 6


def test_definitions_inside_blocks_keep_their_identity(start: Start) -> None:
    """A class or function that a changed `if` or `try` defines again stays the object that everyone holds."""
    text = (
        "import sys\nif sys.version_info:\n    class A:\n        x = 1\n        old = 1\n"
        "        def m(self):\n            return 1\n        def s(self):\n            return __class__\n"
        "    def f(a=1):\n        return a\nIT = A()\n"
    )
    app, shop = begin(start, text)
    cls, function, bound = shop.A, shop.f, shop.IT.m
    picture = app.picture()
    after = text.replace("1", "2").replace("old = 2", "new = 2")
    app.push({"shop": after}).undo()
    assert app.picture() == picture
    app.push({"shop": after})
    assert (shop.A, shop.f) == (cls, function)
    assert (bound(), shop.IT.x, shop.IT.new, function(), shop.IT.s()) == (2, 2, 2, 2, cls)
    assert not hasattr(cls, "old")


def test_protocols_follow(start: Start) -> None:
    """A protocol that gains a member is one of fewer classes, whatever was answered before."""
    text = (
        "from typing import Protocol, runtime_checkable\n@runtime_checkable\nclass P(Protocol):\n"
        "    def a(self): ...\nclass X:\n    def a(self): ...\n"
    )
    app, shop = begin(start, text)
    assert isinstance(shop.X(), shop.P)
    app.push({"shop": text.replace("class X", "    def b(self): ...\nclass X")})
    assert not isinstance(shop.X(), shop.P)


def test_abstract_methods_follow(start: Start) -> None:
    """A class that gains an abstract method cannot be made any more, nor a subclass that lacks it."""
    shop, _ = go(
        start,
        "import abc\nclass A(abc.ABC):\n    def f(self): ...\nclass B(A): ...\n",
        "import abc\nclass A(abc.ABC):\n    @abc.abstractmethod\n    def f(self): ...\nclass B(A): ...\n",
    )
    assert isinstance(shop.A, abc.ABCMeta)
    with pytest.raises(TypeError, match="abstract"):
        shop.B()


def test_bases_change_where_python_lets_them(start: Start) -> None:
    """Another base of the same layout is taken by the living class, and instances see it."""
    shop, _ = go(
        start,
        "class A:\n    n = 'a'\nclass B:\n    n = 'b'\nclass C(A): ...\nIT = C()\n",
        "class A:\n    n = 'a'\nclass B:\n    n = 'b'\nclass C(B): ...\nIT = C()\n",
    )
    assert shop.IT.n == "b"


def test_class_keywords_go_to_init_subclass(start: Start) -> None:
    """A changed keyword registers the living class anew, in the place of its old entry."""
    head = (
        "KINDS = {}\nclass Base:\n    def __init_subclass__(cls, key):\n        KINDS[key] = cls\n"
        "        cls.key = key\n"
    )
    shop, _ = go(start, head + "class A(Base, key='a'): ...\n", head + "class A(Base, key='b'): ...\n")
    assert shop.KINDS == {"b": shop.A}
    assert shop.A.key == "b"


def test_an_unchanged_subclass_is_not_registered_again(start: Start) -> None:
    """Editing a method of a registered class leaves its registry alone."""
    head = "KINDS = []\nclass Base:\n    def __init_subclass__(cls):\n        KINDS.append(cls)\n"
    shop, _ = go(
        start, head + "class A(Base):\n    x = 1\n", head + "class A(Base):\n    x = 2\n    def f(self): ...\n"
    )
    assert shop.KINDS == [shop.A]
    assert shop.A.x == 2
    assert shop.Base.__subclasses__() == [shop.A]


DATA = "from dataclasses import dataclass, field\n"


def test_dataclass_fields_and_options(start: Start) -> None:
    """Fields come, go and change, options too; living instances get new defaults from the class."""
    shop, undo = go(
        start,
        DATA + "@dataclass\nclass P:\n    x: int\n    gone: int = 1\n"
        "    tags: list = field(default_factory=list)\nIT = P(1)\n",
        DATA
        + "@dataclass(order=True, frozen=True)\nclass P:\n    x: int\n    tags: list = field(default_factory=list)\n"
        "    y: int = 5\n    z: int = field(default=6, repr=False)\nIT = P(1)\n",
    )
    it = shop.IT
    assert [f.name for f in dataclasses.fields(shop.P)] == ["x", "tags", "y", "z"]
    assert repr(it) == "P(x=1, tags=[], y=5)"
    assert (it.y, it.z) == (5, 6)
    assert shop.P(2, []) > it
    assert not hasattr(shop.P, "gone")
    assert shop.P.__match_args__ == ("x", "tags", "y", "z")
    with pytest.raises(dataclasses.FrozenInstanceError):
        it.x = 3
    undo()
    it.x = 3
    assert repr(it) == "P(x=3, gone=1, tags=[])"


def test_dataclass_subclasses_inherit_the_new_fields(start: Start) -> None:
    """A dataclass built on one that gained a field takes it too, although its own statement did not change."""
    after = DATA + "@dataclass\nclass A:\n    x: int = 1\n    y: int = 2\n@dataclass\nclass B(A):\n    z: int = 3\n"
    shop, _ = go(start, after.replace("    y: int = 2\n", ""), after)
    assert repr(shop.B()) == "B(x=1, y=2, z=3)"
    assert shop.A.__subclasses__() == [shop.B]


def test_dataclass_state_and_methods_are_kept(start: Start) -> None:
    """Members that are no fields keep their live values and identity while fields around them change."""
    before = DATA + "@dataclass\nclass P:\n    x: int\n    def m(self):\n        return 1\n    cache = {}\n"
    app, shop = begin(start, before)
    method, cache = shop.P.m, shop.P.cache
    cache["k"] = 1
    app.push({"shop": before.replace("    x: int\n", "    x: int\n    y: int = 0\n").replace("return 1", "return 2")})
    assert (shop.P.m, shop.P.cache) == (method, {"k": 1})
    assert shop.P(1).m() == 2


def test_dataclass_added_and_removed(start: Start) -> None:
    """A plain class becomes a dataclass and the other way round."""
    plain = DATA + "class P:\n    x: int = 1\n"
    shop, undo = go(start, plain, plain.replace("class P", "@dataclass\nclass P"))
    assert repr(shop.P(4)) == "P(x=4)"
    undo()
    app, shop = begin(start, plain.replace("class P", "@dataclass\nclass P").replace("P", "Q"))
    app.push({"shop": plain.replace("P", "Q")})
    with pytest.raises(TypeError):
        shop.Q(4)


def test_slots_of_a_dataclass_are_its_layout(start: Start) -> None:
    """A slotted dataclass takes another default and refuses another field."""
    before = DATA + "@dataclass(slots=True)\nclass P:\n    x: int = 1\n"
    app, shop = begin(start, before)
    it = shop.P()
    app.push({"shop": before.replace("= 1", "= 2")})
    assert (shop.P().x, it.x) == (2, 1)
    with pytest.raises(SwapRefusedError, match="slots"):
        app.stage({"shop": before + "    y: int = 1\n"})


ENUM = "import enum\n"


def test_enum_members_keep_their_identity(start: Start) -> None:
    """Members come, go and change their value as the same objects; lookup, order, aliases and pickles follow."""
    shop, undo = go(
        start,
        ENUM + "class C(enum.Enum):\n    RED = 1\n    BLUE = 2\n    OLD = 9\nHELD = {C.RED: 'r'}\nIT = C.RED\n",
        ENUM + "class C(enum.Enum):\n    GREEN = 3\n    RED = 10\n    BLUE = 2\n    CRIMSON = 10\n"
        "    def low(self):\n        return self.name.lower()\nHELD = {C.RED: 'r'}\nIT = C.RED\n",
    )
    cls = shop.C
    assert [m.name for m in cls] == ["GREEN", "RED", "BLUE"]
    assert cls(10) is cls.RED is cls.CRIMSON is cls["CRIMSON"] is shop.IT
    assert shop.HELD[cls.RED] == "r"
    assert cls.GREEN.low() == "green"
    assert isinstance(cls.GREEN, cls)
    assert pickle.loads(pickle.dumps(cls.GREEN)) is cls.GREEN
    assert not hasattr(cls, "OLD")
    with pytest.raises(ValueError, match="9"):
        cls(9)
    undo()
    assert cls(9).name == "OLD"
    assert cls(1) is cls.RED


def test_enums_with_attributes_and_auto(start: Start) -> None:
    """What `__init__` derives from a value follows it, and `auto()` counts on."""
    body = (
        "class P(enum.Enum):\n    def __init__(self, mass, size):\n        self.mass = mass\n"
        "    A = (1, 2)\n    B = (3, 4)\n"
    )
    auto = "class K(enum.Enum):\n    X = enum.auto()\n    Y = enum.auto()\nIT = P.A\n"
    shop, _ = go(
        start,
        ENUM + body + auto,
        ENUM + body.replace("(1, 2)", "(7, 8)") + auto.replace("IT", "    Z = enum.auto()\nIT"),
    )
    assert (shop.IT.mass, shop.IT.value) == (7, (7, 8))
    assert shop.K.Z.value == 3


def test_flags_follow(start: Start) -> None:
    """A flag gains a bit, and what was composed before stays what it was."""
    app, shop = begin(start, ENUM + "class F(enum.Flag):\n    R = 1\n    W = 2\n")
    both = shop.F.R | shop.F.W
    app.push({"shop": ENUM + "class F(enum.Flag):\n    R = 1\n    W = 2\n    X = 4\n"})
    assert shop.F.R | shop.F.W is both
    assert (shop.F.R | shop.F.X).value == 5
    assert (~shop.F.R) == shop.F.W | shop.F.X


def test_enum_members_of_numbers_and_strings(start: Start) -> None:
    """A member that is a string is kept and joined by others; its own value cannot change, and that is told."""
    before = ENUM + "class S(str, enum.Enum):\n    A = 'a'\n"
    app, shop = begin(start, before)
    a = shop.S.A
    app.push({"shop": before + "    B = 'b'\n"})
    assert shop.S.A is a
    assert (shop.S("b"), shop.S.B + "!") == (shop.S.B, "b!")
    with pytest.raises(SwapRefusedError, match="itself the str 'a'"):
        app.stage({"shop": before.replace("'a'", "'x'")})
    assert shop.S("b") is shop.S.B


def test_unique_still_holds(start: Start) -> None:
    """A decorator of the enum is applied to the new body; what it refuses fails the swap."""
    before = ENUM + "@enum.unique\nclass C(enum.Enum):\n    A = 1\n"
    app, shop = begin(start, before)
    with pytest.raises(SwapFailedError, match="duplicate"):
        app.push({"shop": before + "    B = 1\n"})
    assert [m.name for m in shop.C] == ["A"]


@pytest.mark.parametrize("form", ["class", "call"])
def test_named_tuples_take_fields_at_their_end(start: Start, form: str) -> None:
    """Tuples made before read the default of what they lack; other changes of fields would misread them: refused."""
    before, after, bad = {
        "class": (
            "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\nIT = P(1)\n",
            "from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int = 5\nIT = P(1)\n",
            "from typing import NamedTuple\nclass P(NamedTuple):\n    w: int\nIT = P(1)\n",
        ),
        "call": (
            "from collections import namedtuple\nP = namedtuple('P', 'x')\nIT = P(1)\n",
            "from collections import namedtuple\nP = namedtuple('P', 'x y', defaults=[5])\nIT = P(1)\n",
            "from collections import namedtuple\nP = namedtuple('P', 'w')\nIT = P(1)\n",
        ),
    }[form]
    app, shop = begin(start, before)
    cls = shop.P
    picture = app.picture()
    with pytest.raises(SwapRefusedError, match="at its end") as refused:
        app.stage({"shop": bad})
    assert [r.live for _, r in refused.value.refusals] == ["class shop.P, 1 living instance"]
    assert app.picture() == picture
    app.push({"shop": after})
    assert shop.P is cls
    assert (shop.IT.y, repr(shop.IT), shop.IT._asdict()) == (5, "P(x=1, y=5)", {"x": 1, "y": 5})
    assert shop.P(1, 2)._replace(x=9) == (9, 2)
    assert shop.IT._replace(y=7) == (1, 7)


def test_classes_of_own_metaclasses_follow(start: Start) -> None:
    """What the app's own metaclass derives from a body is derived again, and nothing is registered twice."""
    head = (
        "ALL = []\nclass Meta(type):\n    def __new__(mcs, name, bases, body, **kw):\n"
        "        cls = super().__new__(mcs, name, bases, body)\n"
        "        cls.columns = sorted(k for k in body if k.startswith('c_'))\n        ALL.append(cls)\n"
        "        return cls\n"
    )
    shop, _ = go(
        start,
        head + "class T(metaclass=Meta):\n    c_a = 1\n",
        head + "class T(metaclass=Meta):\n    c_a = 1\n    c_b = 2\n",
    )
    assert shop.T.columns == ["c_a", "c_b"]
    assert shop.ALL == [shop.T]


def test_a_class_of_a_foreign_metaclass_refuses_fields(start: Start) -> None:
    """What a library derives is its adapter's to know; without one the change is refused, methods are not."""
    import types

    maker = types.ModuleType("makers")
    exec("class Maker(type): ...\n", vars(maker))
    sys.modules["makers"] = maker
    try:
        text = "import makers\nclass T(metaclass=makers.Maker):\n    x = 1\n    def m(self):\n        return 1\n"
        app, shop = begin(start, text)
        with pytest.raises(SwapRefusedError, match=r"makers\.Maker"):
            app.stage({"shop": text.replace("x = 1", "x = 2")})
        app.push({"shop": text.replace("return 1", "return 2")})
        assert shop.T().m() == 2
    finally:
        del sys.modules["makers"]


def test_typed_dictionaries_follow(start: Start) -> None:
    """Keys of a typed dictionary are derived again."""
    text = "from typing import TypedDict\nclass D(TypedDict):\n    x: int\n"
    shop, _ = go(start, text, text + "    y: str\n")
    assert shop.D.__required_keys__ == {"x", "y"}


def test_generic_classes_follow(start: Start) -> None:
    """A generic class keeps its parameters while its members change."""
    text = (
        "from typing import Generic, TypeVar\nT = TypeVar('T')\nclass Box(Generic[T]):\n    x = 1\n"
        "    def m(self):\n        return 1\n"
    )
    shop, _ = go(start, text, text.replace("1", "2"))
    assert (shop.Box[int]().m(), shop.Box.x) == (2, 2)


def test_no_twin_is_left_behind(start: Start) -> None:
    """The class that was made to see what a body derives is gone when the collector has run."""
    text = DATA + "@dataclass\nclass Base: ...\n@dataclass\nclass Lonely(Base):\n    x: int = 1\n"
    app, shop = begin(start, text)
    app.push({"shop": text.replace("= 1", "= 2")}).seal()
    assert shop.Base.__subclasses__() == [shop.Lonely]
    gc.collect()
    classes = [item for item in gc.get_objects() if issubclass(type(item), type)]
    assert [c for c in classes if c.__qualname__ == "Lonely" and c.__module__ == "shop"] == [shop.Lonely]


def test_attrs_classes_follow(start: Start) -> None:
    """An attrs class takes fields like a dataclass; with slots, its layout is refused."""
    pytest.importorskip("attrs")
    text = "import attrs\n@attrs.define(slots=False)\nclass P:\n    x: int = 1\nIT = P()\n"
    shop, _ = go(start, text, text.replace("IT", "    y: int = attrs.field(default=2)\nIT"))
    assert repr(shop.IT) == "P(x=1, y=2)"
    assert shop.P(3, 4).y == 4
    app, _ = begin(start, text.replace("(slots=False)", ""))
    with pytest.raises(SwapRefusedError, match="slots"):
        app.stage({"shop": text.replace("(slots=False)", "").replace("IT", "    y: int = 2\nIT")})
