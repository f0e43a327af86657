"""Booting, in real processes: what code runs after a start, whatever happened to the bucket before it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
from deployment import Deployment, Key

from habanero_receiver.swap.building.units import EncodedBuild

SOURCES = {
    "shop/__init__.py": "",
    "shop/pricing.py": "PRICE = 1\n",
    "shop/old.py": "AGE = 99\n",
    "shop/data.txt": "a file beside the code",
}
PRICE = "import shop.pricing; print(shop.pricing.PRICE)"
FIRST_IMPORT = "from habanero_receiver import Receiver\n"


@pytest.fixture
def app(tmp_path):
    return Deployment(tmp_path, SOURCES)


@pytest.fixture(params=["launcher", "first import"])
def start(request, app):
    """Start Python code in the app, in both of the ways that boot."""

    def run(code: str, **more) -> subprocess.CompletedProcess[str]:
        code = textwrap.dedent(code)
        if request.param == "launcher":
            return app.start("-c", code, **more)
        return app.start("-c", FIRST_IMPORT + code, launcher=False, **more)

    return run


def test_an_app_without_releases_runs_its_base(app, start):
    """A server that nobody has pushed to runs what lies on disk, and nothing is created by looking."""
    assert start(PRICE).stdout == "1\n"
    assert not app.bucket_folder.exists()


def test_the_newest_release_is_imported(app, start):
    """New code of an old module, a new module, a new package and its module, a module in a folder that is not there."""
    app.push({"shop.pricing": "PRICE = 2\n"})
    app.push({
        "shop.pricing": "PRICE = 3\nfrom shop import fresh",
        "shop.fresh": "from .more.inner import NAME",
        "shop.more": "KIND = 'package'",
        "shop.more.inner": "from . import KIND\nNAME = __name__ + ' in a ' + KIND",
        "shop.bare.folder.deep": "DEPTH = 3",
    })  # fmt: skip
    code = f"{PRICE}; print(shop.fresh.NAME); import shop.bare.folder.deep as d; print(d.DEPTH)"
    assert start(code).stdout == "3\nshop.more.inner in a package\n3\n"


def test_a_deleted_module_is_gone(app, start):
    """Its import fails as that of any missing module does, in every form of import."""
    app.push({"shop.old": None})
    code = """
        import importlib
        for statement in ("import shop.old", "from shop import old", "from shop.old import AGE",
                          "importlib.import_module('shop.old')"):
            try:
                exec(statement)
            except ImportError as error:
                print(type(error).__name__, error.name)
    """
    assert start(code).stdout.split("\n")[:-1] == [
        "ModuleNotFoundError shop.old",
        "ImportError shop",
        "ModuleNotFoundError shop.old",
        "ModuleNotFoundError shop.old",
    ]


def test_another_base_starts_clean(app, start):
    """An edited file is a new deployment: its journal is empty, so the release over the old one is not laid over it."""
    app.push({"shop.pricing": "PRICE = 2\n"})
    assert start(PRICE).stdout == "2\n"
    app.write("shop/old.py", "AGE = 100\n")
    done = start(PRICE)
    assert (done.stdout, done.stderr) == ("1\n", "")
    app.write("shop/old.py", "AGE = 99\n")
    assert start(PRICE).stdout == "2\n"


def test_tracebacks_and_inspect_show_the_release(app, start):
    """Changed modules and new ones show the source that runs, although the disk has another or none."""
    source = """\
        # moved down by a comment
        def price(cents):
            return cents / 0  # \N{EURO SIGN} as the release has it
    """
    app.push({"shop.pricing": source, "shop.fresh": source})
    code = """
        import inspect, linecache, traceback
        import shop.pricing, shop.fresh
        for module in (shop.pricing, shop.fresh):
            try:
                module.price(1)
            except ZeroDivisionError as error:
                frame = traceback.extract_tb(error.__traceback__)[-1]
                print(frame.lineno, frame.line, frame.filename == module.__file__)
            linecache.checkcache()
            print(inspect.getsource(module.price).splitlines()[-1])
            print(inspect.getsource(module).splitlines()[0], module.__loader__.get_source(module.__name__)[:7])
    """
    line = "return cents / 0  # € as the release has it"
    expected = [f"3 {line} True", f"    {line}", "# moved down by a comment # moved"]
    done = start(code, PYTHONIOENCODING="utf-8")
    assert done.stdout.splitlines() == expected * 2


def test_modules_are_as_from_disk_in_all_else(app, start):
    """`__file__`, `__path__`, package data, reloading, and running a module with -m see what they always saw."""
    app.push({"shop": "NEW = True\n", "shop.pricing": "PRICE = 2\nif __name__ == '__main__': print('as a program')\n"})
    code = """
        import importlib, importlib.resources, os, pkgutil, runpy, sys
        import shop, shop.pricing
        print(os.path.relpath(shop.__file__, os.getcwd()), [os.path.relpath(p, os.getcwd()) for p in shop.__path__])
        print(importlib.resources.files("shop").joinpath("data.txt").read_text())
        print(pkgutil.get_data("shop", "data.txt").decode())
        shop.pricing.PRICE = 0
        spec = importlib.util.find_spec("shop.pricing")
        print(importlib.reload(shop.pricing).PRICE, spec.origin == shop.pricing.__file__)
        del sys.modules["shop.pricing"]
        runpy.run_module("shop.pricing", run_name="__main__")
    """
    assert start(code).stdout.splitlines() == [
        "shop/__init__.py ['shop']", "a file beside the code", "a file beside the code", "2 True", "as a program",
    ]  # fmt: skip


SPAWN = """
    import multiprocessing, sys

    def main(method):
        import shop.worker
        context = multiprocessing.get_context(method)
        with context.Pool(1) as pool:
            print(method, pool.apply(shop.worker.price))

    if __name__ == "__main__":
        for method in sys.argv[1:]:
            main(method)
