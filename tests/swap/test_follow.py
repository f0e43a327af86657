"""What was computed from a changed binding follows it, if it is plain; what is alive is kept, and named as stale."""

from __future__ import annotations

from collections.abc import Callable

from living import LiveApp

Start = Callable[[dict[str, str]], LiveApp]
CONFIG = {"shop/": "", "shop.config": "RATE = 2\nOTHER = 2\nclass Kind: ...\ndef f():\n    return 1\n"}


def changed(rate: str) -> dict[str, str | None]:
    return {"shop.config": CONFIG["shop.config"].replace("RATE = 2", f"RATE = {rate}")}


def test_imported_names_follow(start: Start) -> None:
    """`from config import RATE`, under whatever name and through whatever chain, shows the new value."""
    app = start({
        **CONFIG,
        "shop.a": "from shop.config import RATE as R, OTHER\nfrom .config import RATE\ntry:\n"
        "    from .config import RATE as T\nexcept ImportError:\n    T = 0\n",
        "shop.b": "from shop.a import R\nclass C:\n    from shop.config import RATE\n",
    })  # fmt: skip
    a, b = app.load("shop.a"), app.load("shop.b")
    committed = app.push(changed("3"))
    assert (a.R, a.RATE, a.T, a.OTHER, b.R) == (3, 3, 3, 2, 3)
    committed.undo()
    assert (a.R, a.RATE, a.T, b.R) == (2, 2, 2, 2)


def test_a_name_that_is_the_importers_own_stays(start: Start) -> None:
    """An import that a later statement rebinds, or that was set at run time, is not overwritten."""
    app = start({**CONFIG, "shop.a": "from shop.config import RATE, OTHER\nRATE = 2\n"})
    a = app.load("shop.a")
    a.OTHER = 9
    app.push({"shop.config": "RATE = 3\nOTHER = 3\nclass Kind: ...\ndef f():\n    return 1\n"})
    assert (a.RATE, a.OTHER) == (2, 9)


def test_star_imports_follow(start: Start) -> None:
    """New public names arrive, changed ones follow, removed ones go; `__all__` and the importer's own names count."""
    app = start({**CONFIG, "shop.a": "from shop.config import *\nOTHER = 5\n"})
    a = app.load("shop.a")
    committed = app.push({"shop.config": "RATE = 3\nOTHER = 3\nNEW = 1\n_private = 1\nclass Kind: ...\n"})
    assert (a.RATE, a.OTHER, a.NEW) == (3, 5, 1)
    assert not hasattr(a, "_private")
    assert not hasattr(a, "f")
    committed.undo()
    assert (a.RATE, a.f()) == (2, 1)
    assert not hasattr(a, "NEW")


def test_star_imports_follow_what_is_exported(start: Start) -> None:
    """A name that `__all__` gains arrives, one that it loses goes, with or without its definition."""
    head = "def a(): ...\ndef b(): ...\n"
    lib = head + "def c(): ...\n__all__ = ['a', 'c']\n"
    app = start({"shop/": "", "shop.lib": lib, "shop.a": "from .lib import *\n"})
    a = app.load("shop.a")
    app.push({"shop.lib": lib.replace("'c']", "'c', 'b']")})
    assert a.b is app.load("shop.lib").b
    app = start({"shop/": "", "shop.lib": lib, "shop.a": "from .lib import *\n"})
    a = app.load("shop.a")
    committed = app.push({"shop.lib": head + "__all__ = ['b']\n"})
    assert a.b is app.load("shop.lib").b
    assert not hasattr(a, "a")
    assert not hasattr(a, "c")
    committed.undo()
    assert hasattr(a, "a")
    assert hasattr(a, "c")
    assert not hasattr(a, "b")


def test_a_star_import_loses_only_what_it_gave(start: Start) -> None:
    """What a module uses itself and does not export can go from it: another star import gave the importer the name."""
    app = start({
        "shop/": "from .more import *\nfrom .recipes import *\n",
        "shop.recipes": "__all__ = ['pairs']\ndef pairs(): ...\n",
        "shop.more": "from .recipes import pairs\n__all__ = ['a']\ndef a(): ...\n",
    })  # fmt: skip
    shop = app.load("shop")
    app.push({"shop.more": "__all__ = ['a']\ndef a(): ...\n"})
    assert shop.pairs is app.load("shop.recipes").pairs


