"""Other code is deployed under a running watch: nothing is pushed that was neither saved nor asked for."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest
from fake_receiver import FakeReceiver
from sites import PRICING, make_site
from watched import Stage, play

from habanero_py import events as e
from habanero_receiver.errors import HabaneroError
from habanero_receiver.journal.base import Base


@pytest.fixture
def redeploy(receiver: FakeReceiver):
    """Puts other code on the server, as a deployment does."""

    def act(**sources: str) -> None:
        for name, text in sources.items():
            (receiver.base.root / f"shop/{name}.py").write_text(text)
        receiver.base = Base.scan(receiver.base.root, ["shop"])
        receiver.entries.clear()

    return act


def test_the_first_save_is_held_and_so_are_those_after_it(ana, redeploy) -> None:
    """Not a terminal: what differs is shown, nothing is sent, and the help says how to go on."""

    async def acts(stage: Stage) -> None:
        redeploy(cart="def total():\n    return 'deployed'\n", taxes="TAX = 1\n")
        for number in (1, 2):
            ana.write("shop/pricing.py", f"x = {number}\n")
            moved = await stage.until(e.Redeployed)
            assert moved.saved == ("shop.pricing",)
            assert moved.more == ("shop.cart: changed", "shop.taxes: deleted")
            refused = await stage.until(e.Refused)
            assert (refused.code, refused.exit) == ("redeployed", 4)
            assert "push --once" in refused.help
        assert not ana.receiver.entries
        assert ana.session().pusher.push() == 0, "who asks for all of it gets it"
        ana.write("shop/pricing.py", "x = 3\n")
        await stage.until(e.Live)

    play(ana, acts, push_first=False)
    assert ana.receiver.overlay()["shop.pricing"] == "x = 3\n"


def test_a_save_that_is_all_that_differs_goes_on(ana, redeploy) -> None:
    """The deployment holds everything else: the save is compared anew and pushed, in the same go."""

    async def acts(stage: Stage) -> None:
        ana.write("shop/cart.py", "x = 1\n")
        await stage.until(e.Live)
        redeploy(cart="x = 1\n")
        ana.write("shop/pricing.py", "x = 2\n")
        assert (await stage.until(e.Redeployed)).more == ()
        assert (await stage.until(e.Live)).push == 1

    play(ana, acts, push_first=False)
    assert ana.receiver.overlay() == {"shop.pricing": "x = 2\n"}


def test_a_person_is_asked_once_for_each_deployment(ana, redeploy) -> None:
    """No holds it, yes pushes all of it, and after a yes nobody is asked again."""
    asked: list[e.Redeployed] = []
    answers = iter([False, True])

    async def acts(stage: Stage) -> None:
        stage.session.go_on = lambda moved: (asked.append(moved), next(answers))[1]
        redeploy(cart="def total():\n    return 'deployed'\n")
        ana.write("shop/pricing.py", "x = 1\n")
        assert (await stage.until(e.Refused)).code == "redeployed"
        ana.write("shop/pricing.py", "x = 2\n")
        await stage.until(e.Live)
        ana.write("shop/pricing.py", "x = 3\n")
        await stage.until(e.Live)

    play(ana, acts, push_first=False)
    assert len(asked) == 2
    assert set(ana.receiver.overlay()) == {"shop.pricing", "shop.cart"}


def test_a_deployment_that_was_noticed_before_the_save_counts_too(ana, redeploy) -> None:
    """The status key reads the new base; the save after it is held all the same."""

    async def acts(stage: Stage) -> None:
        redeploy(cart="def total():\n    return 'deployed'\n")
        stage.watch._pressed("s")
        await stage.until(e.Status)
        ana.write("shop/pricing.py", "x = 1\n")
        assert (await stage.until(e.Refused)).code == "redeployed"

    play(ana, acts, push_first=False)
    assert not ana.receiver.entries


def test_an_undo_or_a_deliberate_push_of_everything_is_compared_with_the_new_base(ana, redeploy) -> None:
    """A release of this session does not come back by itself over the new deployment."""
    session = ana.session()
    ana.write("shop/pricing.py", "x = 1\n")
    assert session.pusher.push() == 0
    redeploy(cart="def total():\n    return 'deployed'\n")
    ana.write("shop/pricing.py", "x = 2\n")
    with pytest.raises(HabaneroError) as error:
        session.pusher.push()
    assert error.value.code == "redeployed"
    assert not ana.receiver.entries


def test_a_real_server_started_anew_on_other_code(tmp_path: Path, private_config: Path) -> None:
    """The watch goes on over the restart: one save is held, and one after the tree was brought forward is pushed."""
    site = make_site(tmp_path)
    deployed = site.deployed / "shop/pricing.py"

    async def acts(stage: Stage) -> None:
        site.save(PRICING.replace("amount * 2", "amount * 3"))
        await stage.until(e.Live)
        await asyncio.to_thread(served.close)
        # Of another length: within one second, Python takes a file of the same size for the one it has bytecode of.
        deployed.write_text(PRICING.replace("amount * 2", "amount * (2 + 2)"))
        (site.deployed / "shop/taxes.py").write_text("TAX = 1\n")
        await asyncio.to_thread(served.enter_context, site.serve())
        (site.laptop / "shop/cart.py").write_text("SIZE = 1\n")
        moved = await stage.until(e.Redeployed)
        assert (moved.saved, moved.more) == (("shop.cart",), ("shop.pricing: changed", "shop.taxes: deleted"))
        assert (await stage.until(e.Refused)).code == "redeployed"
        assert site.price()["price"] == 40
        stage.watch._paused = True  # as a `git pull` of what was deployed, in two files
        site.save(deployed.read_text())
        (site.laptop / "shop/taxes.py").write_text("TAX = 1\n")
        stage.watch._paused = False
        (site.laptop / "shop/cart.py").write_text("SIZE = 2\n")
        assert (await stage.until(e.Live)).push == 1

    with ExitStack() as served:
        served.enter_context(site.serve())
        play(site, acts, push_first=False)
        assert site.price()["price"] == 40
        [release] = site.command("log")
        assert release["modules"] == ["shop.cart"]
