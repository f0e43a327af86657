"""After a cold deployment `status` says which released modules it holds already, and which it took back."""

from __future__ import annotations

import hashlib
from pathlib import Path

from sites import PRICING, make_site

from habanero_py import events as e
from habanero_py.deployed import compare
from habanero_py.remote import BaseModule
from habanero_py.remote_journal import Previous
from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def entry(source: str) -> ModuleEntry:
    return ModuleEntry(False, BlobRef(sha(source), len(source)), BlobRef(sha("code"), 4), BlobRef(sha("units"), 5))


def previous(**modules: ModuleEntry | None) -> Previous:
    data = Manifest({f"shop.{name}": found for name, found in modules.items()}).encode()
    return Previous("sha256:" + "a" * 64, 7, f"sha256:{hashlib.sha256(data).hexdigest()}", data)


def base(**sources: str) -> dict[str, BaseModule]:
    return {f"shop.{name}": BaseModule(False, f"shop/{name}.py", sha(text)) for name, text in sources.items()}


def test_a_module_is_in_the_base_as_it_was_released_or_not() -> None:
    """The same source, an empty file, a deletion that was deployed; another source, a module that came back."""
    last = previous(
        same=entry("x = 1\n"), empty=entry("\n"), gone=None,
        other=entry("x = 1\n"), missing=entry("x = 1\n"), back=None,
    )  # fmt: skip
    found = compare(last, base(same="x = 1\n", empty="", other="x = 2\n", back="x = 1\n", more="x = 1\n"))
    assert found == e.Deployed(
        last.base, 7, ("shop.empty", "shop.gone", "shop.same"), ("shop.back", "shop.missing", "shop.other")
    )


def test_a_manifest_that_is_gone_or_another_one_says_nothing() -> None:
    """It comes from a bucket."""
    last = previous(same=entry("x = 1\n"))
    for manifest in (None, b"{}", last.manifest and last.manifest[:-1]):
        assert compare(Previous(last.base, 7, last.manifest_digest, manifest), base()) is None


def test_status_tells_what_a_deployment_holds_of_the_releases_before_it(tmp_path: Path, private_config: Path) -> None:
    """Two modules were released; the deployment has one of them: until something is pushed, status says so."""
    site = make_site(tmp_path)
    with site.serve():
        assert "deployed" not in site.command("status")[0], "nothing was deployed before"
        site.save(PRICING.replace("amount * 2", "amount * 3"))
        (site.laptop / "shop/taxes.py").write_text("TAX = 1\n")
        site.command("push", "--once")
    (site.deployed / "shop/taxes.py").write_text("TAX = 1\n")
    with site.serve():
        [status] = site.command("status")
        assert (status["deployed"]["push"], status["deployed"]["already"]) == (1, ["shop.taxes"])
        assert status["deployed"]["lost"] == ["shop.pricing"]
        assert site.price()["price"] == 20
        site.command("push", "--once")
        assert site.price()["price"] == 30 and "deployed" not in site.command("status")[0]
