"""A release that waits for the signatures of others, as a file: the very body of its push, with the signatures so far.

    .habanero/pending/<first 16 digits of its digest>.release

It carries the sources and the bytecode, so that whoever is to sign can look at what that is, and whoever signs last
can push it. Pure but for reading and writing the file. The rule it upholds: what is read from such a file, which may
come from anywhere, is parsed by the rules and within the limits that the server has for a push.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from habanero_receiver.errors import ConfigError, HabaneroError, RequestError
from habanero_receiver.release import body
from habanero_receiver.release.body import BlobPart, EnvelopePart, ManifestPart, PushParser
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.limits import DEFAULT_LIMITS
from habanero_receiver.release.manifest import BlobRef, Manifest
from habanero_receiver.release.statement import Statement
from habanero_receiver.trust import judge_blob

from .signing import Signer

FOLDER = Path(".habanero") / "pending"
SUFFIX = ".release"


@dataclass(frozen=True, slots=True)
class Pending:
    """A release and what would be sent with it. `blobs` are those that the server lacked when it was made."""

    envelope: Envelope
    statement: Statement
    manifest: Manifest
    manifest_bytes: bytes = field(repr=False)
    blobs: Mapping[str, bytes] = field(repr=False)

    @property
    def digest(self) -> str:
        """The identity of the release."""
        return self.envelope.digest

    @property
    def content(self) -> bytes:
        """The body of its push."""
        return body.encode(self.envelope.encode(), self.manifest_bytes, self.blobs)

    def signed(self, signer: Signer) -> Pending:
        """The same with one more signature."""
        envelope = self.envelope.sign(signer.public.keyid, signer.sign)
        return Pending(envelope, self.statement, self.manifest, self.manifest_bytes, self.blobs)


def write(root: Path, digest: str, content: bytes, now: datetime) -> Path:
    """Keep it below the project's folder, whole or not at all; those whose time is over are removed."""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"*{SUFFIX}"):
        if _is_over(old, now):
            old.unlink(missing_ok=True)
    path = folder / (digest.removeprefix("sha256:")[:16] + SUFFIX)
    replace(path, content)
    return path


def replace(path: Path, content: bytes) -> None:
    """Put these bytes at that place, whole."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.write_bytes(content)
    new.replace(path)


def read(path: Path) -> Pending:
    """The release in a file. ConfigError "pending-file" for one that cannot be read, or is none."""
    try:
        with path.open("rb") as file:
            data = file.read(DEFAULT_LIMITS.max_body_bytes + 1)
    except OSError as error:
        raise ConfigError(
            "pending-file",
            f"{path}: {error.strerror}",
            subject=str(path),
            help="habanero-py sign FILE, as push wrote it",
        ) from error
    try:
        return _parse(data)
    except RequestError as error:
        raise ConfigError(
            "pending-file",
            f"{path} is no pending release: {error.message} [{error.code}]",
            subject=str(path),
            help="ask whoever made it to send it again; both sides need one version of habanero-py",
        ) from error


def _parse(data: bytes) -> Pending:
    parser = PushParser(DEFAULT_LIMITS)
    parser.feed(data)
    envelope, statement, manifest, raw = None, None, None, b""
    blobs: dict[str, bytes] = {}
    while (part := parser.next_part()) is not None:
        if isinstance(part, EnvelopePart):
            envelope = Envelope.decode(part.data)
            statement = Statement.decode(envelope.payload)
            parser.expect_manifest(statement.manifest_size)
        elif isinstance(part, ManifestPart) and statement is not None:
            raw = part.data
            judge_blob(raw, BlobRef(statement.manifest_digest.removeprefix("sha256:"), statement.manifest_size))
            manifest = Manifest.decode(raw)
            sizes = manifest.blobs()
            parser.expect_blobs(sizes, sizes.keys())
        elif isinstance(part, BlobPart):
            blobs[part.sha256] = part.data
    parser.close()
    if envelope is None or statement is None or manifest is None:
        raise RequestError("truncated", "it has no manifest")
    return Pending(envelope, statement, manifest, raw, blobs)


def _is_over(path: Path, now: datetime) -> bool:
    try:
        return read(path).statement.accept_until < now
    except HabaneroError:
        return False