"""


def test_children_start_on_the_release(app):
    """Multiprocessing by spawn and by fork, Python as a subprocess in another folder, and the child of that."""
    app.push(
        {
            "shop.pricing": "PRICE = 2\n",
            "shop.worker": "def price():\n    import shop.pricing as p\n    return p.PRICE\n",
        }
    )
    elsewhere = app.write("scripts/main.py", FIRST_IMPORT + textwrap.dedent(SPAWN))
    assert app.start("-m", "scripts.main", "spawn", "fork", launcher=False).stdout == "spawn 2\nfork 2\n"
    assert app.start(str(elsewhere), "spawn", launcher=True, PYTHONPATH=str(app.root)).stdout == "spawn 2\n"
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PRICE!r}], cwd='/', check=True)"
    grandchild = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], cwd='/', check=True)"
    for done in (
        app.start("-c", grandchild, PYTHONPATH=str(app.root)),
        app.start("-c", FIRST_IMPORT + grandchild, launcher=False, PYTHONPATH=str(app.root)),
    ):
        assert done.stdout == "2\n"


def test_a_child_that_starts_later_starts_on_what_is_newest_then(app):
    """A recycled worker does not come back on the release that its parent had started on."""
    app.push({"shop.pricing": "PRICE = 2\n"})
    code = f"""
        import subprocess, sys
        for _ in range(2):
            sys.stdin.readline()
            subprocess.run([sys.executable, "-c", {PRICE!r}], check=True)
    """
    words = [sys.executable, "-m", "habanero_receiver", "run", "--", sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(
        words, cwd=app.root, env=app.environ(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        for price in ("2\n", "3\n"):
            parent.stdin.write("go\n")
            assert parent.stdout.readline() == price
            if price == "2\n":
                app.push({"shop.pricing": "PRICE = 3\n"})
    assert parent.returncode == 0


def break_bucket(app: Deployment, how: str) -> None:
    """Push release 1, which is good, and release 2 with something wrong."""
    app.push({"shop.pricing": "PRICE = 2\n"})
    if how == "stranger":
        app.push({"shop.pricing": "PRICE = 666\n"}, key=Key())
        return
    if how == "other base":
        app.push({"shop.pricing": "PRICE = 666\n"}, base="sha256:" + "0" * 64)
        return
    app.push({"shop.pricing": "PRICE = 666\n"})
    entry = app.manifest().modules["shop.pricing"]
    assert entry is not None
    if how == "torn":
        app.entry_file(2).write_bytes(app.entry_file(2).read_bytes()[:100])
    elif how == "blob missing":
        app.blob_file(entry.code.sha256).unlink()
    elif how == "blob corrupt":
        app.blob_file(entry.code.sha256).write_bytes(b"\xff" * entry.code.size)
    elif how == "format":
        (app.folder / "format.json").write_text('{"version": 2}')
    elif how == "a file":
        app.bucket_folder.rename(app.bucket_folder.with_name("away"))
        app.bucket_folder.write_text("not a folder")


@pytest.mark.parametrize(
    ("how", "runs", "code"),
    [
        ("stranger", "2", "unauthorized"),
        ("other base", "2", "base-mismatch"),
        ("torn", "2", "json"),
        ("blob missing", "1", "blob-missing"),
        ("blob corrupt", "1", "store-corrupt"),
        ("format", "1", "store-format"),
        ("a file", "1", "store"),
    ],
)
def test_a_broken_bucket_never_runs_what_cannot_be_verified(app, how, runs, code):
    """The newest release that can be verified runs, or else the base, and it is said; or no start, when required."""
    break_bucket(app, how)
    done = app.start("-c", PRICE)
    assert done.stdout == f"{runs}\n"
    assert f"error[{code}]" in done.stderr
    assert ("release 1 runs" if runs == "2" else "the code on disk, without any release, runs") in done.stderr
    refused = app.start("-c", PRICE, status=2, HABANERO_BOOT="require")
    assert refused.stdout == ""
    assert refused.stderr.startswith(f"error[{code}]")
    assert "nothing was started" in refused.stderr
    refused = app.start("-c", FIRST_IMPORT + PRICE, launcher=False, status=1, HABANERO_BOOT="require")
    assert refused.stdout == ""


def test_a_missing_bucket_is_said_and_can_be_required(app, start):
    """Nothing was pushed yet, or a volume is not mounted: nobody but the operator can know, so both are named.

    The first start of every server is one of these, so it is a warning and not an error.
    """
    done = start(PRICE)
    assert done.stdout == "1\n"
    assert "warning[store-missing]" in done.stderr and "error" not in done.stderr
    assert "before the first push" in done.stderr
    assert "not mounted" in done.stderr
    refused = start(PRICE, status=None, HABANERO_BOOT="require")
    assert refused.returncode != 0
    assert refused.stdout == ""
    app.bucket_folder.mkdir()
    assert start(PRICE, HABANERO_BOOT="require").stderr == ""


def test_a_bucket_of_another_user_is_refused_always(app):
    """Not only when a head is required: a setting is wrong, and what is in the bucket is somebody else's."""
    if os.geteuid() != 0:
        pytest.skip("needs to give a folder to another user")
    app.push({"shop.pricing": "PRICE = 2\n"})
    os.chown(app.bucket_folder, 12345, -1)
    refused = app.start("-c", PRICE, status=2)
    assert refused.stderr.startswith("error[bucket-owner]")
    assert refused.stdout == ""


