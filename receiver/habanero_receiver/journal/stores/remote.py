"""A bucket on an object store as the rest of the receiver has it: where its client lives is decided here.

What it does: keeps one client per process and makes it at the first request. In a process where the library was loaded
before a fork, and aside of one that is going to fork, the client lives in a process of its own (`apart`).

The rule it upholds: the library is never used on both sides of a fork. Its threads do not come along, so a child that
used it would wait for ever, and through the poll set that both share the parent would too.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING

from habanero_receiver.journal.bucket import MAX_LISTED_KEYS
from habanero_receiver.journal.stores.apart import ApartClient
from habanero_receiver.journal.stores.client import StoreClient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from habanero_receiver.journal.bucket import Bucket
    from habanero_receiver.journal.stores.address import Address

    Client: TypeAlias = StoreClient | ApartClient


class _Lineage:
    """What this process knows of those that it was forked from.

    `opening_lock` is held while a client is made, and while the process forks: a child that was forked out of the
    middle of the library's import would wait for ever for the thread that imports it, which the child does not have.
    """

    def __init__(self) -> None:
        self.library_was_loaded = False
        self.opening_lock = threading.RLock()

    def forking(self) -> None:
        """Run in the parent before every fork."""
        self.opening_lock.acquire()

    def forked(self) -> None:
        """Run in the parent after it."""
        self.opening_lock.release()

    def born(self) -> None:
        """Run in the child: whoever loaded the library, the app too, may have used it."""
        self.library_was_loaded = self.library_was_loaded or "obstore" in sys.modules
        self.opening_lock = threading.RLock()


_lineage = _Lineage()
os.register_at_fork(before=_lineage.forking, after_in_parent=_lineage.forked, after_in_child=_lineage.born)


class RemoteBucket:
    """A bucket on an object store. Threads may share it, and so may a process and those that it forks."""

    remote = True

    def __init__(self, address: Address, environ: Mapping[str, str] = os.environ) -> None:
        """Makes no client yet."""
        self.address = address
        self._environ = environ
        self._made: tuple[int, Client] | None = None

    def __repr__(self) -> str:
        return f"RemoteBucket({str(self.address)!r})"

    def check(self) -> bool:
        """See `Bucket.check`. Always True: nothing but its owner makes such a bucket."""
        return self._client().check()

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        """See `Bucket.get`."""
        return self._client().get(key, max_bytes=max_bytes)

    def get_all(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        """See `Bucket.get_all`."""
        return self._client().get_all(sizes)

    def create(self, key: str, data: bytes) -> bool:
        """See `Bucket.create`."""
        return self._client().create(key, data)

    def create_all(self, objects: Mapping[str, bytes]) -> list[str]:
        """See `Bucket.create_all`."""
        return self._client().create_all(objects)

    def replace(self, key: str, data: bytes) -> None:
        """See `Bucket.replace`."""
        self._client().replace(key, data)

    def remove(self, key: str) -> None:
        """See `Bucket.remove`."""
        self._client().remove(key)

    @contextlib.contextmanager
    def aside(self) -> Iterator[Bucket]:
        """See `Bucket.aside`: the requests of the block are another process's, which ends with it."""
        aside = RemoteBucket(self.address, self._environ)
        client = ApartClient(self.address, self._environ)
        aside._made = os.getpid(), client
        try:
            yield aside
        finally:
            client.close()

    def _client(self) -> Client:
        """This process's client."""
        made = self._made
        if made is None or made[0] != os.getpid():
            with _lineage.opening_lock:
                made = self._made
                if made is None or made[0] != os.getpid():
                    made = self._made = os.getpid(), self._make()
        return made[1]

    def _make(self) -> Client:
        if _lineage.library_was_loaded:
            return ApartClient(self.address, self._environ)
        return StoreClient(self.address, self._environ)

    def folders(self, folder: str, *, max_folders: int = MAX_LISTED_KEYS) -> list[str]:
        """See `Bucket.folders`."""
        return self._client().folders(folder, max_folders=max_folders)

    def list(self, folder: str, *, max_keys: int = MAX_LISTED_KEYS) -> list[str]:
        """See `Bucket.list`."""
        return self._client().list(folder, max_keys=max_keys)
