"""Test authors: they hold a key, build modules with this very interpreter, and sign pushes and reads."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from habanero_receiver.release import body
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope
from habanero_receiver.release.keys import PublicKey
from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
from habanero_receiver.release.request import ReadRequest, compose
from habanero_receiver.release.statement import PythonTag, Statement
from habanero_receiver.swap.building.compiler import build

TARGET = "shop/test#7d1f"


@dataclass(frozen=True, slots=True)
class Push:
    """A signed release and all that is sent with it."""

    statement: Statement
    envelope: Envelope
    manifest: bytes
    blobs: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        return self.envelope.digest

    def encode(self) -> bytes:
        return body.encode(self.envelope.encode(), self.manifest, self.blobs)


@dataclass
class Author:
    """Someone with an ed25519 key."""

    name: str = "ana@laptop"
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), self.name)

    @property
    def line(self) -> str:
        """The line of the server's trusted keys."""
        return f"{self.name} {self.public.openssh()}"

    def push(
        self,
        base: str,
        modules: Mapping[str, str | None],
        /,
        *,
        seq: int = 1,
        prev: str | None = None,
        without: frozenset[str] = frozenset(),
        **changes: Any,
    ) -> Push:
        """Sign the whole overlay: source by name, None for a deleted one; a name that ends in "/" is a package."""
        entries: dict[str, ModuleEntry | None] = {}
        blobs: dict[str, bytes] = {}
        for listed, text in modules.items():
            name, package = listed.rstrip("/"), listed.endswith("/")
            entries[name] = None if text is None else _entry(name, package, text.encode(), blobs)
        manifest = Manifest(entries).encode()
        issued = datetime.now(UTC)
        statement = Statement(
            target=TARGET,
            base=base,
            seq=seq,
            prev=prev or base,
            kind="push",
            python=PythonTag.current(),
            manifest_digest="sha256:" + hashlib.sha256(manifest).hexdigest(),
            manifest_size=len(manifest),
            issued=issued,
            accept_until=issued + timedelta(minutes=5),
            nonce=secrets.token_hex(16),
            author=self.name,
        )
        statement = statement._replace(**changes)
        return Push(
            statement,
            self.envelope(statement.encode()),
            manifest,
            {sha256: data for sha256, data in blobs.items() if sha256 not in without},
        )

    def envelope(self, payload: bytes) -> Envelope:
        """Sign a payload, whatever it says."""
        return Envelope(PAYLOAD_TYPE, payload).sign(self.public.keyid, self.key.sign)

    def read(self, path: str, method: str = "GET", **changes: Any) -> dict[str, str]:
        """The headers of a signed read."""
        issued = datetime.now(UTC)
        request = ReadRequest(TARGET, method, path, issued, issued + timedelta(minutes=1), secrets.token_hex(16))
        return {"Authorization": compose(replace(request, **changes), self.public.keyid, self.key.sign)}


def _entry(name: str, package: bool, source: bytes, blobs: dict[str, bytes]) -> ModuleEntry:
    path = name.replace(".", "/") + ("/__init__.py" if package else ".py")
    built = build(source, name, path, package)
    return ModuleEntry(package, *(_blob(data, blobs) for data in (source, *built)))


def _blob(data: bytes, blobs: dict[str, bytes]) -> BlobRef:
    sha256 = hashlib.sha256(data).hexdigest()
    blobs[sha256] = data
    return BlobRef(sha256, len(data))
