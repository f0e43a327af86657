"""log, show and diff: the releases over a base as a person reads them."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest

from habanero_py import events as e
from habanero_py import versions
from habanero_py.commands.history import diff, log, show
from habanero_py.commands.writes import Consent, rollback
from habanero_py.render import JsonReader, LineReader
from habanero_py.render.text import UNICODE
from habanero_receiver.errors import HabaneroError

YES = Consent(yes=True, ask=None)


@pytest.fixture
def released(ana, run_git):
    """#1 changes pricing and adds rates, #2 deletes rates, #3 goes back to #1; under git, and past a gate."""
    run_git(ana.root, "init", "-q")
    run_git(ana.root, "add", "-A")
    run_git(ana.root, "commit", "-qm", "one")
    session = ana.session(gate="echo 3 passed")
    ana.write("shop/pricing.py", "def price():\n    return 2\n")
    ana.write("shop/rates.py", "RATE = 1\n")
    assert session.pusher.push() == 0
    (ana.root / "shop/rates.py").unlink()
    run_git(ana.root, "add", "-A")
    run_git(ana.root, "commit", "-qm", "two")
    assert session.pusher.push() == 0
    assert rollback(session, YES, 1) == 0
    ana.events.clear()
    return ana


def lines(laptop) -> str:
    """What was said, as a person reads it in a pipe."""
    out = io.StringIO()
    reader = LineReader(out, out, "production", UNICODE, lambda: datetime.now(UTC))
    for event in laptop.events:
        reader.show(event)
    return out.getvalue()


def test_log_tells_who_when_from_which_commit_past_which_gate_and_who_ran_it(released, run_git) -> None:
    """One entry each, newest first; --json has the same as fields."""
    commit = run_git(released.root, "rev-parse", "HEAD")
    assert log(released.session(), 20) == 0
    back, two, one = released.said(e.LogEntry)
    assert (back.push, back.kind, back.restores, back.gate, back.running) == (3, "rollback", 1, None, True)
    assert (two.push, two.git, two.dirty, two.modules) == (2, commit, False, ("shop.rates",))
    assert (one.dirty, one.modules) == (True, ("shop.pricing", "shop.rates"))
    assert (two.gate, two.gate_exit, two.author) == ("echo 3 passed", 0, "ana@laptop")
    assert two.confirmed == (e.Confirmation("box", 2, 2),)
    text = lines(released)
    assert commit[:10] in text
    assert "+dirty" in text
    assert "2/2 on box" in text
    out = io.StringIO()
    JsonReader(out).show(two)
    assert json.loads(out.getvalue())["confirmed"] == [{"machine": "box", "applied": 2, "workers": 2}]


def test_log_asks_by_the_page_and_not_by_the_release(released) -> None:
    """Manifests come along with the entries."""
    released.receiver.requests.clear()
    log(released.session(), 20)
    assert not [path for path in released.receiver.requests if "/blobs/" in path][1:], "the head's overlay alone"


def test_a_manifest_that_is_not_the_signed_one_is_not_believed(released) -> None:
    """What comes along with an entry is checked by its digest."""
    real = released.receiver._details
    released.receiver._details = lambda entry: real(entry) | {"manifest": "e30="}
    with pytest.raises(HabaneroError) as error:
        log(released.session(), 20)
    assert error.value.code == "unexpected-answer"


def test_show_tells_all_of_one_release(released) -> None:
    """What it says, who signed, each module with its digests and what it was before."""
    session = released.session()
    assert show(session, 2) == 0
    [shown] = released.said(e.Shown)
    assert shown.keyids == (session.signer.public.keyid,)
    changes = {module.module: module.change for module in shown.modules}
    assert changes == {"shop.pricing": "", "shop.rates": "deleted"}
    text = lines(released)
    assert "echo 3 passed" in text
    assert shown.digest in text
    assert show(session, 0) == 0
    [base] = released.said(e.ShownBase)
    assert set(base.modules) == {"shop", "shop.cart", "shop.pricing"}
    with pytest.raises(HabaneroError) as error:
        show(session, 9)
    assert error.value.code == "no-such-release"


def test_diff_shows_sources(released) -> None:
    """Of one release what it changed, of two what lies between them; the base's own sources come by signed reads."""
    session = released.session()
    assert diff(session, 0, 2) == 0
    [found] = released.said(e.ModuleDiff)
    assert (found.module, found.change) == ("shop.pricing", "changed")
    assert found.diff.splitlines() == [
        "--- base/shop/pricing.py", "+++ #2/shop/pricing.py", "@@ -1,2 +1,2 @@",
        " def price():", "-    return 1", "+    return 2",
    ]  # fmt: skip
    released.events.clear()
    diff(session, 2, None)
    [found] = released.said(e.ModuleDiff)
    assert (found.change, found.diff.splitlines()[:2]) == ("deleted", ["--- #1/shop/rates.py", "+++ /dev/null"])
    assert "-RATE = 1" in lines(released)
    released.events.clear()
    assert diff(session, 1, 3) == 0
    [same] = released.said(e.Notice)
    assert "same code" in same.text


def test_what_was_pruned_is_said_to_be_gone(released) -> None:
    """show, diff and rollback name the release; log goes on without its modules."""
    statement = released.session().pusher.releases.number(2).statement
    del released.receiver.blobs[statement.manifest_digest.removeprefix("sha256:")]
    for action in (lambda s: show(s, 2), lambda s: diff(s, 2, 0), lambda s: rollback(s, YES, 2)):
        with pytest.raises(HabaneroError) as error:
            action(released.session())
        assert (error.value.code, error.value.subject) == ("pruned", "#2")
    log(released.session(), 20)
    assert [entry.modules for entry in released.said(e.LogEntry)][1:] == [None, ("shop.pricing", "shop.rates")]
    assert "not known any more" in lines(released)
    released.events.clear()
    assert show(released.session(), 3) == 0
    [shown] = released.said(e.Shown)
    assert shown.entry.modules is None
    assert "#2 was pruned" in lines(released)
    assert len(released.receiver.entries) == 3


@pytest.mark.parametrize(
    ("old", "new", "last"),
    [(b"a\n", b"b", "\\ No newline at end of file"), (b"\xff\n", b"a\n", "+a"), (b"a\x0cb\n", b"a\n", "+a")],
)
def test_a_diff_of_odd_bytes_is_still_a_diff(old, new, last) -> None:
    """No newline at the end, bytes that are no UTF-8, form feeds."""
    assert versions.unified(old, new, "x", "y").splitlines()[-1].endswith(last)