def test_plain_constants_defaults_and_attributes_follow(start: Start) -> None:
    """Constants, class attributes, defaults, dataclass fields and enum values built on it are computed again."""
    app = start({
        **CONFIG,
        "shop.a": """
            import enum
            from dataclasses import dataclass
            from shop.config import RATE
            DOUBLE = RATE * 2
            TEXT = f"{DOUBLE}!"
            class C:
                x = RATE + 1
                y = x + 1
                def m(self, n=RATE, *, k=DOUBLE):
                    return (n, k)
                class In:
                    z = RATE
            def f(n=RATE, *, k=RATE * 10):
                return (n, k)
            @dataclass
            class D:
                rate: int = RATE
            class E(enum.Enum):
                A = RATE
        """,
    })  # fmt: skip
    a = app.load("shop.a")
    picture = app.picture()
    app.push(changed("3")).undo()
    assert app.picture() == picture
    report = app.push(changed("3")).report
    assert (a.DOUBLE, a.TEXT) == (6, "6!")
    assert (a.C.x, a.C.y, a.C.In.z, a.C().m(), a.f()) == (4, 5, 3, (3, 6), (3, 30))
    assert (a.D().rate, a.E.A.value, a.E(3)) == (3, 3, a.E.A)
    assert report.of("shop.a").stale == []


def test_live_objects_are_kept_and_named(start: Start) -> None:
    """What was built from the old value and is alive stays as it is, and the report says so."""
    app = start({**CONFIG, "shop.a": "from shop.config import RATE\nPOOL = [RATE]\nGIVEN = RATE + 1\n"})
    a = app.load("shop.a")
    pool, a.GIVEN = a.POOL, 77
    report = app.push(changed("3")).report.of("shop.a")
    assert a.POOL is pool
    assert a.POOL == [2]
    assert a.GIVEN == 77
    assert [entry.partition(" (")[0] for entry in report.stale] == ["POOL =", "GIVEN ="]


def test_changed_statements_read_what_followed(start: Start) -> None:
    """In one release, a statement that is run sees the new value of a name that it imports from a module before it."""
    app = start({**CONFIG, "shop.a": "from shop.config import RATE\nX = RATE\ndef f(n=1):\n    return n\n"})
    a = app.load("shop.a")
    app.push({**changed("3"), "shop.a": "from shop.config import RATE\nX = RATE * 100\ndef f(n=RATE):\n    return n\n"})
    assert (a.X, a.f()) == (300, 3)


def test_equal_constants_of_others_are_left_alone(start: Start) -> None:
    """Only who imports the name follows it; an equal number elsewhere is another number."""
    app = start({**CONFIG, "shop.a": "import shop.config\nMINE = 2\nTIMES = MINE * 2\n"})
    a = app.load("shop.a")
    app.push(changed("3"))
    assert (a.MINE, a.TIMES, a.shop.config.OTHER) == (2, 4, 2)


def test_a_chain_of_constants_follows_to_its_end(start: Start) -> None:
    """What is computed from several values that follow themselves is computed once all of them have."""
    app = start({
        **CONFIG,
        "shop.a": "from shop.config import RATE\nB = RATE + 1\nC = f'{B}-x'\nD = (RATE, B, C)\nE = F = D[0]\n"
        "G, H = B, C\n",
        "shop.b": "from shop.a import D as ALL, B\nBOTH = (ALL, B)\ndef f(x=ALL[0] + B):\n    return x\n",
    })  # fmt: skip
    b, a = app.load("shop.b"), app.load("shop.a")
    committed = app.push(changed("10"))
    assert (a.D, a.E, a.F, a.G, a.H) == ((10, 11, "11-x"), 10, 10, 11, "11-x")
    assert (b.BOTH, b.f()) == ((a.D, 11), 21)
    committed.undo()
    assert (a.D, b.BOTH, b.f()) == ((2, 3, "3-x"), ((2, 3, "3-x"), 3), 5)


