"""The promises of a bucket kept over the library's client, in this process.

What it does: bounded reads, create-only writes, bounded lists, each tried again for a bounded time. What it does not:
it must not be used where the library was used before a fork (`remote` sees to it): it would hang, and so would the
parent.

The rule it upholds: whether a create won is decided by what the key holds, never by the reply alone. "Already there" is
also what is said when our own write landed and its reply was lost, and on a conflict in which nothing was written: the
same bytes mean that we won, others that we lost, and none that nobody did, so it is tried again.
"""

from __future__ import annotations

import importlib
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from habanero_receiver.journal.bucket import MAX_LISTED_KEYS, TooLargeError, is_key, is_part
from habanero_receiver.journal.stores import failures
from habanero_receiver.journal.stores.options import DEFAULT_BOUNDS, make_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from habanero_receiver.journal.stores.address import Address
    from habanero_receiver.journal.stores.options import Bounds

T = TypeVar("T")

_AT_ONCE = 8
_CHUNK_BYTES = 65_536
_PAGE_KEYS = 1_000


class StoreClient:
    """A bucket on an object store. Threads may share it; a process that was forked from this one must not."""

    def __init__(self, address: Address, environ: Mapping[str, str], bounds: Bounds = DEFAULT_BOUNDS) -> None:
        """Make the client; no request yet. ConfigError when the library is missing or refuses the settings."""
        self._address, self._bounds = address, bounds
        self._store = make_store(address, environ, bounds)
        self._library: Any = importlib.import_module("obstore")
        self._taken: type[Exception] = importlib.import_module("obstore.exceptions").AlreadyExistsError

    def check(self) -> bool:
        """See `Bucket.check`. Reads a key that nobody makes: only a store that has the bucket says so."""
        try:
            found = self.get("v1/check", max_bytes=0)
        except TooLargeError:
            found = b""
        if found is not None:
            raise failures.no_store(self._address)
        return True

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        """See `Bucket.get`. What is too large is told by the first bytes over the limit, whatever length was said."""
        is_key(key)
        return self._retried(f"read {key}", lambda: self._get(key, max_bytes))

    def get_all(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        """See `Bucket.get_all`."""

        def one(key: str) -> bytes | None:
            try:
                return self.get(key, max_bytes=sizes[key])
            except TooLargeError:
                return None

        found = _side_by_side(one, list(sizes))
        return {key: data for key, data in zip(sizes, found, strict=True) if data is not None}

    def create(self, key: str, data: bytes) -> bool:
        """See `Bucket.create`."""
        is_key(key)
        return self._retried(f"write {key}", lambda: self._create(key, data))

    def create_all(self, objects: Mapping[str, bytes]) -> list[str]:
        """See `Bucket.create_all`."""
        won = _side_by_side(lambda key: self.create(key, objects[key]), list(objects))
        return [key for key, done in zip(objects, won, strict=True) if not done]

    def replace(self, key: str, data: bytes) -> None:
        """See `Bucket.replace`."""
        is_key(key)
        self._retried(f"write {key}", lambda: self._put(key, data, "overwrite"))

    def remove(self, key: str) -> None:
        """See `Bucket.remove`."""
        is_key(key)
        self._retried(f"remove {key}", lambda: self._remove(key))

    def _get(self, key: str, max_bytes: int) -> bytes | None:
        try:
            answer = self._library.get(self._store, key)
        except FileNotFoundError as error:
            if failures.is_absent(error):
                return None
            raise
        if answer.meta["size"] > max_bytes:
            raise TooLargeError(key, max_bytes)
        data = bytearray()
        for chunk in answer.stream(min_chunk_size=_CHUNK_BYTES):
            data += chunk
            if len(data) > max_bytes:
                raise TooLargeError(key, max_bytes)
        return bytes(data)

    def _create(self, key: str, data: bytes) -> bool:
        try:
            self._put(key, data, "create")
        except self._taken:
            return self._holds(key, data)
        return True

    def _holds(self, key: str, data: bytes) -> bool:
        try:
            found = self._get(key, len(data))
        except TooLargeError:
            return False
        if found is None:
            raise _InconsistentError
        return found == data

    def _put(self, key: str, data: bytes, mode: str) -> None:
        self._library.put(self._store, key, data, mode=mode, use_multipart=False)

    def _remove(self, key: str) -> None:
        try:
            self._library.delete(self._store, key)
        except FileNotFoundError as error:
            if not failures.is_absent(error):
                raise

    def _list(self, folder: str, max_keys: int) -> list[str]:
        found: list[str] = []
        for looked_at, key in enumerate(self._entries(folder, None)):
            if len(found) >= max_keys or looked_at >= MAX_LISTED_KEYS:
                break
            above, _, name = key.rpartition("/")
            if above == folder and is_part(name):
                found.append(key)
        return sorted(found)

    def _folders(self, folder: str, most: int) -> list[str]:
        """Skip from one folder to the next: "0" is the character after the slash that all of its keys go on with.

        A store that ignores where a list is to begin gives what was seen already, which is passed over and counted.
        """
        found: list[str] = []
        offset: str | None = None
        looked_at = 0
        while len(found) < most and looked_at < MAX_LISTED_KEYS:
            inside = None
            for entry in self._entries(folder, offset):
                looked_at += 1
                if offset is not None and entry <= offset:
                    continue
                name, slash, _ = entry.removeprefix(f"{folder}/").partition("/")
                inside = f"{folder}/{name}" if slash else None
                if inside is not None or looked_at >= MAX_LISTED_KEYS:
                    break
            if inside is None:
                break
            if is_part(inside.rpartition("/")[2]):
                found.append(inside)
            offset = f"{inside}0"
        return sorted(found)

    def _entries(self, folder: str, offset: str | None) -> Iterator[str]:
        for page in self._library.list(self._store, folder, offset=offset, chunk_size=_PAGE_KEYS):
            yield from (entry["path"] for entry in page)

    def _retried(self, doing: str, attempt: Callable[[], T]) -> T:
        """Try, and try again while that may help and there is time for it."""
        until = time.monotonic() + self._bounds.retry_for_s
        pause_s = self._bounds.first_pause_s
        while True:
            cause: Exception
            try:
                return attempt()
            except TooLargeError:
                raise
            except _InconsistentError as error:
                failure, cause = failures.inconsistent(doing, self._address), error
            except Exception as error:  # the library has more kinds of them than it names
                failure, cause = failures.judge(error, doing, self._address), error
            pause_s = min(pause_s * 2, self._bounds.last_pause_s)
            wait_s = pause_s * random.uniform(0.5, 1.0)  # noqa: S311  # spreads writers, protects nothing
            if not failure.again or time.monotonic() + wait_s > until:
                _give_up(failure, cause)
            time.sleep(wait_s)

    def folders(self, folder: str, *, max_folders: int = MAX_LISTED_KEYS) -> list[str]:
        """See `Bucket.folders`. As for `list`, only the first of very many keys beside the folders are looked at."""
        folder = is_key(folder.rstrip("/"))
        return self._retried(f"list {folder}", lambda: self._folders(folder, max_folders))

    def list(self, folder: str, *, max_keys: int = MAX_LISTED_KEYS) -> list[str]:
        """See `Bucket.list`. Of a folder with very many keys, in it and below it, only the first are looked at."""
        folder = is_key(folder.rstrip("/"))
        return self._retried(f"list {folder}", lambda: self._list(folder, max_keys))


class _InconsistentError(Exception):
    """The store said that a key is taken, and had nothing under it."""


def _give_up(failure: failures.Failure, cause: Exception) -> NoReturn:
    raise failure.error from cause


def _side_by_side(work: Callable[[str], T], keys: list[str]) -> list[T]:
    """Do it for every key, some at a time: each mostly waits for the network."""
    if len(keys) < 2:
        return [work(key) for key in keys]
    with ThreadPoolExecutor(min(_AT_ONCE, len(keys)), thread_name_prefix="habanero-bucket") as threads:
        return list(threads.map(work, keys))
