"""How much a release of a thousand changed modules adds to a start, beside the same modules from warm .pyc files.

One process after the other, in turns: the sources of the release from disk with their .pyc files, without the receiver,
and with one for which nothing is released; the release from the machine's own copy; the release from the bucket's
blobs, as at a machine's first start. Each process imports what any server of such an app does (FastAPI, uvicorn),
boots, and imports all modules; boot and imports together are compared with the imports alone, in CPU time too, which
others on the machine disturb less.

A second app, of one module, tells what of that is the same for any app: mostly the import of the receiver itself. A
process that times each step of its boot tells where the rest goes. And the digest of the deployed code, for twice as
many files.

    python -m benchmarks.boot [--modules 1000] [--repeat 9]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from habanero_receiver.journal import baked
from habanero_receiver.journal.base import Base
from habanero_receiver.journal.bucket import open_bucket
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope
from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
from habanero_receiver.release.publickey import PublicKey
from habanero_receiver.release.statement import PythonTag, Statement
from habanero_receiver.swap.building.compiler import build

TARGET = "shop/bench#0001"
PACKAGES = 20
HEAD = '''\
"""Part {number} of the shop."""

from __future__ import annotations

RATE = {version}
LIMITS = {{"low": {number}, "high": {number} * 10, "step": RATE}}
'''
PART = '''

class Basket{part}:
    """What somebody is about to buy."""

    currency = "EUR"

    def __init__(self, owner: str, items: list[tuple[str, int]] | None = None) -> None:
        self.owner = owner
        self.items = list(items or ())

    def add(self, name: str, cents: int) -> None:
        if cents < LIMITS["low"]:
            raise ValueError(f"{{name}} is too cheap: {{cents}} < {{LIMITS['low']}}")
        self.items.append((name, cents))

    @property
    def total(self) -> int:
        return sum(cents for _, cents in self.items) * RATE

    def lines(self) -> list[str]:
        return [f"{{name:<20}} {{cents / 100:>10.2f}} {{self.currency}}" for name, cents in self.items]


def parse{part}(text: str) -> Basket{part}:
    owner, _, rest = text.partition(":")
    basket = Basket{part}(owner.strip())
    for line in rest.splitlines():
        name, _, price = line.rpartition(" ")
        if name:
            basket.add(name.strip(), int(float(price) * 100))
    return basket


def report{part}(baskets: list[Basket{part}]) -> dict[str, int]:
    found: dict[str, int] = {{}}
    for basket in baskets:
        found[basket.owner] = found.get(basket.owner, 0) + basket.total
    return dict(sorted(found.items(), key=lambda item: -item[1]))
'''
CHILD = """\
import json, os, sys, time
import fastapi, uvicorn
names = json.load(open(sys.argv[1]))
began, cpu = time.perf_counter(), time.process_time()
if "HABANERO_TARGET" in os.environ:
    import habanero_receiver
booted = time.perf_counter()
import importlib
for name in names:
    importlib.import_module(name)
done, cpu = time.perf_counter(), time.process_time() - cpu
assert sys.modules[names[-1]].RATE == 2
if "HABANERO_TARGET" in os.environ:
    habanero_receiver.Receiver.from_env().ready()
print(json.dumps([done - began, cpu, booted - began, done - booted]))
sys.stdout.flush()
os._exit(0)
"""
STEPS = """\
import json, os, sys, time
import fastapi, uvicorn
keys = os.environ.pop("HABANERO_TRUSTED_KEYS")  # else the import boots
began = time.process_time()
from habanero_receiver import boot
spent = {"import of the receiver": time.process_time() - began}
os.environ["HABANERO_TRUSTED_KEYS"] = keys
from habanero_receiver import trust
from habanero_receiver.journal import images, newest, pack
def timed(owner, name, step):
    work = getattr(owner, name)
    def run(*values, **options):
        began = time.process_time()
        try:
            return work(*values, **options)
        finally:
            spent[step] = spent.get(step, 0.0) + time.process_time() - began
    setattr(owner, name, run)
