"""What a start makes of freezes and roles in a bucket that somebody else could write to."""

from __future__ import annotations

from pathlib import Path

import pytest
from deployment import Deployment, Key

APP = {"shop/__init__.py": "", "shop/rates.py": "RATE = 1\n"}
PRINT = ("-c", "from shop import rates; print(rates.RATE)")


@pytest.fixture
def app(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path, APP)


def test_a_push_that_was_put_on_top_of_a_freeze_does_not_start(app: Deployment) -> None:
    """Signed by a trusted key and next in the chain, and refused: a start comes up with the frozen release."""
    app.push({"shop.rates": "RATE = 2\n"})
    app.push({}, kind="freeze", restores=1, reason="holidays")
    app.push({"shop.rates": "RATE = 3\n"})
    done = app.start(*PRINT)
    assert done.stdout == "2\n"
    assert "frozen" in done.stderr


def test_a_freeze_that_was_ended_starts_what_came_after_it(app: Deployment) -> None:
    """A rollback that keeps it, a clear that ends it, and a push again."""
    app.push({"shop.rates": "RATE = 2\n"})
    app.push({}, kind="freeze", restores=1)
    app.push({}, kind="rollback", restores=1, frozen=True)
    assert app.start(*PRINT).stdout == "2\n"
    app.push({}, kind="clear", restores=1)
    app.push({"shop.rates": "RATE = 3\n"})
    assert app.start(*PRINT).stdout == "3\n"


def test_a_role_for_going_back_starts_no_new_code(app: Deployment) -> None:
    """Who may only roll back, and can write to the bucket, brings back what was there and nothing else."""
    ben = Key("ben")
    lists = {
        "HABANERO_TRUSTED_KEYS": f"{app.key.line}\n{ben.line}",
        "HABANERO_ROLES": "ana push,rollback shop/test\nben rollback shop/test",
    }
    app.push({"shop.rates": "RATE = 2\n"})
    app.push({"shop.rates": "RATE = 3\n"})
    app.push({"shop.rates": "RATE = 2\n"}, key=ben, kind="rollback", restores=1)
    assert app.start(*PRINT, **lists).stdout == "2\n"
    app.push({"shop.rates": "RATE = 666\n"}, key=ben, kind="rollback", restores=1)
    done = app.start(*PRINT, **lists)
    assert done.stdout == "2\n"
    assert "restores-mismatch" in done.stderr


def test_a_push_by_who_may_only_read_does_not_start(app: Deployment) -> None:
    """Neither does one by a key that is listed for another place alone."""
    ben = Key("ben")
    app.push({"shop.rates": "RATE = 2\n"})
    app.push({"shop.rates": "RATE = 666\n"}, key=ben)
    both = f"{app.key.line}\n{ben.line}"
    for role in ("read shop/test", "push shop/staging"):
        roles = f"ana push shop/test\nben {role}"
        assert app.start(*PRINT, HABANERO_TRUSTED_KEYS=both, HABANERO_ROLES=roles).stdout == "2\n"


def test_a_head_takes_as_many_people_as_are_asked_for_today(app: Deployment) -> None:
    """Two people are asked for: what one signed before does not start, signed again by both it does."""
    ben = Key("ben")
    lists = {"HABANERO_TRUSTED_KEYS": f"{app.key.line}\n{ben.line}", "HABANERO_THRESHOLD": "2"}
    statement = app.push({"shop.rates": "RATE = 2\n"})
    assert app.start(*PRINT, **lists).stdout == "1\n"
    envelope = app.sign(statement).sign(ben.public.keyid, ben.private.sign)
    app.entry_file(1).write_bytes(envelope.encode())
    assert app.start(*PRINT, **lists).stdout == "2\n"
