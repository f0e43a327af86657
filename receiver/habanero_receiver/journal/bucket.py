"""Where bytes are kept under keys: the interface of a bucket, and which kind a URL names.

What it does: says what every bucket promises. A directory (`directory`) and the object stores (`stores`) fill it, each
imported only when a URL names it. What it does not: it knows nothing of releases, signatures or journals, so what may
be removed is decided elsewhere (`journal.prune`).

The rule it upholds: `create` is atomic and durable. Of any number of writers, in any number of processes, killed at
any moment, at most one makes a key; a key that can be seen is whole; when `create` has returned it survives a power
cut.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from habanero_receiver.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

MAX_LISTED_KEYS = 10_000
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class TooLargeError(StoreError):
    """A key holds more than the reader was ready to take; no more than that was read."""

    def __init__(self, key: str, max_bytes: int) -> None:
        super().__init__("store-corrupt", f"{key} is larger than the {max_bytes} bytes it may have", subject=key)
        self.max_bytes = max_bytes


class Bucket(Protocol):
    """Bytes under keys such as "v1/blobs/sha256/ab/abcd…". Every method raises StoreError when the store fails.

    Threads may share one, and so may a process and those that it forks.
    """

    remote: bool
    """Whether each call is a request over a network, that costs time and money."""

    def check(self) -> bool:
        """Whether the bucket is there. ConfigError when it is there and must not be used.

        False only where the first `create` makes it; StoreError where nobody but the operator can.
        """

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        """The bytes, or None without such a key. TooLargeError for more than `max_bytes`."""

    def get_all(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        """Those of many keys that there are, and that hold no more than `sizes` says for each; read side by side."""

    def create(self, key: str, data: bytes) -> bool:
        """Make a key, durably. True: the key holds these very bytes now. False: it holds other bytes."""

    def create_all(self, objects: Mapping[str, bytes]) -> list[str]:
        """Make many keys, each as `create` does, all of them durable at the end. Gives those that hold other bytes."""

    def replace(self, key: str, data: bytes) -> None:
        """Set a key whatever it held. Atomic, but not durable: for what is informative only."""

    def remove(self, key: str) -> None:
        """Drop a key, whoever made it; nothing happens when there is none.

        When it has returned, a `get` of any process gives None. A store that keeps versions may keep the bytes. A power
        cut may bring the key back, so callers must be able to do it again.
        """

    def folders(self, folder: str, *, max_folders: int = MAX_LISTED_KEYS) -> list[str]:
        """The folders directly below `folder` that hold keys, at any depth, each without a slash at its end, sorted.

        An object store's common prefixes. At most `max_folders`, as for `list`; a folder that lost its last key may
        still be named.
        """

    def list(self, folder: str, *, max_keys: int = MAX_LISTED_KEYS) -> list[str]:
        """The keys directly below `folder`, sorted; at most `max_keys`, which ones is then up to the store."""

    def aside(self) -> AbstractContextManager[Bucket]:
        """The same bucket for a process that is going to fork: when the block ends, nothing of it is left here."""


def is_part(word: str) -> bool:
    """Whether a word may stand between two slashes of a key."""
    return _PART.fullmatch(word) is not None


def is_key(key: str) -> str:
    """Give the key back; StoreError `store-key` unless it is plain words between slashes."""
    if not all(map(_PART.fullmatch, key.split("/"))):
        raise StoreError("store-key", f"{key!r} is not the key of anything in a bucket", subject=key)
    return key


def open_bucket(url: str, environ: Mapping[str, str] = os.environ) -> Bucket:
    """The bucket that a URL names. Touches nothing yet.

    `file:///absolute/path`, or `s3://`, `gs://` and `az://` with a bucket's name and a prefix; what else a store needs
    is in `environ`. ConfigError for a URL or settings that cannot be used.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        from habanero_receiver.journal.directory import DirectoryBucket

        return DirectoryBucket(_local_path(url))
    from habanero_receiver.journal.stores import address

    if parts.scheme in address.KINDS:
        from habanero_receiver.journal.stores.remote import RemoteBucket

        return RemoteBucket(address.parse(url, environ))
    raise ConfigError(
        "bucket-scheme",
        f"HABANERO_BUCKET is {address.without_secrets(url)!r}, which is not a kind of bucket that this version has",
        subject="HABANERO_BUCKET",
        help="a directory that survives restarts, file:///var/lib/habanero/bucket, or s3://, gs://, az:// and a name",
    )


def _local_path(url: str) -> Path:
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.query or parts.fragment:
        raise ConfigError(
            "bucket-url",
            f"HABANERO_BUCKET is {url!r}, which does not name an absolute path on this machine",
            subject="HABANERO_BUCKET",
            help="three slashes and then the path: file:///var/lib/habanero/bucket",
        )
    return Path(unquote(parts.path))
