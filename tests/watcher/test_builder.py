"""The warm build process: right bytes, named problems, restarts, limits, a clean end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from habanero_py.builder import Builder
from habanero_py.errors import SyntaxFoundError, ToolError
from habanero_py.interpreter import find_python
from habanero_receiver.release.statement import PythonTag
from habanero_receiver.swap.building.modulecode import main_code

HERE = PythonTag.current()


@dataclass(frozen=True)
class Text:
    name: str
    source: bytes
    package: bool = False

    @property
    def path(self) -> str:
        return self.name.replace(".", "/") + ("/__init__.py" if self.package else ".py")


SHOP = [Text("shop", b"", package=True), Text("shop.cart", b"def total():\n    return 1\n")]


@pytest.fixture
def builder() -> Iterator[Builder]:
    with Builder(Path(sys.executable), HERE) as builder:
        yield builder


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def fake(path: Path, script: str) -> Path:
    """A program in the place of an interpreter, which greets as ours would and then does as the script says."""
    hello = f'{{"implementation": "{HERE.implementation}", "cache_tag": "{HERE.cache_tag}", "magic": {HERE.magic}}}'
    path.write_text(f"#!/bin/sh\necho '{hello}'\n{script}\n")
    path.chmod(0o755)
    return path


def test_builds_are_those_of_the_build_module(builder: Builder) -> None:
    """By name; every module of the request, byte for byte what one process of its own makes."""
    builds = builder.build(SHOP)
    assert list(builds) == ["shop", "shop.cart"]
    code = main_code(builds["shop.cart"].code, "/srv/shop/cart.py")
    assert code.co_filename == "/srv/shop/cart.py"
    assert builder.build(SHOP) == builds


def test_nothing_to_build_starts_nothing(builder: Builder) -> None:
    """A push of deletions alone needs no interpreter."""
    assert builder.build([]) == {}
    assert builder.pid is None


def test_the_process_stays_warm(builder: Builder) -> None:
    """One process for all saves, there before the first."""
    builder.start()
    first = builder.pid
    builder.build(SHOP)
    builder.build(SHOP)
    assert builder.pid == first


def test_the_optimize_level_is_the_servers() -> None:
    """-O code for an -O server: asserts are gone."""
    source = [Text("shop", b"def f():\n    assert unknown\n")]
    with Builder(Path(sys.executable), HERE._replace(optimize=1)) as builder:
        code = main_code(builder.build(source)["shop"].code, "x")
    scope: dict[str, object] = {}
    exec(code, scope)
    assert scope["f"]() is None  # type: ignore[operator]  # the function above


def test_every_syntax_error_is_told_and_the_builder_lives_on(builder: Builder) -> None:
    """With path, line, column and text; the good modules of the request do not hide the bad ones."""
    with pytest.raises(SyntaxFoundError) as caught:
        builder.build([*SHOP, Text("shop.a", b"x = (\n"), Text("shop.b", b"\x00"), Text("shop.c", b"def f(:\n")])
    first, second, third = caught.value.problems
    assert (first.path, first.line, first.column, first.text) == ("shop/a.py", 1, 5, "x = (")
    assert (second.path, third.path) == ("shop/b.py", "shop/c.py")
    pid = builder.pid
    assert len(builder.build(SHOP)) == 2
    assert builder.pid == pid


def test_warnings_of_the_compiler_do_not_disturb_the_answer(builder: Builder) -> None:
    """An odd escape is compiled, and says nothing."""
    assert builder.build([Text("shop", b"x = '\\d'\n")])


def test_a_builder_that_died_is_started_again(builder: Builder) -> None:
    """Killed between two saves: the second one does not notice."""
    builder.start()
    first = builder.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert len(builder.build(SHOP)) == 2
    assert builder.pid not in (first, None)


def test_threads_take_turns(builder: Builder) -> None:
    """Answers never get mixed up."""
    sources = [[Text(f"m{n}", f"NAME = {n}\n".encode() * n)] for n in range(1, 21)]
    with ThreadPoolExecutor(4) as pool:
        for n, builds in enumerate(pool.map(builder.build, sources), 1):
            scope: dict[str, object] = {}
            exec(main_code(builds[f"m{n}"].code, "x"), scope)
            assert scope["NAME"] == n


def test_many_modules_are_one_request(builder: Builder) -> None:
    """More than any pipe holds, both ways."""
    source = b"def f():\n    return 'x'\n" * 400
    builds = builder.build([Text(f"m{n}", source) for n in range(60)])
    assert len(builds) == 60


def test_closing_ends_the_process_and_can_be_undone() -> None:
    """No process is left; a later build starts another."""
    builder = Builder(Path(sys.executable), HERE)
    builder.start()
    first = builder.pid
    assert first is not None
    builder.close()
    builder.close()
    assert not alive(first)
    assert builder.pid is None
    assert builder.build(SHOP)
    builder.close()


def test_a_builder_that_dies_at_every_build_is_an_error(tmp_path: Path) -> None:
    """It is tried once more and then named, with its last words; nothing was sent."""
    python = fake(
        tmp_path / "python", f"echo started >> {tmp_path}/starts; read line; echo 'out of memory' >&2; exit 1"
    )
    with Builder(python, HERE) as builder, pytest.raises(ToolError, match="out of memory; nothing was sent") as caught:
        builder.build(SHOP)
    assert caught.value.code == "builder-failed"
    assert "shop and 1 more" in caught.value.message
    assert (tmp_path / "starts").read_text().split() == ["started", "started"]


def test_a_builder_that_hangs_is_ended_with_its_child(tmp_path: Path) -> None:
    """At its time limit, although a child holds the pipes; it is not tried again."""
    python = fake(tmp_path / "python", f"read line; sleep 600 & echo $! > {tmp_path}/child; wait")
    started = time.monotonic()
    with Builder(python, HERE, timeout_s=0.5) as builder, pytest.raises(ToolError, match=r"longer than 0\.5 s"):
        builder.build(SHOP)
    assert time.monotonic() - started < 20
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 20
    while alive(child) and not is_zombie(child) and time.monotonic() < deadline:
        os.sched_yield()
    assert not alive(child) or is_zombie(child)


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    "answer",
    [
        "nonsense",
        "[]",
        "{}",
        '{"modules": []}',
        '{"modules": [{"code": 3, "units": 9}, {}]}',
        '{"modules": [{"code": 1}, {}]}',
        '{"modules": [{"code": -1, "units": 1}, {}]}',
        '{"modules": [1, 2]}',
    ],
)
def test_nonsense_is_never_taken_for_a_build(tmp_path: Path, answer: str) -> None:
    """Neither other words nor fewer bytes than announced."""
    python = fake(tmp_path / "python", f"read line; echo '{answer}'; printf abc")
    with Builder(python, HERE) as builder, pytest.raises(ToolError) as caught:
        builder.build(SHOP)
    assert caught.value.code == "builder-failed"


def test_another_python_than_the_servers_is_refused() -> None:
    """Even when it was found by the right name: what it says at its start counts."""
    with pytest.raises(ToolError, match="builds for") as caught:
        Builder(Path(sys.executable), HERE._replace(magic=HERE.magic + 1)).start()
    assert caught.value.code == "builder-failed"


@pytest.mark.parametrize(("cache_tag", "magic"), [("cpython-311", 3495), ("cpython-312", 3531), ("cpython-313", 3571)])
def test_other_versions_on_this_machine_build_their_own_bytecode(cache_tag: str, magic: int) -> None:
    """A laptop on one version serves a server on another: the bytecode is the server's."""
    tag = PythonTag("cpython", cache_tag, magic, 0)
    try:
        python = find_python(tag)
    except ToolError:
        pytest.skip(f"no {cache_tag} on this machine")
    with Builder(python, tag) as builder:
        builds = builder.build(SHOP)
        assert len(builds) == 2
        # What only some versions can read is judged by the one that counts.
        nested = [Text("shop", b"""x = f"{'a' + "b"}"\n""")]
        if magic >= 3531:
            assert builder.build(nested)
        else:
            with pytest.raises(SyntaxFoundError):
                builder.build(nested)


@pytest.mark.parametrize("program", ["/no/such/python", "/bin/false"])
def test_a_python_that_does_not_start_is_named(program: str) -> None:
    """Missing, or gone at once."""
    with pytest.raises(ToolError, match=rf"{program} .*nothing was built") as caught:
        Builder(Path(program), HERE).build(SHOP)
    assert caught.value.subject == program
