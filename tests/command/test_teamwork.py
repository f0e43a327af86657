"""Two people on one deployment: nobody takes back what the other one pushed without knowing it."""

from __future__ import annotations

import pytest

from habanero_py.foreign import question
from habanero_receiver.errors import HabaneroError

BOBS = "def price():\n    return 'bob'\n"


@pytest.fixture
def bob(join, ana):
    """Bob has pushed his version of shop.pricing."""
    bob = join("bob")
    bob.write("shop/pricing.py", BOBS)
    assert bob.session().pusher.push() == 0
    return bob


def test_a_module_that_somebody_else_pushed_is_not_replaced_silently(ana, bob) -> None:
    """Ana's tree never held Bob's version: her push names it and is not sent."""
    ana.write("shop/cart.py", "x = 1\n")
    with pytest.raises(HabaneroError) as error:
        ana.session().pusher.push()
    assert error.value.code == "would-overwrite"
    assert error.value.subject == "shop.pricing"
    assert "bob@laptop" in error.value.message
    assert "--yes" in error.value.help
    assert ana.receiver.overlay() == {"shop.pricing": BOBS}


def test_a_person_who_was_asked_may_replace_it(ana, bob) -> None:
    """The question names who and what; yes sends the push."""
    asked = []
    session = ana.session()
    session.approve = lambda found: asked.append(question(found)) is None
    ana.write("shop/pricing.py", "x = 1\n")
    assert session.pusher.push() == 0
    assert asked == ["bob@laptop pushed shop.pricing in #1, which your tree never held. Replace it?"]
    assert ana.receiver.overlay() == {"shop.pricing": "x = 1\n"}


def test_a_tree_that_has_held_the_version_may_go_on_from_it(ana, bob) -> None:
    """Seen in this session: saved as Bob's, then changed."""
    session = ana.session()
    ana.write("shop/pricing.py", BOBS)
    session.pusher.push()
    ana.write("shop/pricing.py", "def price():\n    return 'both'\n")
    assert session.pusher.push() == 0


def test_a_version_in_the_history_of_git_counts_as_held(ana, bob, run_git) -> None:
    """Pulled, then changed: the commit under HEAD holds Bob's version."""
    run_git(ana.root, "init", "-q")
    ana.write("shop/pricing.py", BOBS)
    run_git(ana.root, "add", "-A")
    run_git(ana.root, "commit", "-qm", "bob's")
    ana.write("shop/pricing.py", "def price():\n    return 'both'\n")
    assert ana.session().pusher.push() == 0


def test_modules_that_only_i_changed_need_no_question(ana, bob) -> None:
    """Bob pushed last, but not the module that is in question."""
    ana.write("shop/pricing.py", BOBS)
    ana.write("shop/cart.py", "x = 1\n")
    session = ana.session()
    assert session.pusher.push() == 0
    bob.write("shop/cart.py", "x = 1\n")
    bob.write("shop/pricing.py", "x = 3\n")
    assert bob.session().pusher.push() == 0
    ana.write("shop/pricing.py", "x = 3\n")
    ana.write("shop/cart.py", "x = 2\n")
    assert session.pusher.push() == 0


def test_what_my_project_does_not_watch_is_carried_on(ana, join) -> None:
    """One project of a deployment keeps the other project's released modules."""
    bob = join("bob")
    object.__setattr__(ana.receiver.policy, "allowed_modules", frozenset({"shop", "lib"}))
    bob.write("lib/__init__.py", "x = 1\n")
    assert bob.session(watch=("lib",)).pusher.push() == 0
    ana.write("shop/pricing.py", "x = 1\n")
    assert ana.session().pusher.push() == 0
    assert ana.receiver.overlay() == {"lib": "x = 1\n", "shop.pricing": "x = 1\n"}
