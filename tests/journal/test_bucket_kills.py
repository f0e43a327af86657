"""The directory bucket under many writers, some of them killed: real processes, real SIGKILL."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.journal import Journal

BASE = "sha256:" + "ab" * 32

WRITER = """
import sys, pathlib
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.journal import Journal
root, name, until, base = sys.argv[1:]
journal = Journal(DirectoryBucket(pathlib.Path(root)), "shop", "test", base)
seq = 1
while seq <= int(until):
    while journal.entry(seq) is not None:
        seq += 1
    data = (f"{name}.{seq}." * 200 + "end").encode()
    won = journal.append(seq, data)
    if won:
        print(seq, flush=True)
"""


def writer(root: Path, name: str, until: int) -> subprocess.Popen[str]:
    """Append until entry `until` is there, printing each number that `append` said was won."""
    words = [sys.executable, "-c", WRITER, str(root), name, str(until), BASE]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def entries(root: Path) -> list[bytes]:
    """All entries from 1 to the first that is missing."""
    journal = Journal(DirectoryBucket(root), "shop", "test", BASE)
    found: list[bytes] = []
    while (data := journal.entry(len(found) + 1)) is not None:
        found.append(data)
    return found


def author(data: bytes, seq: int) -> str:
    """Who wrote an entry; fails unless it is whole and of that number."""
    text = data.decode()
    name = text.partition(".")[0]
    assert text == f"{name}.{seq}." * 200 + "end"
    return name


def stored(root: Path) -> list[str]:
    return sorted(path.name for path in root.glob("v1/shop/test/*/journal/*"))


def test_racing_writers_share_the_numbers(tmp_path):
    """Each number is won by exactly one of three processes, which is told so, and its entry is the winner's, whole."""
    writers = {name: writer(tmp_path, name, 300) for name in ("ana", "ben", "cyn")}
    won = {
        name: [int(line) for line in process.communicate(timeout=60)[0].split()] for name, process in writers.items()
    }
    assert all(process.returncode == 0 for process in writers.values())
    found = entries(tmp_path)
    assert len(found) >= 300
    assert sorted(seq for seqs in won.values() for seq in seqs) == list(range(1, len(found) + 1))
    for seq, data in enumerate(found, 1):
        assert seq in won[author(data, seq)]


def test_killed_writers_tear_nothing_and_leave_no_gap(tmp_path):
    """Killed at some thirty moments: entries are whole, none is missing below the last, and what was won stays won."""
    rng = random.Random(20)
    told: dict[int, str] = {}
    for round_number in range(30):
        name = f"w{round_number}"
        process = writer(tmp_path, name, 100_000)
        assert process.stdout is not None
        seen = [process.stdout.readline() for _ in range(rng.randint(1, 5))]
        for _ in range(rng.randint(0, 4000)):  # some microseconds, so that kills land in every step of a create
            pass
        os.kill(process.pid, signal.SIGKILL)
        seen += process.stdout.readlines()
        process.wait(timeout=10)
        process.stdout.close()
        told.update({int(line): name for line in seen if line.endswith("\n")})
    found = entries(tmp_path)
    assert stored(tmp_path) == [f"{seq:08d}.json" for seq in range(1, len(found) + 1)]
    authors = {seq: author(data, seq) for seq, data in enumerate(found, 1)}
    assert told.items() <= authors.items()
    assert len(told) >= 30


STEPS = ["open", "write", "fsync", "link", "fsync again", "unlink"]

SUICIDE = """
import os, signal, sys, pathlib
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.journal import Journal
root, base, step, when = sys.argv[1:]
journal = Journal(DirectoryBucket(pathlib.Path(root)), "shop", "test", base)
journal.append(1, b"one")
calls = 0
def deadly(name, real, nth=1):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == nth and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **kwargs)
        if calls == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call
if step == "open":
    real_open = os.open
    def only_new(path, flags, *mode):
        return (deadly("open", real_open) if flags & os.O_EXCL else real_open)(path, flags, *mode)
    os.open = only_new
elif step == "write":
    os.fdopen = (lambda real: lambda handle, mode, *rest, **more: Half(real(handle, mode, *rest, **more))
                 if "w" in mode else real(handle, mode, *rest, **more))(os.fdopen)
    class Half:
        def __init__(self, file): self.file = file
        def __enter__(self): return self
        def __exit__(self, *error): self.file.close()
        def write(self, data):
            self.file.write(bytes(data)[:len(data) // 2 if when == "after" else 0])
            os.kill(os.getpid(), signal.SIGKILL)
elif step == "unlink":
    pathlib.Path.unlink = deadly("unlink", pathlib.Path.unlink)
else:
    name = step.partition(" ")[0]
    setattr(os, name, deadly(name, getattr(os, name), nth=2 if "again" in step else 1))
journal.append(2, b"two" * 1000)
print("survived")
"""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_the_entry_whole_or_absent(tmp_path, step, when):
    """Killed before or after each thing that `create` asks of the system: all of the entry or none."""
    words = [sys.executable, "-c", SUICIDE, str(tmp_path), BASE, step, when]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "", "")
    linked = STEPS.index(step) > STEPS.index("link") or (step, when) == ("link", "after")
    assert entries(tmp_path) == ([b"one", b"two" * 1000] if linked else [b"one"])
    journal = Journal(DirectoryBucket(tmp_path), "shop", "test", BASE)
    assert journal.append(2, b"mine") is not linked
    assert len(entries(tmp_path)) == 2
