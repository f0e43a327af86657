"""The list of rules in `trust` is the truth: each has its test, and the first that fails gives the answer."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from forging import ANA, NOW, STRANGER, Deployment, Forged, entry, flip_last, good_blobs, manifest_json, to_json
from hostile_pushes import CASES, seconds

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.trust import Head

ROOT = Path(__file__).parents[1]

HELD_BY: dict[tuple[int, str], str] = {
    (1, "envelope-size"): "envelope one byte too long",
    (2, "json, schema, …"): "envelope extra field",
    (3, "unauthorized"): "unknown key",
    (4, "payload-size, json, …"): "statement extra field",
    (5, "wrong-target"): "staging statement replayed to prod",
    (6, "role-missing"): "trust/test_people.py::test_an_entry_needs_the_role_of_its_kind",
    (7, "(already applied)"): "trust/test_pushes.py::test_the_head_once_more_is_no_error",
    (8, "base-mismatch"): "other base (new cold deploy)",
    (9, "not-next"): "seq 2^53 fast-forward",
    (10, "not-next"): "prev wrong (fork)",
    (11, "frozen"): "trust/test_people.py::test_nothing_follows_a_freeze_but_what_keeps_or_ends_it",
    (12, "window"): "window of 10 years",
    (13, "not-yet-valid"): "from the future",
    (14, "expired"): "expired",
    (15, "time-went-backwards"): "issued earlier than head",
    (16, "python-mismatch"): "wrong Python magic",
    (17, "restores-mismatch"): "trust/test_people.py::test_a_role_for_going_back_is_none_for_other_code",
    (18, "manifest-digest"): "manifest swapped (mix and match)",
    (19, "python-mismatch"): (
        "trust/test_entries.py::test_a_journal_outlives_the_python_that_it_was_made_for_but_nothing_of_it_is_loaded"
    ),
    (20, "schema, module-name…"): "module name '.shop'",
    (21, "module-not-allowed"): "module outside allow-list os",
    (22, "restores-mismatch"): "trust/test_people.py::test_a_role_for_going_back_is_none_for_other_code",
    (23, "blob-digest"): "blob digest mismatch",
}
"""Each rule of the docstring, with the hostile push of the table, or the test, that only it refuses."""


def listed() -> list[tuple[int, str]]:
    """The rules as they stand in the docstring: number and codes."""
    found = re.findall(r"^    ( ?\d+)  (.{22})", trust.__doc__ or "", re.MULTILINE)
    return [(int(number), codes.strip()) for number, codes in found]


def test_every_rule_has_its_test() -> None:
    """No rule is added, moved or removed without the list of what holds it."""
    assert listed() == list(HELD_BY)


@pytest.mark.parametrize(("rule", "held_by"), HELD_BY.items(), ids=str)
def test_the_test_of_a_rule_is_there(rule: tuple[int, str], held_by: str) -> None:
    """What is named exists, and a push of the table has a code of its rule."""
    if "::" in held_by:
        file, _, name = held_by.partition("::")
        tree = ast.parse((ROOT / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        return
    [case] = [case for case in CASES if case.what == held_by]
    assert case.code in re.split(r"[, …]+", rule[1]) or "…" in rule[1]


FAR = seconds(10 * 365 * 86_400)
"""What is wrong with a push that breaks everything, in the order of the rules: its code, and how it is broken."""
BROKEN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("envelope-size", {"padded": True}, {}),
    ("schema", {"envelope_changes": {"note": ""}}, {}),
    ("unauthorized", {"signers": (STRANGER,)}, {}),
    ("schema", {"statement": {"note": ""}}, {}),
    ("wrong-target", {}, {"target": "shop/staging#5f2c"}),
    ("base-mismatch", {}, {"base": "sha256:" + "00" * 32}),
    ("not-next", {}, {"seq": 99}),
    ("not-next", {}, {"prev": "sha256:" + "00" * 32}),
    ("window", {}, {"accept_until": FAR}),
    ("expired", {}, {"accept_until": seconds(-1)}),
    ("time-went-backwards", {}, {"issued": seconds(-3_500), "accept_until": seconds(60)}),
    ("python-mismatch", {}, {"python.magic": 1}),
    ("manifest-digest", {"sent_manifest": True}, {}),
    ("module-name", {"names": ("shop..x", "os")}, {}),
    ("module-not-allowed", {"names": ("os",)}, {}),
    ("blob-digest", {"blobs": [(name, flip_last(data)) for name, data in good_blobs().items()]}, {}),
]


def forged(mended: int) -> bytes:
    """A push that breaks every rule from number `mended` of the list on."""
    how: dict[str, Any] = {}
    predicate: dict[str, Any] = {"issued": seconds(0), "accept_until": seconds(60)}
    for _, changes, fields in reversed(BROKEN[mended:]):  # the earlier rule's breakage stands where two meet
        how |= changes
        predicate |= fields
    names, padded, swapped = how.pop("names", ()), how.pop("padded", False), how.pop("sent_manifest", False)
    modules = {**manifest_json()["modules"], **{name: entry(name) for name in names}}
    push = Forged(modules=modules, predicate=predicate, **how)
    if swapped:
        push.sent_manifest = push.the_manifest().replace(b"shop.cart", b"shop.carp")
    if padded:
        push.envelope = push.the_envelope().ljust(16_385)
    return push.body()


@pytest.mark.parametrize("mended", range(len(BROKEN)))
def test_the_first_rule_that_fails_gives_the_answer(mended: int) -> None:
    """A push that breaks this rule and every later one is told of this one: the order is the one that is written."""
    here = Deployment().but(head=Head(16, "sha256:" + "16" * 32, NOW - timedelta(seconds=3_499)))
    with pytest.raises(HabaneroError) as caught:
        here.receive(forged(mended))
    assert caught.value.code == BROKEN[mended][0]


def test_with_everything_mended_it_is_taken() -> None:
    """The ladder ends at a push that is right, so that every rung is about its own rule."""
    received = Deployment().receive(forged(len(BROKEN)))
    assert received.accepted.keyids == (ANA.keyid,) and to_json(manifest_json()) == Forged().the_manifest()
