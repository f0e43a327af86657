"""The modules of a release, from the journal and from what is at hand."""

from __future__ import annotations

import pytest
from deployment import Deployment

from habanero_receiver.errors import ConflictError, HabaneroError, RequestError, StoreError
from habanero_receiver.journal.head import find_head
from habanero_receiver.journal.images import AtHand, load_images
from habanero_receiver.release.statement import Statement


@pytest.fixture
def app(tmp_path):
    deployment = Deployment(tmp_path, {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 1\n"})
    deployment.push({"shop.pricing": "PRICE = 2\n"})
    return deployment


def newest(app: Deployment) -> Statement:
    statement = find_head(app.journal, app.policy(), app.base.digest).statement
    assert statement is not None
    return statement


def test_the_overlay_is_loaded_whole(app):
    """Every module with its file, source and build; a deleted one as None."""
    app.push({"shop.new": "X = 1\n", "shop.pricing": None})
    manifest, images = load_images(app.journal, newest(app), app.policy(), app.root)
    assert set(manifest.modules) == {"shop.new", "shop.pricing"}
    assert images["shop.pricing"] is None
    new = images["shop.new"]
    assert new is not None
    assert (new.name, new.package, new.filename, new.source) == (
        "shop.new",
        False,
        str(app.root / "shop/new.py"),
        b"X = 1\n",
    )


@pytest.mark.parametrize("how", ["missing", "other bytes", "cut", "longer"])
@pytest.mark.parametrize("which", ["manifest", "source", "code", "units"])
def test_a_blob_that_is_not_right_loads_nothing(app, which, how):
    """One wrong byte anywhere, and there is no overlay at all."""
    statement = newest(app)
    entry = app.manifest().modules["shop.pricing"]
    assert entry is not None
    digest = statement.manifest_digest[7:] if which == "manifest" else getattr(entry, which).sha256
    file = app.blob_file(digest)
    data = file.read_bytes()
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes({"other bytes": bytes(len(data)), "cut": data[:-1], "longer": data + b"x" * 10**7}[how])
    with pytest.raises(StoreError) as caught:
        load_images(app.journal, statement, app.policy(), app.root)
    assert caught.value.code == ("blob-missing" if how == "missing" else "store-corrupt")


def test_modules_outside_the_allowed_packages_are_not_loaded(app):
    """A release that was good for a wider list is not good for this one."""
    app.write("other.py", "")
    statement = newest(app)
    policy = Deployment(app.root.parent, {"lib/__init__.py": ""}, ["lib"]).config().policy()
    with pytest.raises(HabaneroError) as caught:
        load_images(app.journal, statement, policy, app.root)
    assert caught.value.code == "module-not-allowed"


def test_a_release_for_another_python_is_not_loaded(app):
    """Its bytecode could crash this process: the server's Python was exchanged, the release waits for a new push."""
    python = app.policy().python
    app.push({}, python=type(python)(python.implementation, "cpython-399", 9999, python.optimize))
    with pytest.raises(ConflictError) as caught:
        load_images(app.journal, newest(app), app.policy(), app.root)
    assert caught.value.code == "python-mismatch"


def test_what_is_at_hand_is_not_read_again(app):
    """What came with a push, and an unchanged module of the release before, need no bucket."""
    manifest, images = load_images(app.journal, newest(app), app.policy(), app.root)
    entry = manifest.modules["shop.pricing"]
    blobs = {ref.sha256: app.journal.get_blob(ref.sha256, ref.size) for ref in entry.refs}
    for file in app.bucket_folder.glob("v1/blobs/sha256/*/*"):
        file.unlink()
    pushed = AtHand(manifest=manifest, blobs=blobs)
    found, same = load_images(app.journal, newest(app), app.policy(), app.root, pushed)
    assert found == manifest and same.keys() == images.keys()
    for part in ("package", "filename", "source", "code", "units"):
        assert getattr(same["shop.pricing"], part) == getattr(images["shop.pricing"], part)
    known = AtHand(manifest=manifest, before=manifest, images=images)
    again = load_images(app.journal, newest(app), app.policy(), app.root, known)[1]
    assert again["shop.pricing"] is images["shop.pricing"]


def test_a_blob_at_hand_is_judged_like_any_other(app):
    """That it came with a push does not make it what the manifest names."""
    manifest, _ = load_images(app.journal, newest(app), app.policy(), app.root)
    wrong = AtHand(manifest=manifest, blobs={manifest.modules["shop.pricing"].code.sha256: b"other bytes"})
    with pytest.raises(RequestError) as caught:
        load_images(app.journal, newest(app), app.policy(), app.root, wrong)
    assert caught.value.code == "blob-digest"


def test_a_module_that_changed_is_not_taken_from_before(app):
    """Only the very entry of the release before stands for its image."""
    before, images = load_images(app.journal, newest(app), app.policy(), app.root)
    app.push({"shop.pricing": "PRICE = 3\n"})
    at_hand = AtHand(before=before, images=images)
    loaded = load_images(app.journal, newest(app), app.policy(), app.root, at_hand)[1]["shop.pricing"]
    assert loaded is not None and loaded.source == b"PRICE = 3\n"
