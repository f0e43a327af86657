"""Parsing in a process where other threads parse."""

import sys
import threading
from collections.abc import Iterator

import pytest

from habanero_receiver.swap.building.parsing import parse

SOURCE = "\n".join(f"def f{i}(a=2, *, b=2):\n    return (a, [b for b in range(3)])" for i in range(150))


@pytest.fixture
def eager_switches() -> Iterator[None]:
    """Threads that take turns far more often than by default."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


class _Finalized:
    """A cycle whose finalizer runs bytecode: a collection in the middle of a parse lets another thread run."""

    def __init__(self) -> None:
        self.cycle = self

    def __del__(self) -> None:
        for _ in range(10):
            pass


@pytest.mark.usefixtures("eager_switches")
def test_threads_that_parse_at_once_all_get_their_trees() -> None:
    """What parses alone parses beside three others (on 3.11, `ast.parse` itself fails here about once in ten)."""
    sizes: list[int] = []

    def run() -> None:
        for _ in range(20):
            for _ in range(5):
                _Finalized()
            sizes.append(len(parse(SOURCE).body))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [150] * 80


def test_a_syntax_error_is_the_sources_own() -> None:
    """Trying again hides nothing that the source is to blame for."""
    with pytest.raises(SyntaxError, match="invalid syntax"):
        parse("def f(:")