def test_a_release_is_not_laid_over_code_that_lies_elsewhere(app, tmp_path):
    """The process imports its package from a folder that is not the base: no release, loudly; refused when required."""
    app.push({"shop.pricing": "PRICE = 2\n"})
    other = Deployment(tmp_path / "other", {**SOURCES, "shop/pricing.py": "PRICE = 7\n"})
    code = f"import sys; sys.path.insert(0, {str(other.root)!r}); {PRICE}"
    done = app.start("-c", code)
    assert done.stdout == "7\n"
    assert "error[misplaced]" in done.stderr
    assert str(other.root) in done.stderr
    assert "HABANERO_ROOT" in done.stderr
    refused = app.start("-c", code, status=1, HABANERO_BOOT="require")
    assert refused.stdout == ""


def test_a_root_reached_through_a_link_is_the_same_code(app, tmp_path):
    """`current` pointing at the deployed folder is how many servers are laid out."""
    app.push({"shop.pricing": "PRICE = 2\n"})
    (tmp_path / "current").symlink_to(app.root)
    done = app.start("-c", PRICE, cwd=tmp_path / "current", PYTHONPATH=str(tmp_path / "current"))
    assert (done.stdout, done.stderr) == ("2\n", "")


def test_boot_is_once_and_tells_what_it_did(app):
    """The same value from every call; the head, the base, the bucket's journal, and no import of the app."""
    app.push({"shop.pricing": "PRICE = 2\n"})
    code = """
        import json, sys
        from habanero_receiver import boot
        booted = boot.current()
        assert booted is boot.boot_from_env() is boot.boot(booted.config)
        assert sum(type(finder).__name__ == "Overlay" for finder in sys.meta_path) == 1
        print(json.dumps([booted.head.seq, booted.head.digest, booted.base.digest, list(booted.overlay.images),
                          booted.statement.author, booted.trouble, "shop" in sys.modules]))
    """
    assert json.loads(app.start("-c", textwrap.dedent(code)).stdout) == [
        1, app.head.digest, app.base.digest, ["shop.pricing"], "ana@laptop", None, False,
    ]  # fmt: skip


def test_nothing_is_unmarshalled_before_it_is_imported(app, start):
    """A build that is none breaks the import of its own module, as an ImportError that names it, and nothing else."""
    app.builds["shop.old"] = EncodedBuild(b"signed, and no build at all", b"nor units")
    app.push({"shop.pricing": "PRICE = 2\n", "shop.old": "AGE = 2\n"})
    code = f"""
        {PRICE}
        try:
            import shop.old
        except ImportError as error:
            print(error.name, error)
    """
    assert start(code).stdout == "2\nshop.old the build of shop.old cannot be loaded: not a build of this format\n"


def test_a_start_is_whole_at_whatever_moment_the_server_is_killed(app):
    """Ten times killed while pushing: each start runs the journal's last release, never two modules of two releases."""
    numbers = []
    for kill in range(10):
        pid = os.fork()
        if pid == 0:
            try:
                number = app.head.seq
                while True:
                    number += 1
                    app.push({"shop.pricing": f"PRICE = {number}\n", "shop.old": f"AGE = {number}\n"})
            finally:
                os._exit(1)
        while not app.entry_file(app.head.seq + 3).exists():
            os.sched_yield()
        for _ in range(kill * 500):  # some microseconds, so that kills land in every step of a push
            pass
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        done = app.start("-c", "import shop.pricing, shop.old; print(shop.pricing.PRICE, shop.old.AGE)")
        assert done.stderr == ""
        price, age = map(int, done.stdout.split())
        assert price == age
        assert app.entry_file(price).exists()
        assert not app.entry_file(price + 1).exists()
        numbers.append(price)
        catch_up(app, price)
    assert numbers == sorted(set(numbers))


def catch_up(app: Deployment, seq: int) -> None:
    """Take over the journal as the killed writer left it."""
    from habanero_receiver.journal.head import find_head

    found = find_head(app.journal, app.policy(), app.base.digest)
    assert found.head.seq == seq
    app.head = found.head
