"""What a person, a pipe and a program are told: the same events, three readers."""

from __future__ import annotations

import io
import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from habanero_py import events as e
from habanero_py.render import text
from habanero_py.render.jsonl import JsonReader
from habanero_py.render.line import LineReader
from habanero_py.render.live import LiveReader

NOON = datetime(2026, 11, 21, 12, 4, 7, 210000, tzinfo=UTC)
WORKER = e.Worker(pid=7, running=42, since="2026-11-21T12:00:00+00:00", started="2026-11-20T10:00:00+00:00")
STATUS = e.Status(
    app="shop", environment="production", target="shop/production#1", base="sha256:" + "a" * 64, head=45,
    author="ana@laptop", issued="2026-11-21T12:00:00+00:00", in_step=True, same_code_as=42,
    machines=[e.Machine("box", [e.Worker(7, 45, WORKER.since, WORKER.started)])], now=NOON.isoformat(),
)  # fmt: skip
LIVE = e.Live(
    push=42, workers=12, seconds=0.31, total=0.95, units={"patched": 3, "run": 1}, stale=("shop.api: client",),
    doubled=("shop.api: shop.bus.PATHS: '/b'",),
)  # fmt: skip
SYNTAX = e.SyntaxFound("src/shop/cart.py", 48, 17, "'(' was never closed", "    total = sum(", 42)
GATE = e.GateFinished(False, "1 failed, 17 passed", 0.71, 42, "E  assert 90 == 80\n", ".habanero/gate.log")
REFUSED = e.Refused(
    code="swap-refused", message="class Order cannot gain a slot", exit=4, help="deploy with a restart", running=42,
    by_server=True, refusals=[{"module": "shop.models", "unit": "Order", "line": 14, "reason": "1204 live instances"}],
)  # fmt: skip
ENTRY = e.LogEntry(
    42, "push", NOON.isoformat(), "ana", ["shop.a"], "abc", True, "pytest", 0, "18 passed", None,
    (e.Confirmation("box", 1, 2),), True,
)  # fmt: skip
SHOWN = e.Shown(
    ENTRY, "sha256:" + "1" * 64, "sha256:" + "2" * 64, "sha256:" + "3" * 64, "sha256:" + "4" * 64, "cpython-313",
    NOON.isoformat(), ["SHA256:x"],
    [e.ShownModule("shop.a", "changed", "a" * 64, "b" * 64, 12, True)],
    NOON.isoformat(),
)  # fmt: skip
PROBLEM = e.Problem("not-next", "#2", "it follows another #1")
VERIFIED = e.Verified(
    3, 3, "sha256:" + "1" * 64, "sha256:" + "a" * 64, 3, 8, 1, ("ana",), 2, 5, 40, (PROBLEM,),
    (e.Problem("out-of-step", "box pid 8", "shop.a is that of #1"),), 0.2,
)  # fmt: skip
KEY = e.KeyRow(
    ("ana", "ana@desk"), "SHA256:x", "ssh-ed25519 AAAA", ("push", "read"), None, NOON.isoformat(), False, True
)
KEYS = e.Keys(
    "shop/production#1", "~/k", "SHA256:x", 2, (KEY, replace(KEY, keyid="SHA256:y", revoked=True, valid=False)),
    ("SHA256:z",), (e.RoleRow("ana", ("push",), ("shop/production",)), e.RoleRow("ben", ("read",), ("shop/staging",))),
    (("ana", "SHA256:" + "x" * 43),),
)  # fmt: skip
PENDING = e.Pending(43, "sha256:" + "1" * 64, ".habanero/pending/11.release", 1, 2, NOON.isoformat())
PENDING_SHOWN = e.PendingShown(
    43, "sha256:" + "1" * 64, "push", "shop/production#1", "sha256:" + "a" * 64, "sha256:" + "2" * 64, "ana@laptop",
    NOON.isoformat(), NOON.isoformat(), "4be1c0d", "pytest", 0, "18 passed", None, None, ("ana",), 2,
    (e.PendingModule("shop.a", "changed", 3, 1),), 1, NOON.isoformat(),
)  # fmt: skip
ERROR = e.ProductionError(
    42, "TypeError", "'NoneType' object is not subscriptable", "shop.pricing.price:7", "GET /price", "iad-6e82", 2217,
    3,
    "Traceback (most recent call last):\n  File \"/srv/shop/pricing.py\", line 7, in price\n    return missing[0]\n",
    NOON.isoformat(),
)  # fmt: skip
BACK = e.Worker(7, 41, WORKER.since, WORKER.started, "withdrawn: because", "condemned")
WITHDRAWAL = e.Withdrawal(42, 41, "5 errors out of its code within a minute", "iad-6e82", WORKER.since)
WITHDRAWN = e.Withdrawn(
    42, 41, WITHDRAWAL.reason, "iad-6e82", WITHDRAWAL.at, [e.Machine("iad-6e82", [BACK, replace(BACK, pid=8)])]
)
EVERY = [
    KEYS, PENDING, PENDING_SHOWN,
    e.Ready("shop", "production", 3, 12, 41, True, ["src/shop"], 214, ["pytest", "-q"], 60.0, "ana@laptop", "SHA256:x"),
    e.Changed(["shop/pricing.py"]), e.GateStarted("pytest -q"), e.GateFinished(True, "18 passed", 0.62, 41), GATE,
    e.GateAgain(["shop/cart.py"]), SYNTAX, e.Pushing(42, 41, 1, 2100), e.MachineStep("iad", 42, 4, 4),
    e.MachineStep("sjc", 42, 4, 3, ("pid 8: ImportError",)), LIVE, e.Unchanged(42), e.Unchanged(41, 42),
    REFUSED, ERROR, WITHDRAWN, e.OutOfStep(44, 12, 11),
    e.DryRun(43, 42, [{"module": "shop.a", "patched": ["f"], "run": [], "kept": 4, "refused": []}], 0.1),
    e.Notice("going on"), STATUS, ENTRY,
    SHOWN, e.ShownBase("sha256:" + "a" * 64, {"shop": "b" * 64}), replace(STATUS, waiting=True),
    e.Drift(3, 5, (e.Drifted("shop.a", "shop/a.py", ("uncommitted",), "a" * 64, None, "a" * 64),)),
    e.Explained("dirty", "Undo failed", 500, 6, "It could not be undone.", "Restart it.", "Because."),
    e.Pruned(True, 30, 10, (1, 2), (e.OldBase("sha256:" + "d" * 64, 3, NOON.isoformat()),), 12),
    VERIFIED, e.Redeployed("sha256:" + "c" * 64, ("shop.a",), ("shop.b: deleted",)),
    e.ModuleDiff("shop.a", "#1", "#2", "changed", "--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n"),
    e.RollbackPlan(44, 42, ["shop.api"], "ana@laptop", NOON.isoformat()), e.Check("clock", False, "late", "set it"),
    e.Initialised("a/b#c", "~/k", "SHA256:x", True, ["pyproject.toml"], {"HABANERO_TARGET": "a"}, ["import x"], "p"),
]  # fmt: skip


