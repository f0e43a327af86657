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
    assert report.stale == ["POOL =", "GIVEN ="]


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
