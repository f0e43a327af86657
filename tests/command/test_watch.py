"""The watch: a push for each change, keys, and an end that leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import pty

import pytest
from watched import DEADLINE_S, Stage, play

from habanero_py import events as e
from habanero_py.commands.watch import Key, collapse
from habanero_py.keys import Keyboard
from habanero_py.settle import Settled
from habanero_py.snapshot import Snapshot


def settled(saved_at: float, *paths: str) -> Settled:
    return Settled(Snapshot({}), paths, (), saved_at)


def test_changes_that_wait_together_become_one() -> None:
    """The newest sources, all paths, the first one's time; keys stay, in their order."""
    first, second = settled(1.0, "b.py"), settled(2.0, "a.py")
    one, *keys = collapse([first, Key("s"), second, Key("r")])
    assert isinstance(one, Settled)
    assert one.snapshot is second.snapshot
    assert (one.paths, one.saved_at) == (("a.py", "b.py"), 1.0)
    assert keys == [Key("s"), Key("r")]
    assert collapse([Key("s"), None]) == [Key("s"), None]


def test_what_differs_goes_first_then_each_save(ana) -> None:
    """`push` sends what was changed before it began, and goes on watching."""
    ana.write("shop/pricing.py", "x = 1\n")

    async def acts(stage: Stage) -> None:
        assert (await stage.until(e.Live)).push == 1
        ana.write("shop/pricing.py", "x = 2\n")
        assert (await stage.until(e.Changed)).paths == ("shop/pricing.py",)
        assert (await stage.until(e.Live)).push == 2

    assert play(ana, acts) == 0
    assert ana.receiver.overlay() == {"shop.pricing": "x = 2\n"}


def test_watch_alone_waits_for_a_save(ana) -> None:
    """What was changed before is sent with the first save, not before it."""
    ana.write("shop/pricing.py", "x = 1\n")

    async def acts(stage: Stage) -> None:
        assert not ana.receiver.entries
        ana.write("shop/cart.py", "x = 2\n")
        await stage.until(e.Live)

    play(ana, acts, push_first=False)
    assert set(ana.receiver.overlay()) == {"shop.pricing", "shop.cart"}


def test_a_failure_does_not_end_the_watch(ana) -> None:
    """A syntax error, then a server that is away, then a good save that goes live."""

    async def acts(stage: Stage) -> None:
        await stage.until(e.Unchanged)
        ana.write("shop/pricing.py", "def price(:\n")
        await stage.until(e.SyntaxFound)
        ana.receiver.down = True
        ana.write("shop/pricing.py", "x = 1\n")
        assert (await stage.until(e.Refused)).code == "unreachable"
        ana.receiver.down = False
        ana.write("shop/pricing.py", "x = 2\n")
        await stage.until(e.Live)

    assert play(ana, acts) == 0


def test_the_keys(ana) -> None:
    """S shows the status, p holds pushes back until it is pressed again, r runs again."""

    async def acts(stage: Stage) -> None:
        await stage.until(e.Unchanged)
        stage.watch._pressed("s")
        await stage.until(e.Status)
        stage.watch._pressed("p")
        assert "paused" in (await stage.until(e.Notice)).text
        ana.write("shop/pricing.py", "x = 1\n")
        stage.watch._pressed("p")
        await stage.until(e.Live)
        stage.watch._pressed("r")
        await stage.until(e.Unchanged)
        stage.watch._pressed("q")

    assert play(ana, acts) == 0


def test_the_end_ends_a_running_gate(ana) -> None:
    """Ctrl-C under a gate of an hour: its processes are gone, nothing was pushed."""
    ana.write("shop/pricing.py", "x = 1\n")
    ana.write("gate.sh", "echo $$ > pid; exec sleep 3600\n")

    async def acts(stage: Stage) -> None:
        await stage.until(e.GateStarted)

    assert play(ana, acts, gate="sh gate.sh") == 0
    assert not ana.receiver.entries
    if (ana.root / "pid").exists() and (number := (ana.root / "pid").read_text().strip()):
        with pytest.raises(ProcessLookupError):
            os.kill(int(number), 0)


def test_a_target_that_wants_consent_gets_nothing_without_it(ana) -> None:
    """Nobody is there to ask: an error with help, and the watch goes on; with --yes it is pushed."""
    text = (ana.root / "pyproject.toml").read_text()
    (ana.root / "pyproject.toml").write_text(text + "confirm = true\n")
    ana.write("shop/pricing.py", "x = 1\n")

    async def refused(stage: Stage) -> None:
        assert (await stage.until(e.Refused)).code == "confirm"

    async def pushed(stage: Stage) -> None:
        await stage.until(e.Live)

    play(ana, refused)
    assert not ana.receiver.entries
    play(ana, pushed, yes=True)
    assert len(ana.receiver.entries) == 1


def test_a_terminal_is_given_back_as_it_was() -> None:
    """Keys come without Enter meanwhile; a question takes the next one for itself."""
    import termios

    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    pressed: asyncio.Queue[str] = asyncio.Queue()

    async def acts() -> None:
        with Keyboard(slave, pressed.put_nowait) as keyboard:
            os.write(master, b"s")
            async with asyncio.timeout(DEADLINE_S):
                assert await pressed.get() == "s"
                asked = asyncio.create_task(keyboard.ask())
                await asyncio.sleep(0)
                os.write(master, b"yr")
                assert await asked == "y"
                assert await pressed.get() == "r"
                asked = asyncio.create_task(keyboard.ask())
                await asyncio.sleep(0)
                keyboard.cancel()
                assert await asked == ""

    asyncio.run(acts())
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)
