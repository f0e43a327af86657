"""The name of deployed code: built twice, built with other code, and written down when an image is built."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from deployment import Deployment

from habanero_receiver.errors import ConflictError
from habanero_receiver.journal import baked
from habanero_receiver.journal.base import Base

SOURCES = {"shop/__init__.py": "", "shop/pricing.py": "PRICE = 1\n", "shop/old.py": "AGE = 99\n"}
PRICE = "import shop.pricing; print(shop.pricing.PRICE)"


@pytest.fixture
def app(tmp_path):
    deployment = Deployment(tmp_path, SOURCES)
    deployment.push({"shop.pricing": "PRICE = 2\n"})
    return deployment


def command(app: Deployment, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run it as a Dockerfile does: no keys, no target, no bucket."""
    environ = {name: value for name, value in app.environ().items() if not name.startswith("HABANERO")}
    done = subprocess.run(
        [sys.executable, "-m", "habanero_receiver", "fingerprint", *words], cwd=app.root,
        env={**environ, "HABANERO_MODULES": "shop"}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done


def write(app: Deployment) -> Path:
    assert command(app, "--write", "base.json").stdout == f"{app.base.digest}\n"
    return app.root / "base.json"


def run(app: Deployment) -> subprocess.CompletedProcess[str]:
    return app.start("-c", PRICE, HABANERO_FINGERPRINT="base.json")


def test_the_same_code_built_twice_keeps_its_releases(app):
    """Another folder, other times, other file numbers: the same base, on its release."""
    again = app.root.with_name("again")
    shutil.copytree(app.root / "shop", again / "shop", copy_function=shutil.copyfile)
    assert Base.scan(again, ["shop"]).digest == app.base.digest
    assert app.start("-c", PRICE, cwd=again).stdout == "2\n"


def test_other_code_under_the_same_name_starts_clean(app):
    """An image `latest` that was built anew with one more line has another base."""
    app.write("shop/old.py", "AGE = 99\n\n")
    assert app.start("-c", PRICE).stdout == "1\n"


def test_what_was_written_down_is_the_base(app):
    """A start with the file comes to the same base as one without, and says nothing."""
    file = write(app)
    found = baked.read(file, app.root, ["shop"])
    assert isinstance(found, Base)
    assert (found.digest, dict(found.modules)) == (app.base.digest, dict(app.base.modules))
    done = run(app)
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_an_image_that_keeps_whole_seconds_is_recognised(app):
    """Layers of images drop the fraction of a file's time."""
    write(app)
    for module in app.base.modules.values():
        whole = os.stat(module.file).st_mtime_ns // 10**9 * 10**9
        os.utime(module.file, ns=(whole, whole))
    assert run(app).stderr == ""


def edit(app: Deployment) -> None:
    app.write("shop/old.py", "AGE = 98\n")  # of the same size


def add(app: Deployment) -> None:
    app.write("shop/new.py", "X = 1\n")


def remove(app: Deployment) -> None:
    (app.root / "shop" / "old.py").unlink()


def to_package(app: Deployment) -> None:
    (app.root / "shop" / "old").mkdir()
    (app.root / "shop" / "old.py").rename(app.root / "shop" / "old" / "__init__.py")


@pytest.mark.parametrize("change", [edit, add, remove, to_package])
def test_a_file_that_is_out_of_date_is_found_out(app, change):
    """Anything that makes it another base: the sources are read, it is said, and no release lands on other code."""
    write(app)
    change(app)
    done = run(app)
    assert done.stdout == "1\n"
    assert "every source is read" in done.stderr


@pytest.mark.parametrize("how", ["missing", "not JSON", "a list", "other version", "digest", "epoch"])
def test_a_file_that_cannot_be_believed_is_not(app, how):
    """Damaged, of another version, with a digest that is none, or of files whose times say nothing."""
    file = write(app)
    written = json.loads(file.read_text())
    if how == "missing":
        file.unlink()
    elif how == "epoch":
        for module in app.base.modules.values():
            os.utime(module.file, ns=(0, 0))
        write(app)
    else:
        written["modules"]["shop.old"][2] = "no digest"
        texts = {"not JSON": "{", "a list": "[]", "other version": '{"version": 2}'}
        file.write_text(texts.get(how, json.dumps(written)))
    done = run(app)
    assert done.stdout == "2\n"
    assert "every source is read" in done.stderr


def test_what_was_changed_with_size_and_time_kept_does_not_get_to_serve(app):
    """Nobody can see it in the folder; whoever reads the source does, and that is before a receiver serves."""
    file = write(app)
    old = app.root / "shop" / "old.py"
    at = old.stat().st_mtime_ns
    edit(app)
    os.utime(old, ns=(at, at))
    found = baked.read(file, app.root, ["shop"])
    assert isinstance(found, Base)
    with pytest.raises(ConflictError, match="after its digest was noted"):
        found.source("shop.old")
    serving = f"{PRICE}; from habanero_receiver import Receiver; Receiver.from_env().start()"
    done = app.start("-c", serving, status=1, HABANERO_FINGERPRINT="base.json")
    assert "after its digest was noted" in done.stderr


def test_the_command_says_what_is_wrong(app):
    """Unknown words and a folder that is not there; nothing is written."""
    assert "error[usage]" in command(app, "--wrong", status=2).stderr
    assert "error[bad-setting]" in command(app, "--write", "no/such/folder", status=2).stderr
