"""A bucket on an object store and processes that fork: with deadlines, since what goes wrong there is to hang."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from deployment import Deployment
from faulty import always, faulty
from objectstores import ObjectStore

START = """
import multiprocessing, os, sys, threading
from habanero_receiver.journal.bucket import open_bucket

def use(bucket, name):
    assert bucket.create(f"v1/{name}", name.encode())
    assert not bucket.create(f"v1/{name}", b"other")
    assert bucket.get(f"v1/{name}", max_bytes=100) == name.encode()
    print(name, "library" if "obstore" in sys.modules else "aside", flush=True)

def forked(work):
    pid = os.fork()
    if pid == 0:
        work()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0

bucket = open_bucket(os.environ["HABANERO_BUCKET"])
"""


def run(script: str, s3: ObjectStore, url: str, timeout_s: float = 30) -> list[str]:
    """Run a script that uses the bucket; it has so long and no longer."""
    environ = {**os.environ, **s3.environ(), "HABANERO_BUCKET": url}
    words = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", START + textwrap.dedent(script)]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, timeout=timeout_s)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_parent_and_children_all_go_on_when_one_forks_between_uses(s3: ObjectStore) -> None:
    """Used, forked, used on both sides, forked again by the child: nobody hangs, and no child calls the library."""
    said = run(
        """
        use(bucket, "parent")
        def child():
            use(bucket, "child")
            forked(lambda: use(bucket, "grandchild"))
            use(bucket, "child-again")
        forked(child)
        use(bucket, "parent-again")
        """,
        s3,
        s3.make_bucket(),
    )
    assert [line.split()[0] for line in said] == ["parent", "child", "grandchild", "child-again", "parent-again"]


def test_a_child_forked_before_the_first_use_needs_no_other_process(s3: ObjectStore) -> None:
    """As a server's workers are: each has a client in itself."""
    said = run("forked(lambda: use(bucket, 'one')); forked(lambda: use(bucket, 'two'))", s3, s3.make_bucket())
    assert said == ["one library", "two library"]