timed(boot, "_base", "deployed code digested")
timed(newest.Chooser, "_search", "look at the bucket, signature")
timed(trust, "judge_manifest", "manifest")
timed(pack, "read", "code read")
timed(pack.Pack, "open", "code digested")
timed(images, "images_to_start", "images")
began = time.process_time()
boot.boot_from_env()
whole = time.process_time() - began
spent["all else"] = whole + spent["import of the receiver"] - sum(spent.values())
print(json.dumps(spent))
sys.stdout.flush()
os._exit(0)
"""

Times = tuple[float, float, float, float]


def module(number: int, version: int) -> str:
    """About 130 lines, as modules have in the middle."""
    parts = "".join(PART.format(part=part) for part in "ABC")
    return HEAD.format(number=number, version=version) + parts


class Bench:
    """Two copies of an app on disk, one to be changed by a release and one that is like it; and that release."""

    def __init__(self, folder: Path, modules: int) -> None:
        folder.mkdir(exist_ok=True)
        self.folder, self.names = folder, [f"shop.p{i % PACKAGES}.m{i}" for i in range(modules)]
        for place, version in (("deployed", 1), ("changed", 2)):
            self._write(folder / place, version)
        self.key = Ed25519PrivateKey.generate()
        self.public = PublicKey(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), "bench")
        (folder / "names.json").write_text(json.dumps(self.names))
        (folder / "child.py").write_text(CHILD)
        self.base = Base.scan(folder / "deployed", ["shop"])
        self._release()

    def _write(self, root: Path, version: int) -> None:
        for package in ["shop", *(f"shop/p{i}" for i in range(PACKAGES))]:
            (root / package).mkdir(parents=True)
            (root / package / "__init__.py").write_text("")
        for number, name in enumerate(self.names):
            (root / f"{name.replace('.', '/')}.py").write_text(module(number, version))

    def _release(self) -> None:
        journal = Journal(open_bucket(f"file://{self.folder / 'bucket'}"), "shop", "bench", self.base.digest)
        blobs: list[bytes] = []
        modules: dict[str, ModuleEntry | None] = {}
        for name in self.names:
            path = f"{name.replace('.', '/')}.py"
            source = (self.folder / "changed" / path).read_bytes()
            parts = [source, *build(source, name, path, False)]
            blobs += parts
            modules[name] = ModuleEntry(False, *(BlobRef(hashlib.sha256(d).hexdigest(), len(d)) for d in parts))
        manifest = Manifest(modules).encode()
        journal.put_blobs([manifest, *blobs])
        now = datetime.now(UTC)
        statement = Statement(
            target=TARGET, base=self.base.digest, seq=1, prev=self.base.digest, kind="push",
            python=PythonTag.current(), manifest_digest=f"sha256:{hashlib.sha256(manifest).hexdigest()}",
            manifest_size=len(manifest), issued=now, accept_until=now + timedelta(minutes=5),
            nonce=secrets.token_hex(16), author="bench",
        )  # fmt: skip
        envelope = Envelope(PAYLOAD_TYPE, statement.encode()).sign(self.public.keyid, self.key.sign)
        journal.append(1, envelope.encode())

    def run(self, place: str, *, receiver: bool) -> Times:
        """Milliseconds of boot and imports together, of the same in CPU time, of boot, of imports."""
        words = [str(self.folder / "child.py"), str(self.folder / "names.json")]
        both, cpu, boot, imports = (1000 * seconds for seconds in self._output(words, place, receiver=receiver))
        return both, cpu, boot, imports

    def steps(self) -> dict[str, float]:
        """Milliseconds of CPU time of each step of a boot from the machine's own copy."""
        found: dict[str, float] = self._output(["-c", STEPS], "deployed", receiver=True)
        return {step: 1000 * seconds for step, seconds in found.items()}

    def _output(self, words: list[str], place: str, *, receiver: bool) -> Any:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HABANERO", "PYTHON"))}
        environ = {**clean, "PYTHONPATH": str(self.folder / place)}
        if receiver:
            environ |= {
                "HABANERO_TARGET": TARGET, "HABANERO_TRUSTED_KEYS": f"bench {self.public.openssh()}",
                "HABANERO_BUCKET": f"file://{self.folder / 'bucket'}", "HABANERO_MODULES": "shop",
                "HABANERO_ROOT": str(self.folder / place), "HABANERO_STATE": str(self.folder / "state"),
            }  # fmt: skip
        words = [sys.executable, *words]
        done = subprocess.run(words, env=environ, cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        return json.loads(done.stdout)

    def first_start(self) -> Times:
        """Without the machine's own copy."""
        shutil.rmtree(self.folder / "state" / "shop", ignore_errors=True)
        return self.run("deployed", receiver=True)


def fingerprint_ms(folder: Path, files: int, repeat: int) -> tuple[float, float]:
    """The middle of so many digests of so many small files, read and as an image's build noted them."""
    (folder / "many").mkdir()
    (folder / "many" / "__init__.py").write_text("")
    for number in range(files):
        (folder / "many" / f"m{number}.py").write_text(module(number, 0))
    note = folder / "many.json"
    baked.write(Base.scan(folder, ["many"]), note)
    read, noted = [], []
    for _ in range(repeat):
        began = time.perf_counter()
        Base.scan(folder, ["many"])
        between = time.perf_counter()
        baked.read(note, folder, ["many"])
        read.append((between - began) * 1000)
        noted.append((time.perf_counter() - between) * 1000)
    return statistics.median(read), statistics.median(noted)


def line(name: str, found: list[Times], floor: Times) -> str:
    both, cpu, boot, imports = middle(found)
    return (
        f"{name:<32}{both:7.0f} ms {both / floor[0]:5.2f} x   CPU {cpu:6.0f} ms {cpu / floor[1]:5.2f} x   "
        f"boot {boot:5.0f}  imports {imports:5.0f}"
    )


def parts(large: list[Times], small: list[Times], modules: int) -> str:
    """CPU time that does not depend on the number of modules, and what each adds."""
    whole, fixed = middle(large)[1], middle(small)[1]
    return f"{fixed:5.1f} ms + {1000 * (whole - fixed) / (modules - 1):5.1f} us a module"


def middle(found: list[Times]) -> Times:
    both, cpu, boot, imports = (statistics.median(column) for column in zip(*found, strict=True))
    return both, cpu, boot, imports


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--modules", type=int, default=1_000)
    parser.add_argument("--repeat", type=int, default=9)
    arguments = parser.parse_args()
    memory = Path("/dev/shm")  # making the release durable is not what is measured
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        bench, small = Bench(Path(name, "large"), arguments.modules), Bench(Path(name, "small"), 1)
        for each in (bench, small):
            each.run("changed", receiver=False)  # writes the .pyc files
            each.run("changed", receiver=True)  # another base, for which nothing is released
            each.run("deployed", receiver=True)
        plain, unreleased, copy, bucket, steps = [], [], [], [], []
        small_plain, small_unreleased, small_copy, small_bucket = [], [], [], []
        for _ in range(arguments.repeat):
            plain.append(bench.run("changed", receiver=False))
            unreleased.append(bench.run("changed", receiver=True))
            bucket.append(bench.first_start())
            copy.append(bench.run("deployed", receiver=True))
            steps.append(bench.steps())
            small_plain.append(small.run("changed", receiver=False))
            small_unreleased.append(small.run("changed", receiver=True))
            small_bucket.append(small.first_start())
            small_copy.append(small.run("deployed", receiver=True))
        floor = middle(plain)
        print(f"boot and the import of {arguments.modules:,} modules, median of {arguments.repeat}")
        print(line("from .pyc files, no receiver", plain, floor))
        print(line("the same, with a receiver", unreleased, floor))
        print(line("release, the machine's own copy", copy, floor))
        print(line("release, from the bucket", bucket, floor))
        print("of the CPU time, for any app, and for each module:")
        print(f"  from .pyc files, no receiver     {parts(plain, small_plain, arguments.modules)}")
        print(f"  the same, with a receiver        {parts(unreleased, small_unreleased, arguments.modules)}")
        print(f"  release, the machine's own copy  {parts(copy, small_copy, arguments.modules)}")
        print(f"  release, from the bucket         {parts(bucket, small_bucket, arguments.modules)}")
        added = [middle(found)[1] / middle(unreleased)[1] - 1 for found in (copy, bucket)]
        print("added to a start with a receiver: {:+.0%} by the own copy, {:+.0%} by the bucket".format(*added))
        spent = {step: statistics.median(each[step] for each in steps) for step in steps[0]}
        print("steps of a boot from the own copy, in CPU time:")
        for step, ms in spent.items():
            print(f"  {step:<31}{ms:6.1f} ms")
        files = 2 * arguments.modules
        read, noted = fingerprint_ms(Path(name), files, arguments.repeat)
        print(f"digest of {files:,} files {read:.0f} ms; as noted by an image's build {noted:.0f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