def lines(*events: e.Event, symbols: text.Symbols = text.UNICODE) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    reader = LineReader(out, err, "production", symbols, lambda: NOON)
    for event in events:
        reader.show(event)
    return out.getvalue(), err.getvalue()


def live(*events: e.Event, width: int = 100) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, highlight=False, soft_wrap=True, width=width, color_system=None)
    reader = LiveReader(console, "production", text.UNICODE, lambda: NOON)
    for event in events:
        reader.show(event)
    reader.close()
    return text.clean(out.getvalue())


def test_every_kind_of_event_is_in_these_tests() -> None:
    """A new event must be shown by all readers: it is added to the list above."""
    kinds = {kind for kind in vars(e).values() if isinstance(kind, type) and issubclass(kind, e.Event)}
    assert {type(event) for event in EVERY} == kinds - {e.Event}


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.EVENT)
def test_every_reader_shows_every_event(event: e.Event) -> None:
    """A person sees words and no Python; a program sees one object with the event's name."""
    for shown in ("".join(lines(event)), live(event)):
        assert "dataclass" not in shown
        assert type(event).__name__ + "(" not in shown
    assert "".join(lines(event))
    out = io.StringIO()
    JsonReader(out, lambda: NOON).show(event)
    assert out.getvalue().count("\n") == 1
    said = json.loads(out.getvalue())
    assert (said["v"], said["t"], said["event"]) == (1, "2026-11-21T12:04:07.210Z", event.EVENT)


