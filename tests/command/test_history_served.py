"""Looking back at a real server of three workers: log, show, diff, drift, status, rollback and verify in one story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving import wait_until
from sites import PRICING, Site, make_site


@pytest.fixture
def site(tmp_path: Path, private_config: Path, run_git: Callable[..., str]) -> Iterator[Site]:
    """The laptop's tree under git, HEAD as deployed, three workers."""
    site = make_site(tmp_path)
    (site.laptop / ".gitignore").write_text(".habanero\n__pycache__\n")
    run_git(site.laptop, "init", "-q")
    run_git(site.laptop, "add", "-A")
    run_git(site.laptop, "commit", "-qm", "as deployed")
    with site.serve(workers=3):
        yield site


def test_from_a_save_to_a_verified_rollback(site: Site, run_git: Callable[..., str]) -> None:
    """What was pushed is told with commit, gate and workers, shown, compared, drifts until committed, and goes back."""
    assert site.command("drift")[-1]["modules"] == []
    site.save(PRICING.replace("amount * 2", "amount * 3"))
    (site.laptop / "shop/taxes.py").write_text("TAX = 1\n")
    site.command("push", "--once")
    commit = run_git(site.laptop, "rev-parse", "HEAD")

    [drift] = site.command("drift", code=9)
    assert {module["module"]: module["words"] for module in drift["modules"]} == {
        "shop.pricing": ["uncommitted"],
        "shop.taxes": ["uncommitted"],
    }
    run_git(site.laptop, "add", "-A")
    run_git(site.laptop, "commit", "-qm", "three")
    assert site.command("drift")[-1]["modules"] == []

    def noted() -> bool:  # the server notes it beside the answer to the push
        [release] = site.command("log")
        return [(machine["applied"], machine["workers"]) for machine in release["confirmed"]] == [(3, 3)]

    wait_until(noted, what=lambda: site.command("log"))
    [release] = site.command("log", "-n", "1")
    assert (release["git"], release["dirty"], release["author"]) == (commit, True, "ana@laptop")
    assert (release["gate_exit"], release["gate_summary"]) == (0, "1 passed")
    assert release["modules"] == ["shop.pricing", "shop.taxes"]

    [shown] = site.command("show", "1")
    assert {module["module"]: module["change"] for module in shown["modules"]} == {
        "shop.pricing": "changed",
        "shop.taxes": "added",
    }
    diffs = {event["module"]: event["diff"] for event in site.command("diff", "0", "1")}
    assert "-    return amount * 2\n+    return amount * 3\n" in diffs["shop.pricing"]
    assert diffs["shop.taxes"].startswith("--- /dev/null\n+++ #1/shop/taxes.py\n")

    site.command("rollback", "0", "--yes")
    assert site.command("status", "-w")[-1]["in_step"] is True
    assert site.command("diff", "0", "2")[-1]["event"] == "notice"
    [verdict] = site.command("verify")
    assert (verdict["workers"], verdict["releases"], verdict["deviating"]) == (3, 2, [])
    assert verdict["compared"] >= 3 * 2
    [drift] = site.command("drift", code=9)
    words = {module["path"]: module["words"] for module in drift["modules"]}
    assert words == {
        "shop/pricing.py": ["differs-from-head", "differs-from-tree"],
        "shop/taxes.py": ["not-in-production"],
    }
