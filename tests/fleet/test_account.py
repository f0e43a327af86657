"""The log's account of a swap: all that the report says, and what may surprise as a warning with its reason."""

from __future__ import annotations

import logging

import pytest

from habanero_receiver.fleet import account
from habanero_receiver.swap import SwapReport

log = logging.getLogger("habanero.test_account")


def test_every_part_of_a_report_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Per module one line; what is stale or doubled is a warning with a reason, its own if it has one."""
    report = SwapReport()
    cart = report.of("shop.cart")
    cart.patched, cart.run, cart.removed = ["total", "Cart.add"], ["RATE ="], ["old"]
    cart.migrated, cart.kept = ["Cart: 3"], 12
    cart.stale = ["CACHE =", "inner (it keeps its old code: m has no value)"]
    cart.doubled = ["ROUTES: '/b'"]
    with caplog.at_level(logging.INFO, log.name):
        account.write(log, 7, report.to_json())
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "release 7 in shop.cart: patched total, Cart.add; run RATE =; removed old; migrated Cart: 3; kept 12"),
        ("WARNING", "release 7 in shop.cart: stale: CACHE = (was computed from what changed and was kept)"),
        ("WARNING", "release 7 in shop.cart: stale: inner (it keeps its old code: m has no value)"),
        ("WARNING", "release 7 in shop.cart: doubled: ROUTES: '/b' (was registered beside an older form)"),
    ]


def test_a_report_of_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """No module, no line."""
    with caplog.at_level(logging.INFO, log.name):
        account.write(log, 7, SwapReport().to_json())
    assert caplog.records == []