def test_a_person_sees_who_may_do_what() -> None:
    """The own key is marked, a revoked one cannot be overlooked, and what somebody may elsewhere is told apart."""
    shown = lines(KEYS)[0]
    mine, revoked = [line for line in shown.split("\n") if "SHA256:" in line][:2]
    assert mine.startswith("*") and "push, read" in mine and "until" in mine
    assert "REVOKED" in revoked and "NOT NOW" in revoked
    assert "2 people sign a release" in shown
    assert "SHA256:z (not listed)" in shown
    assert "ben: read at shop/staging" in shown
    assert "everything" in lines(replace(KEYS, roles=None))[0]


def test_a_person_sees_that_nothing_changed_yet() -> None:
    """A release that waits says for how many, until when, and what to do."""
    shown = lines(PENDING)[0]
    assert "signed by 1 of 2" in shown and "nothing has changed yet" in shown and "habanero-py sign" in shown
    looked = lines(PENDING_SHOWN)[0]
    for word in ("ana@laptop", "shop/production#1", "18 passed", "it takes 2", "+3", "-1", "1 build made again here"):
        assert word in looked


def test_a_freeze_and_a_head_in_doubt_are_in_the_status() -> None:
    """With the reason of the one and the way out of both."""
    shown = lines(replace(STATUS, frozen=True, reason="holidays", trusted=False))[0]
    assert "FROZEN: holidays" in shown and "unfreeze" in shown
    assert "sign --head" in shown


def test_a_success_is_two_lines_at_a_terminal() -> None:
    """The change, and what became of it."""
    shown = live(e.Changed(["shop/pricing.py"]), e.Pushing(42, 41, 1, 2100), e.MachineStep("box", 42, 12, 12), LIVE)
    first, second, stale, doubled = shown.strip().split("\n")
    assert first.endswith("shop/pricing.py")
    assert second.strip() == "✔ live #42 on 12/12 workers 0.95 s   3 functions, 1 statement run"
    assert "stale: shop.api: client" in stale
    assert "doubled: shop.api: shop.bus.PATHS: '/b'" in doubled


def test_a_success_is_a_line_for_each_event_in_a_pipe() -> None:
    """With its time, on standard output; nothing on standard error."""
    out, err = lines(e.Changed(["shop/pricing.py"]), e.Pushing(42, 41, 1, 2100), LIVE)
    *events, stale, doubled = out.splitlines()
    assert [line.partition(" ")[2] for line in events] == [
        "change  shop/pricing.py",
        "push    #42 over #41 1 module 2.1 kB",
        "live    #42 12/12 0.31s 3 functions, 1 statement run",
    ]
    assert stale.strip() == "stale: shop.api: client (it was computed from what changed and was kept)"
    assert doubled.strip() == "doubled: shop.api: shop.bus.PATHS: '/b' (it was registered beside an older form)"
    assert err == ""


def test_a_stale_value_with_a_reason_of_its_own() -> None:
    """The engine's reason is told, and no other beside it."""
    entry = "shop.api: make.<locals>.inner (it keeps its old code: its new code reads m)"
    assert f"stale: {entry}\n" in lines(replace(LIVE, stale=(entry,)))[0]
    assert entry in live(replace(LIVE, stale=(entry,))).replace("\n", "")


def test_a_syntax_error_has_its_place_and_a_caret() -> None:
    """And says what still runs."""
    _, err = lines(SYNTAX)
    assert err.splitlines() == [
        "error[syntax]: '(' was never closed",
        "  --> src/shop/cart.py:48:17",
        "   |",
        "48 |     total = sum(",
        "   |                 ^",
        "          production unchanged: still #42",
    ]


@pytest.mark.parametrize("event", [GATE, SYNTAX, REFUSED])
def test_every_failure_says_what_still_runs(event: e.Event) -> None:
    """In a pipe and at a terminal."""
    assert "production unchanged: still #42" in lines(event)[1]
    assert "production unchanged: still #42" in live(event)


def test_what_the_pushed_code_raised_is_shown() -> None:
    """The server's traceback of the user's own code, line for line."""
    raised = e.Refused("rolled-back", "raised", 5, running=42, by_server=True, traceback="Traceback:\n  boom\n")
    assert "  | Traceback:\n  |   boom\n" in lines(raised)[1]
    assert "boom" in live(raised)


