"""What a signed blob must be to become code: a build of a module, and, where it is wanted, that of its own source."""

from __future__ import annotations

import importlib.util
import marshal
import os
import subprocess
import sys
from pathlib import Path
from types import CodeType

import pytest
from miscoded import of, other_code
from nodes import World

from habanero_receiver.errors import SwapError
from habanero_receiver.fleet import follower, images
from habanero_receiver.fleet.node import Loaded, Release
from habanero_receiver.swap import ModuleImage
from habanero_receiver.swap.building.compiler import build
from habanero_receiver.swap.building.units import MAGIC, EncodedBuild


def compiled(text: str) -> CodeType:
    return compile(text, "x.py", "exec")


def inner(text: str) -> CodeType:
    return next(value for value in compiled(text).co_consts if isinstance(value, CodeType))


def loaded(built: EncodedBuild, source: bytes = b"RATE = 1\n") -> Loaded:
    image = ModuleImage("shop.rates", False, "/srv/shop/rates.py", source, *built)
    return Loaded(Release.__new__(Release), None, {"shop.rates": image})


@pytest.mark.parametrize(
    "code",
    [
        of(42),
        of("text"),
        of((compiled("1"),)),
        of(None),
        of(inner("def f(): return 1")),
        of(inner("def f(): return 1").replace(co_name="<module>")),
        of(inner("async def f(): return 1").replace(co_name="<module>")),
        of(inner("def f(): yield").replace(co_name="<module>")),
        of(inner("class A: x = 1")),
        of(compiled("1"), units=7),
        of(compiled("1"), units=(None, (1, 2))),
        of(compiled("1"), units=(None, ((),))),
        of(compiled("1"))._replace(units=MAGIC + b"x" * 50),
        of(compiled("1"))._replace(units=MAGIC),
        of(compiled("1"))._replace(units=b"HABUNIT0" + of(1).units[8:]),
        of(compiled("1"))._replace(units=of(compiled("1")).code),
        of(compiled("1"))._replace(units=b""),
        EncodedBuild(*reversed(of(compiled("1")))),
        EncodedBuild(marshal.dumps(compiled("1")), of(1).units),
        EncodedBuild(b"", b""),
        EncodedBuild(b"\0" * 400, b"\0" * 400),
    ],
)
def test_what_is_no_build_of_a_module_is_refused(code: EncodedBuild) -> None:
    """Marshalled, but no code object; one of a function or a class; units that are none: `not-code`, status 400."""
    with pytest.raises(SwapError) as caught:
        images.check_builds(loaded(code), besides=None)
    assert (caught.value.code, caught.value.info.status) == ("not-code", 400)


SOURCES = [
    b"RATE = 1\n", b'"""Doc."""\n\n\nclass A:\n    x: int = 1\n\n    def f(self): return 1 in {1, 2, 3}\n', b"",
    b"# \xc3\xa9\n",
]  # fmt: skip


@pytest.mark.parametrize("source", SOURCES)
def test_a_build_of_its_own_source_passes(source: bytes) -> None:
    """However often it is compiled: what is compared is meaning, not bytes."""
    images.check_sources(loaded(build(source, "shop.rates", "shop/rates.py", False), source), besides=None)


@pytest.mark.parametrize("module", ["json.decoder", "dataclasses", "argparse"])
def test_a_build_of_another_process_passes(module: str) -> None:
    """A laptop that compiles in its own order, with other hashes, is believed about whole real modules."""
    file = importlib.util.find_spec(module).origin  # type: ignore[union-attr]  # modules of the standard library
    code = (
        "import sys; from pathlib import Path; from habanero_receiver.swap.building.compiler import build\n"
        f"built = build(Path({file!r}).read_bytes(), 'shop.rates', 'shop/rates.py', False)\n"
        "sys.stdout.buffer.write(len(built.code).to_bytes(4) + built.code + built.units)"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "7"}
    theirs = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environ, check=True, timeout=60)
    size = 4 + int.from_bytes(theirs.stdout[:4])
    built = EncodedBuild(theirs.stdout[4:size], theirs.stdout[size:])
    images.check_sources(loaded(built, Path(str(file)).read_bytes()), besides=None)


@pytest.mark.parametrize(
    ("code", "source"),
    [
        (b"RATE = 666\n", b"RATE = 1\n"),
        (b"RATE = 1\nimport os\n", b"RATE = 1\n"),
        (b"def f(): return 1\n", b"def f(): return 2\n"),
        (b"\nRATE = 1\n", b"RATE = 1\n"),
        (b"RATE = 1\n", b"RATE = 1.0\n"),
    ],
)
def test_a_build_of_another_source_is_refused(code: bytes, source: bytes) -> None:
    """What people would read is not what would run: `source-mismatch`, status 400."""
    with pytest.raises(SwapError) as caught:
        images.check_sources(loaded(build(code, "shop.rates", "shop/rates.py", False), source), besides=None)
    assert (caught.value.code, caught.value.info.status) == ("source-mismatch", 400)


def test_a_source_that_does_not_compile_is_refused() -> None:
    """Neither is one that has no code at all."""
    good = build(b"RATE = 1\n", "shop.rates", "shop/rates.py", False)
    with pytest.raises(SwapError) as caught:
        images.check_sources(loaded(good, b"def"), besides=None)
    assert caught.value.code == "source-mismatch"


@pytest.mark.parametrize("verify", [True, False])
def test_a_follower_compares_where_it_is_wanted(world: World, verify: bool) -> None:
    """On, a release of a trusted key with code of another source is not taken; off, its signature is enough."""
    world.record(other_code(world))
    world.node.verify_source = verify
    if verify:
        with pytest.raises(SwapError) as caught:
            follower.catch_up(world.node)
        assert caught.value.code == "source-mismatch" and world.swapper.live == {}
    else:
        follower.catch_up(world.node)
        assert world.node.running_seq == 1
