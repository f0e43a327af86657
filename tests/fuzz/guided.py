"""Coverage-guided attacks: atheris looks for bytes that reach new code in the release format and in `trust`.

`run` starts this file in a process of its own, because libFuzzer ends its process when it is done. What it finds would
be an exception that is none of ours, a forbidden event of `watch`, or an input that takes ten seconds.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

INPUT_TIMEOUT_S = 10


def run(seconds: float, seed: int) -> bool:
    """Attack for that long; whether nothing was found. Prints what libFuzzer counted."""
    with tempfile.TemporaryDirectory(prefix="habanero-fuzz-") as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        _seed_corpus(corpus)
        options = [f"-max_total_time={max(1, int(seconds))}", f"-seed={seed % 2**31 or 1}"]
        options += [f"-artifact_prefix={folder}/", f"-timeout={INPUT_TIMEOUT_S}"]
        options += ["-max_len=20000", "-print_final_stats=1"]
        done = subprocess.run(
            [sys.executable, "-m", "fuzz.guided", str(corpus), *options],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            capture_output=True,
            text=True,
            errors="replace",
        )
        found = len(list(corpus.iterdir()))
    said = done.stderr
    covered = re.findall(r"cov: (\d+) ft: (\d+)", said)
    tried = re.search(r"stat::number_of_executed_units: +(\d+)", said)
    first, last = (covered[0], covered[-1]) if covered else (("?", "?"), ("?", "?"))
    count = int(tried[1]) if tried else 0
    print(f"{count:,} inputs, {found} of them kept for what they reach")
    print(f"branches {first[0]} -> {last[0]}, features {first[1]} -> {last[1]}")
    if done.returncode != 0:
        print(said[-4_000:])
    print(f"{int(done.returncode != 0)} promises that did not hold")
    return done.returncode == 0


def _seed_corpus(folder: Path) -> None:
    """The right inputs and the hostile table, each behind the byte that says how it is judged."""
    from forging import Forged, manifest_json, statement_json, to_json
    from hostile_pushes import CASES

    manifest = Forged().the_manifest()
    seeds = [b"\x00" + Forged().body(), b"\x01" + Forged().the_envelope(), b"\x02" + Forged().the_envelope()]
    seeds += [b"\x03" + to_json(statement_json(manifest)), b"\x04" + to_json(manifest_json()), b"\x05Habanero e30="]
    seeds += [b"\x00" + case.body() for case in CASES if len(case.body()) < 10_000]
    for number, data in enumerate(seeds):
        (folder / f"{number:04d}").write_bytes(data)


def _main() -> None:
    import atheris

    with atheris.instrument_imports(include=["habanero_receiver.release", "habanero_receiver.trust"]):
        from fuzz import judged, watch
        from habanero_receiver.errors import CODES, HabaneroError
    judges = (
        judged._judge_body, judged._judge_envelope, judged._judge_entry, judged._judge_signed, judged._judge_manifest,
        judged._judge_read,
    )  # fmt: skip
    right = judged._right()
    watch.install()

    def attack(data: bytes) -> None:
        if not data:
            return
        with watch.watched() as events:
            try:
                digest = judges[data[0] % len(judges)](data[1:])
            except HabaneroError as error:
                assert error.code in CODES and error.code != "internal" and error.message.isprintable(), error
            else:
                assert not digest or digest in right
        assert not events, events

    atheris.Setup(sys.argv, attack)
    atheris.Fuzz()


if __name__ == "__main__":
    _main()