def test_the_end_of_a_long_gate_is_shown() -> None:
    """And how much there was before."""
    output = "".join(f"line {number}\n" for number in range(100))
    _, err = lines(e.GateFinished(False, "failed", 0.7, 42, output, "gate.log"))
    assert "60 lines before" in err
    assert "line 99" in err
    assert "line 59\n" not in err


def test_a_refused_swap_names_units_and_help() -> None:
    """The place of each, and what to do instead."""
    _, err = lines(REFUSED)
    assert "error[swap-refused]: class Order cannot gain a slot" in err
    assert "--> shop.models:14  Order: 1204 live instances" in err
    assert "help: deploy with a restart" in err


def test_a_refusal_says_nothing_twice() -> None:
    """A reason that the message gives is not repeated beside its place, and a unit's own help stands for all."""
    unit = {"module": "shop.models", "unit": "Order", "line": 14, "reason": "gains a slot", "help": "restart for it"}
    other = unit | {"unit": "Cart", "line": 30, "reason": "has another metaclass"}
    other["live"] = "class shop.models.Cart, 3 living instances"
    event = e.Refused(
        code="swap-refused", message="shop.models: Order: gains a slot", exit=4, help="deploy with a restart",
        running=42, by_server=True, refusals=[unit, other],
    )  # fmt: skip
    _, err = lines(event)
    assert err.count("gains a slot") == 1
    assert "--> shop.models:30  Cart: has another metaclass\n" in err
    assert "      alive: class shop.models.Cart, 3 living instances\n" in err
    assert err.count("help:") == err.count("help: restart for it") == 1


@pytest.mark.parametrize("event", EVERY, ids=lambda event: event.EVENT)
def test_outside_text_cannot_steer_a_terminal(event: e.Event) -> None:
    """Escape sequences in whatever field arrive as plain text or not at all."""
    evil = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e[bold red]x\r"

    def poison(value: object) -> object:
        if isinstance(value, str):
            return value + evil
        if isinstance(value, e.Machine):
            return e.Machine(poison(value.machine), [e.Worker(7, 42, evil, evil, evil)])  # type: ignore[arg-type]
        if isinstance(value, dict):
            return {key: poison(item) for key, item in value.items()}
        return [poison(item) for item in value] if isinstance(value, list | tuple) else value

    poisoned = type(event)(**{name: poison(getattr(event, name)) for name in (field.name for field in fields(event))})
    out, err = lines(poisoned)
    assert not set(out + err) & set("\x1b\x07\x9b\u202e\r")
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, highlight=False, soft_wrap=True, color_system=None)
    LiveReader(console, "production", text.UNICODE, lambda: NOON).show(poisoned)
    assert "owned\x07" not in shown.getvalue()
    assert "\x1b[2J" not in shown.getvalue()


def test_without_utf8_the_marks_are_ascii() -> None:
    """As in a plain C locale."""
    assert text.symbols_for("ascii") is text.symbols_for(None) is text.ASCII
    assert text.symbols_for("utf-8") is text.UNICODE
    out, _ = lines(e.GateFinished(True, "18 passed", 0.6, 41), symbols=text.ASCII)
    assert "gate    ok 18 passed" in out


def test_long_lines_are_not_wrapped() -> None:
    """A terminal's width cuts nothing in two."""
    path = "shop/" + "x" * 150 + ".py"
    assert path in live(e.Changed([path]), width=40)


def test_an_error_from_production_has_its_release_its_worker_and_its_source_line() -> None:
    """At a terminal with the time; in a pipe on standard error, with one line that it was on standard output."""
    out, err = lines(ERROR)
    assert out.partition(" ")[2] == "error   #42 TypeError in shop.pricing.price:7\n"
    assert err.splitlines() == [
        "✖ TypeError: 'NoneType' object is not subscriptable   #42 in production",
        "  --> shop.pricing.price:7   GET /price",
        "      iad-6e82 pid 2217, 3 times",
        "  | Traceback (most recent call last):",
        '  |   File "/srv/shop/pricing.py", line 7, in price',
        "  |     return missing[0]",
    ]
    assert live(ERROR).splitlines()[1:] == err.splitlines()[1:]


