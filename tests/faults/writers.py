"""Many processes that append to one journal, and the check that nothing was lost, doubled or put out of order.

Run as `python -m faults.writers NAME UNTIL` it is one of them: it appends entries that name their predecessor by digest
until entry UNTIL is there, and prints the number of each that it was told it won.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from bucket_contract import BASE

from faults.scenario import Outcome
from habanero_receiver.errors import StoreError
from habanero_receiver.journal.bucket import Bucket, open_bucket
from habanero_receiver.journal.journal import Journal

TIMEOUT_S = 1_200.0


def append_until(bucket: Bucket, name: str, until: int) -> None:
    """Be one writer. An error of the store is what a push would be refused with: the next attempt looks anew."""
    journal, before, seq = Journal(bucket, "shop", "test", BASE), b"", 1
    while seq <= until:
        try:
            found = journal.entry(seq)
            if found is None:
                mine = json.dumps({"seq": seq, "by": name, "after": hashlib.sha256(before).hexdigest()}).encode()
                if journal.append(seq, mine):
                    print(seq, flush=True)
                found = journal.entry(seq)
        except StoreError as error:
            print(f"error {error.code}", flush=True)
            continue
        if found is not None:
            before, seq = found, seq + 1


def race(environ: dict[str, str], writers: int, until: int, outcome: Outcome) -> dict[str, set[int]]:
    """Run that many writers with those settings; gives what each was told it won."""
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    processes = {
        f"writer-{number}": subprocess.Popen(
            [sys.executable, "-m", "faults.writers", f"writer-{number}", str(until)],
            env={**os.environ, "PYTHONPATH": path, **environ}, stdout=subprocess.PIPE, text=True,
        )
        for number in range(writers)
    }  # fmt: skip
    won: dict[str, set[int]] = {}
    for name, process in processes.items():
        try:
            said = process.communicate(timeout=TIMEOUT_S)[0].split("\n")
        except subprocess.TimeoutExpired:
            process.kill()
            said = process.communicate()[0].split("\n")
            outcome.violations.append(f"{name} did not end")
        outcome.expect(process.returncode == 0, f"{name} ended with {process.returncode}")
        won[name] = {int(line) for line in said if line.isdigit()}
        outcome.count("appends given up and made anew", sum(line.startswith("error") for line in said))
    return won


def check(bucket: Bucket, until: int, won: dict[str, set[int]], outcome: Outcome) -> None:
    """Hold the journal, read without any proxy, against what the writers were told."""
    journal, before = Journal(bucket, "shop", "test", BASE), b""
    for seq in range(1, until + 1):
        data = journal.entry(seq)
        if data is None:
            outcome.violations.append(f"entry {seq} is missing")
            return
        entry = json.loads(data)
        after = hashlib.sha256(before).hexdigest()
        outcome.expect(entry["seq"] == seq and entry["after"] == after, f"entry {seq} does not follow {seq - 1}")
        told = [name for name, seqs in won.items() if seq in seqs]
        outcome.expect(set(told) <= {entry["by"]}, f"entry {seq} is {entry['by']}'s, and {told} were told to have won")
        before = data
    outcome.expect(journal.entry(until + 1) is None, f"entry {until + 1} is there")
    outcome.tried["entries"] = until
    outcome.tried["entries whose writer was told so"] = sum(map(len, won.values()))


if __name__ == "__main__":
    append_until(open_bucket(os.environ["HABANERO_BUCKET"]), sys.argv[1], int(sys.argv[2]))