def test_what_reads_an_attribute_of_a_module_follows_it(start: Start) -> None:
    """`config.RATE * 2` follows like `RATE * 2`, at module level, in classes and in defaults."""
    app = start({
        **CONFIG,
        "shop.a": "import shop.config\nfrom shop import config as c\nX = c.RATE * 2\nY = shop.config.RATE * 3\n"
        "class C:\n    z = c.RATE\n    def f(self, n=c.RATE):\n        return n\n",
    })  # fmt: skip
    a = app.load("shop.a")
    report = app.push(changed("10")).report
    assert (a.X, a.Y, a.C.z, a.C().f()) == (20, 30, 10, 10)
    assert report.of("shop.a").stale == []


def test_constants_that_pure_functions_compute_follow(start: Start) -> None:
    """So do the app's own, if all that they do is that; built-in ones and types of the library are known for it."""
    app = start({
        **CONFIG,
        "shop.a": "import re\nfrom datetime import timedelta\nfrom shop.config import RATE\n"
        "A = str(RATE).rjust(3, '0').upper()\nB = re.compile(f'a{RATE}')\nC = timedelta(seconds=RATE)\n"
        "D = frozenset(n * RATE for n in range(2))\nE = ', '.join([str(RATE)] * 2)\nF = max(RATE, 3)\n"
        "def g(x):\n    return x\ndef h(x):\n    LOG.append(x)\n    return x\nLOG = []\nG = g(RATE)\nH = h(RATE)\n",
    })  # fmt: skip
    a = app.load("shop.a")
    report = app.push(changed("10")).report
    assert (a.A, a.B.pattern, a.C.seconds, a.D, a.E, a.F) == ("010", "a10", 10, {0, 10}, "10, 10", 10)
    assert (a.G, a.H, a.LOG) == (10, 2, [2])
    assert report.of("shop.a").stale == ["H = (it reads RATE, which changed)"]


def test_other_names_for_an_object_follow_it(start: Start) -> None:
    """`handler = old` is bound to what took the place of `old`; annotations that a changed alias was used in follow."""
    text = (
        "from typing import Literal\nclass A: ...\nclass B: ...\nKind = A\nMode = Literal['a']\nother = Kind\n"
        "def f(kind: Kind, mode: Mode | None = None) -> list[Kind]: ...\n"
    )
    app = start({"shop": text})
    shop = app.load("shop")
    app.push({"shop": text.replace("Kind = A", "Kind = B").replace("Literal['a']", "Literal['a', 'b']")})
    assert shop.other is shop.B
    expected = {"kind": shop.B, "mode": shop.Mode | None, "return": list[shop.B]}
    assert shop.f.__annotations__ == expected


def test_annotations_of_members_follow_and_come_back(start: Start) -> None:
    """An annotation that reads a changed name is the new one; undone, the class has the very one that it had."""
    text = "Kind = {}\nclass C:\n    items: Kind = []\n"
    app = start({"shop": text.format("list")})
    shop = app.load("shop")
    items = shop.C.items
    committed = app.push({"shop": text.format("tuple")})
    assert (shop.C.__annotations__, shop.C.items is items) == ({"items": tuple}, True)
    committed.undo()
    assert shop.C.__annotations__ == {"items": list}


def test_values_taken_from_a_stale_object_are_named(start: Start) -> None:
    """A plain value that was read from a kept object is as old as that: the report names both."""
    text = "import types\nRAW = {}\nPARSED = types.SimpleNamespace(part=RAW)\nPART = PARSED.part\nOTHER = 3\n"
    app = start({"shop": text.format(1)})
    shop = app.load("shop")
    stale = app.push({"shop": text.format(2)}).report.of("shop").stale
    assert (shop.RAW, shop.PART) == (2, 1)
    assert [entry.partition(" (")[0] for entry in stale] == ["PARSED =", "PART ="]


def test_members_that_cannot_follow_are_named_by_their_paths(start: Start) -> None:
    """A docstring that the body adds to is stale as itself, not as the whole class that it is in."""
    body = 'TEXT = "a"\nclass Doc:\n    """Main."""\n    if __doc__:\n        __doc__ += TEXT\n    def go(self): pass\n'
    app = start({"shop": body})
    app.load("shop")
    report = app.push({"shop": body.replace('"a"', '"b"')}).report
    assert report.of("shop").stale == ["Doc.__doc__ (it reads TEXT, which changed)"]
