"""A deployed app in a folder, with a bucket and a key: what the tests of journal and boot push to and start from.

Releases are made with the parts that make real ones (build, manifest, statement, signature, journal) and are put into
the bucket directly, as a server would have done after a push.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from habanero_receiver.config import ReceiverConfig
from habanero_receiver.journal.base import Base
from habanero_receiver.journal.directory import DirectoryBucket
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope
from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
from habanero_receiver.release.publickey import PublicKey
from habanero_receiver.release.statement import PythonTag, Statement
from habanero_receiver.swap.building.compiler import build
from habanero_receiver.swap.building.units import EncodedBuild
from habanero_receiver.trust import Head, TrustPolicy

START = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
TARGET = "shop/test#d3adb33f"


class Key:
    """A private key and what the server's configuration says of it; `name` is its holder's."""

    def __init__(self, name: str = "ana") -> None:
        self.private = Ed25519PrivateKey.generate()
        self.public = PublicKey(self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), "test")
        self.line = f"{name} {self.public.openssh()}"


class Deployment:
    """An app under `root`, a bucket beside it, and a journal that releases are put into."""

    def __init__(self, folder: Path, sources: Mapping[str, str], top_level: Sequence[str] = ("shop",)) -> None:
        self.root = folder / "app"
        self.bucket_folder = folder / "bucket"
        self.top_level = tuple(top_level)
        self.key = Key()
        self.head = Head(0, "", None)
        self.overlay: dict[str, str | None] = {}
        self.builds: dict[str, EncodedBuild] = {}
        """Builds that are not what the builder makes of the source, by module name."""
        for path, text in sources.items():
            self.write(path, text)

    def write(self, path: str, text: str) -> Path:
        """Write a file of the app, as a cold deploy does."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    @property
    def base(self) -> Base:
        return Base.scan(self.root, self.top_level)

    @property
    def bucket(self) -> DirectoryBucket:
        return DirectoryBucket(self.bucket_folder)

    @property
    def journal(self) -> Journal:
        return Journal(self.bucket, "shop", "test", self.base.digest)

    @property
    def folder(self) -> Path:
        """The journal's own folder in the bucket."""
        return self.bucket_folder / "v1" / "shop" / "test" / self.base.digest.removeprefix("sha256:")

    def entry_file(self, seq: int) -> Path:
        return self.folder / "journal" / f"{seq:08d}.json"

    def blob_file(self, sha256: str) -> Path:
        return self.bucket_folder / "v1" / "blobs" / "sha256" / sha256[:2] / sha256

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of a server: nothing of the test's own that could matter, and the receiver's settings."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("HABANERO", "PYTHON"))}
        settings = {
            "HABANERO_TARGET": TARGET,
            "HABANERO_TRUSTED_KEYS": self.key.line,
            "HABANERO_BUCKET": f"file://{self.bucket_folder}",
            "HABANERO_MODULES": ",".join(self.top_level),
        }
        return {name: value for name, value in {**clean, **settings, **more}.items() if value}

    def config(self, **more: str) -> ReceiverConfig:
        config = ReceiverConfig.from_env(self.environ(HABANERO_ROOT=str(self.root), **more), self.root)
        assert config is not None
        return config

    def policy(self) -> TrustPolicy:
        return self.config().policy()

    def push(self, changes: Mapping[str, str | None], *, key: Key | None = None, **fields: object) -> Statement:
        """Record the next release: `changes` by module name over the overlay so far; `fields` of the statement."""
        self.overlay.update({name: None if text is None else textwrap.dedent(text) for name, text in changes.items()})
        manifest = self.manifest().encode()
        self.journal.put_blob(manifest)
        previous = self.head if self.head.seq else Head(0, self.base.digest, None)
        issued = START + timedelta(minutes=previous.seq)
        statement = Statement(
            target=TARGET,
            base=self.base.digest,
            seq=previous.seq + 1,
            prev=previous.digest,
            kind="push",
            python=PythonTag.current(),
            manifest_digest=f"sha256:{hashlib.sha256(manifest).hexdigest()}",
            manifest_size=len(manifest),
            issued=issued,
            accept_until=issued + timedelta(minutes=5),
            nonce="00" * 16,
            author="ana@laptop",
        )
        statement = statement._replace(**fields)  # type: ignore[arg-type]  # the caller names fields of it
        envelope = self.sign(statement, key)
        assert self.journal.append(statement.seq, envelope.encode())
        self.head = Head(statement.seq, envelope.digest, statement.issued)
        return statement

    def manifest(self) -> Manifest:
        return Manifest({name: self._entry(name, text) for name, text in self.overlay.items()})

    def sign(self, statement: Statement, key: Key | None = None) -> Envelope:
        key = key or self.key
        return Envelope(PAYLOAD_TYPE, statement.encode()).sign(key.public.keyid, key.private.sign)

    def _entry(self, name: str, text: str | None) -> ModuleEntry | None:
        if text is None:
            return None
        package = any(other.startswith(f"{name}.") for other in [*self.overlay, *self.base.modules])
        path = name.replace(".", "/") + ("/__init__.py" if package else ".py")
        source = text.encode() or b"\n"
        built = self.builds.get(name) or build(source, name, path, package)
        refs = [BlobRef(self.journal.put_blob(data), len(data)) for data in (source, *built)]
        return ModuleEntry(package, *refs)

    def start(
        self, *words: str, launcher: bool = True, status: int | None = 0, cwd: Path | None = None, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `python words…` in the app's folder, through the launcher or not; `status` is its exit code, None any."""
        command = [sys.executable, *words]
        if launcher:
            command = [sys.executable, "-m", "habanero_receiver", "run", "--", *command]
        done = subprocess.run(
            command, cwd=cwd or self.root, env=self.environ(**more), capture_output=True, text=True, timeout=60
        )
        assert status is None or done.returncode == status, done.stdout + done.stderr
        return done