def test_an_app_that_used_the_library_itself_before_it_forked_does_not_make_us_hang(s3: ObjectStore) -> None:
    """The library hangs in a child whoever used it in the parent; it is enough that it was loaded there."""
    said = run(
        """
        from habanero_receiver.journal.stores.address import parse
        from habanero_receiver.journal.stores.client import StoreClient
        theirs = StoreClient(parse(os.environ["HABANERO_BUCKET"], os.environ), os.environ)
        assert theirs.get("v1/x", max_bytes=1) is None
        forked(lambda: use(bucket, "child"))
        assert theirs.get("v1/child", max_bytes=10) == b"child"
        """,
        s3,
        s3.make_bucket(),
    )
    assert len(said) == 1


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_pools_of_processes_work_whichever_way_they_are_started(s3: ObjectStore, tmp_path: Path, method: str) -> None:
    """A process that uses the bucket in a thread starts others by multiprocessing; all of them use it too."""
    (tmp_path / "pool.py").write_text(
        textwrap.dedent(
            f"""
            import multiprocessing, os, threading
            from habanero_receiver.journal.bucket import open_bucket

            def work(number):
                bucket = open_bucket(os.environ["HABANERO_BUCKET"])
                assert bucket.create(f"v1/{{number}}", b"%d" % number)
                return bucket.get(f"v1/{{number}}", max_bytes=10)

            if __name__ == "__main__":
                mine = open_bucket(os.environ["HABANERO_BUCKET"])
                over = threading.Event()
                def poll():
                    while not over.is_set():
                        mine.get("v1/none", max_bytes=1)
                thread = threading.Thread(target=poll)
                thread.start()
                with multiprocessing.get_context("{method}").Pool(3) as pool:
                    print(pool.map(work, range(9), chunksize=3))
                over.set()
                thread.join()
                assert mine.get("v1/8", max_bytes=10) == b"8"
            """
        )
    )
    environ = {**os.environ, **s3.environ(), "HABANERO_BUCKET": s3.make_bucket()}
    words = [sys.executable, "-W", "ignore::DeprecationWarning", "pool.py"]
    done = subprocess.run(words, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == str([b"%d" % number for number in range(9)]), done.stderr


def test_a_boot_leaves_nothing_behind_in_a_process_that_may_fork(s3: ObjectStore, tmp_path: Path) -> None:
    """The release is read and runs; no thread, no child process and nothing of the library is left in the process.

    Without the counting of failed starts, whose thread waits for the app to be ready and has nothing to do with it.
    """
    deployment = Deployment(tmp_path, {"shop/__init__.py": "", "shop/rates.py": "RATE = 1\n"})
    deployment.push({"shop.rates": "RATE = 2\n"})
    url = s3.make_bucket()
    for file in sorted(deployment.bucket_folder.rglob("*")):
        if file.is_file():
            s3.put(url, file.relative_to(deployment.bucket_folder).as_posix(), file.read_bytes())
    done = deployment.start(
        "-c",
        "import os, sys, threading; from shop.rates import RATE\n"
        "children = open(f'/proc/self/task/{os.getpid()}/children').read().split()\n"
        "print(RATE, 'obstore' in sys.modules, threading.active_count(), children)",
        HABANERO_BUCKET=url,
        HABANERO_START_LIMIT="0",
        **s3.environ(),
    )
    assert done.stdout == "2 False 1 []\n", done.stderr


def test_a_boot_gives_a_store_that_never_answers_its_time_and_no_more(s3: ObjectStore, tmp_path: Path) -> None:
    """The app starts on what was deployed, and says why, though a call is still under way when the time is over."""
    deployment = Deployment(tmp_path, {"shop/__init__.py": "", "shop/rates.py": "RATE = 1\n"})
    with faulty(s3.endpoint, always("stalled before"), stall_s=60) as proxy:
        environ = deployment.environ(
            HABANERO_BUCKET=s3.make_bucket(), HABANERO_BOOT_WAIT="0.5", **s3.environ(proxy.endpoint)
        )
        words = [sys.executable, "-m", "habanero_receiver", "run", "--", sys.executable, "-c"]
        done = subprocess.run(
            [*words, "from shop.rates import RATE; print(RATE)"],
            cwd=deployment.root, env=environ, capture_output=True, text=True, timeout=20,
        )  # fmt: skip
    assert done.stdout == "1\n" and "error[store-slow]" in done.stderr, done.stderr


def test_a_process_aside_that_dies_is_an_error_once_and_then_another_one_is_there(s3: ObjectStore) -> None:
    """Killed between calls: the next call fails with a sentence, the one after it works."""
    said = run(
        """
        import signal
        from habanero_receiver.errors import StoreError
        with bucket.aside() as aside:
            use(aside, "before")
            process = aside._client()._process
            process.send_signal(signal.SIGKILL)
            process.wait()
            try:
                aside.get("v1/before", max_bytes=10)
            except StoreError as error:
                print(error.code, flush=True)
            use(aside, "after")
        """,
        s3,
        s3.make_bucket(),
    )
    assert said == ["before aside", "store", "after aside"]


def test_a_process_aside_that_hangs_is_ended(s3: ObjectStore) -> None:
    """A call has an end whatever the library does: here the whole process is stopped."""
    said = run(
        """
        import signal
        from habanero_receiver.errors import StoreError
        from habanero_receiver.journal.stores.address import parse
        from habanero_receiver.journal.stores.apart import ApartClient
        client = ApartClient(parse(os.environ["HABANERO_BUCKET"], os.environ), os.environ, call_timeout_s=0.5)
        assert client.check()
        process = client._process
        process.send_signal(signal.SIGSTOP)
        try:
            client.get("v1/x", max_bytes=10)
        except StoreError as error:
            print(error.code, process.poll() is not None, flush=True)
        assert client.get("v1/x", max_bytes=10) is None
        client.close()
        """,
        s3,
        s3.make_bucket(),
    )
    assert said == ["store-timeout True"]