def test_a_withdrawal_says_why_and_what_runs_now() -> None:
    """Each machine, and the way on."""
    out, err = lines(WITHDRAWN)
    assert out.partition(" ")[2] == "back    #42 withdrawn, #41 runs\n"
    assert [line.strip() for line in err.splitlines()[:3]] == [
        "✖ #42 withdrawn: 5 errors out of its code within a minute",
        "iad-6e82  2/2 back at #41",
        "production: 2/2 workers at #41",
    ]
    assert "habanero-py clear" in err


def test_status_of_a_withdrawn_release_tells_it_once() -> None:
    """What is to run does, so all are in step; the reason is no failure of each worker."""
    machine = e.Machine("iad-6e82", [BACK, replace(BACK, pid=8)], "iad", 1)
    event = replace(STATUS, head=42, same_code_as=None, machines=[machine], withdrawn=WITHDRAWAL)
    shown = lines(event)[0].splitlines()
    assert shown[0] == "shop → production   #42 withdrawn, #41 runs   2/2 workers in step"
    assert shown[3] == "#42 withdrawn 4 min ago by iad-6e82: 5 errors out of its code within a minute"
    assert "because" not in "".join(shown)


def test_status_tells_regions_and_restarts() -> None:
    """A machine that came back says on what it started; one whose disk forgets says nothing."""
    workers = [e.Worker(7, 45, WORKER.since, WORKER.started, booted=45)]
    machines = [e.Machine("a", workers, "iad", 1), e.Machine("b", workers, "sjc", 0), e.Machine("c", workers)]
    shown = lines(replace(STATUS, machines=machines))[0].splitlines()
    assert shown[1].split() == ["MACHINE", "REGION", "WORKERS", "RUNNING", "SINCE", "UPTIME", "RESTARTS"]
    assert shown[2].split()[1] == "iad" and shown[2].endswith("  1 (re-applied #45 at boot)")
    assert shown[3].endswith("  0") and shown[4].split()[1] == "-" and shown[4].endswith("  -")


def test_status_of_a_new_deployment_says_what_it_holds() -> None:
    """What is in it already, and what it took back, with the way to bring it back."""
    event = replace(STATUS, head=0, deployed=e.Deployed("sha256:" + "d" * 64, 12, ("shop.a", "shop.b"), ("shop.c",)))
    shown = lines(event)[0].splitlines()
    assert shown[3:6] == [
        "deployed anew: #12, the last over base sha256:dddddddddddd, had 3 modules",
        "  already in base   shop.a, shop.b",
        "  NOT in base       shop.c",
    ]
    assert "habanero-py push" in shown[6]


def test_status_is_a_table() -> None:
    """A row for each machine; the worker that failed below its own."""
    machine = e.Machine("box", [WORKER, e.Worker(8, 41, WORKER.since, WORKER.started, "no such name")])
    event = e.Status(
        "shop", "production", "t", "sha256:" + "a" * 64, 42, "ana@laptop", WORKER.since, False, [machine],
        now=NOON.isoformat(),
    )  # fmt: skip
    out, _ = lines(event)
    assert out.splitlines() == [
        "shop → production   #42   1/2 workers OUT OF STEP",
        "MACHINE  WORKERS  RUNNING  SINCE     UPTIME   RESTARTS",
        f"box      1/2      #41 #42  {text.clock(WORKER.since, WORKER.since)}  1 d 2 h  -",
        "          pid 8 at #41: no such name",
        "base sha256:aaaaaaaaaaaa   head by ana@laptop, 4 min ago",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3700, "1 h 1 min"), (90_000, "1 d 1 h"), (-5, "0 s")],
)
def test_ages(seconds: int, words: str) -> None:
    """The largest parts of a span."""
    assert text.age(timedelta(seconds=seconds)) == words


def test_plurals_and_sizes() -> None:
    """For a person."""
    assert [text.count(1, "module"), text.count(2, "module"), text.count(2, "class")] == [
        "1 module",
        "2 modules",
        "2 classes",
    ]
    assert [text.size(812), text.size(2100), text.size(3_400_000)] == ["812 B", "2.1 kB", "3.4 MB"]
    assert text.names(["a", "b", "c", "d", "e"]) == "a, b, c, d and 1 more"
