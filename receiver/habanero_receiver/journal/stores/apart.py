"""A bucket's client in a process of its own, that is asked over a socket.

What it does: starts that process at the first call, hands it one call at a time, and ends it. What it does not: it
keeps no promise of its own; the process does, with the same `client` as everywhere.

The rule it upholds: the process that asks stays clean. No thread, no poll set, no client of the library is in it, so
it may fork whenever it likes; and a call has an end, whatever the library does.

    frame: 4 bytes, length of the head; the head, JSON, with "sizes" of what follows; that many byte strings
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from habanero_receiver.errors import ConfigError, HabaneroError, StoreError
from habanero_receiver.journal.bucket import MAX_LISTED_KEYS, TooLargeError
from habanero_receiver.journal.stores.address import Address

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from habanero_receiver.journal.stores.client import StoreClient

CALL_TIMEOUT_S = 30.0
"""Longer than any call's own bounds: reached when the process itself is stuck."""
END_WAIT_S = 2.0
_LENGTH = struct.Struct("!I")
_MAX_HEAD_BYTES = 64 * 2**20
_SERVE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2])\n"
    "from habanero_receiver.journal.stores import apart; apart.serve(int(sys.argv[1]), sys.argv[3])"
)
_OFF = ("HABANERO_TRUSTED_KEYS", "HABANERO_TRUSTED_KEYS_FILE", "HABANERO_RUN")
"""Without these the process that is started does not boot, which would start another one."""


class ApartClient:
    """A bucket whose requests another process makes. Threads may share it; of a fork, each side has its own."""

    def __init__(self, address: Address, environ: Mapping[str, str], call_timeout_s: float = CALL_TIMEOUT_S) -> None:
        """Starts nothing yet."""
        self._address, self._call_timeout_s = address, call_timeout_s
        self._environ = {name: value for name, value in environ.items() if name not in _OFF}
        self._calling_lock = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    def check(self) -> bool:
        """See `Bucket.check`."""
        return bool(self._call("check")[0])

    def get(self, key: str, *, max_bytes: int) -> bytes | None:
        """See `Bucket.get`."""
        _, data = self._call("get", key, max_bytes)
        return data[0] if data else None

    def get_all(self, sizes: Mapping[str, int]) -> dict[str, bytes]:
        """See `Bucket.get_all`."""
        keys, data = self._call("get_all", dict(sizes))
        return dict(zip(keys, data, strict=True))

    def create(self, key: str, data: bytes) -> bool:
        """See `Bucket.create`."""
        return bool(self._call("create", key, data=[data])[0])

    def create_all(self, objects: Mapping[str, bytes]) -> list[str]:
        """See `Bucket.create_all`."""
        return list(self._call("create_all", list(objects), data=list(objects.values()))[0])

    def replace(self, key: str, data: bytes) -> None:
        """See `Bucket.replace`."""
        self._call("replace", key, data=[data])

    def remove(self, key: str) -> None:
        """See `Bucket.remove`."""
        self._call("remove", key)

    def close(self) -> None:
        """End the process for good. A call that another thread is in fails at once: nobody waits for it any more."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()  # it has nothing to lose, and whoever waits for it sees its end
        with self._calling_lock:
            self._end()

    def _call(self, name: str, *words: object, data: Sequence[bytes] = ()) -> tuple[Any, list[bytes]]:
        with self._calling_lock:
            try:
                if self._closed:
                    raise ConnectionError("it was ended")
                line = self._line or self._start()
                _send(line, {"call": name, "words": words}, data)
                head, data = _receive(line)
            except OSError as error:
                self._end()
                raise _stuck(self._address, error) from error
        if "error" in head:
            raise _revived(head["error"])
        return head["gives"], list(data)

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        words = [str(theirs.fileno()), json.dumps(sys.path), json.dumps(self._address._asdict())]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", _SERVE, *words],
                env=self._environ,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C in the terminal is for the app, which then closes us
            )
        ours.settimeout(self._call_timeout_s)
        self._line = ours
        return ours

    def _end(self) -> None:
        line, process = self._line, self._process
        self._line = self._process = None
        if line is not None:
            line.close()  # its process ends when nobody can ask it any more
        if process is not None:
            try:
                process.wait(END_WAIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def folders(self, folder: str, *, max_folders: int = MAX_LISTED_KEYS) -> list[str]:
        """See `Bucket.folders`."""
        return list(self._call("folders", folder, max_folders)[0])

    def list(self, folder: str, *, max_keys: int = MAX_LISTED_KEYS) -> list[str]:
        """See `Bucket.list`."""
        return list(self._call("list", folder, max_keys)[0])


def serve(descriptor: int, address: str) -> None:
    """Be the process: answer calls until the other side is gone."""
    from habanero_receiver.journal.stores.client import StoreClient

    client: StoreClient | None = None
    with socket.socket(fileno=descriptor) as line, contextlib.suppress(ConnectionError):
        while True:
            head, data = _receive(line)
            try:
                client = client or StoreClient(Address(**json.loads(address)), os.environ)
                gives, found = _answer(client, head["call"], head["words"], data)
            except HabaneroError as error:
                _send(line, {"error": _packed(error)}, ())
            else:
                _send(line, {"gives": gives}, found)


def _answer(
    client: StoreClient, call: str, words: Sequence[Any], data: Sequence[bytes]
) -> tuple[object, Sequence[bytes]]:
    """Make the call; what is bytes of the answer comes beside it."""
    match call:
        case "get":
            found = client.get(words[0], max_bytes=words[1])
            return None, [] if found is None else [found]
        case "get_all":
            several = client.get_all(words[0])
            return list(several), list(several.values())
        case "create_all":
            return client.create_all(dict(zip(words[0], data, strict=True))), ()
        case "list":
            return client.list(words[0], max_keys=words[1]), ()
        case "folders":
            return client.folders(words[0], max_folders=words[1]), ()
        case _:
            return getattr(client, call)(*words, *data), ()


def _send(line: socket.socket, head: dict[str, object], data: Sequence[bytes]) -> None:
    encoded = json.dumps({**head, "sizes": [len(piece) for piece in data]}).encode()
    line.sendall(_LENGTH.pack(len(encoded)) + encoded)
    for piece in data:
        line.sendall(piece)


def _receive(line: socket.socket) -> tuple[dict[str, Any], list[bytes]]:
    (length,) = _LENGTH.unpack(_exactly(line, _LENGTH.size))
    if length > _MAX_HEAD_BYTES:
        raise ConnectionError("a frame that is none")
    head = json.loads(_exactly(line, length))
    return head, [_exactly(line, size) for size in head["sizes"]]


def _exactly(line: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        piece = line.recv(min(size - len(data), 1 << 20))
        if not piece:
            raise ConnectionError("the other side is gone")
        data += piece
    return bytes(data)


def _packed(error: HabaneroError) -> dict[str, object]:
    if isinstance(error, TooLargeError):
        return {"kind": "large", "subject": error.subject, "max_bytes": error.max_bytes}
    kind = "config" if isinstance(error, ConfigError) else "store"
    return {"kind": kind, "code": error.code, "message": error.message, "subject": error.subject, "help": error.help}


def _revived(packed: dict[str, str]) -> HabaneroError:
    if packed["kind"] == "large":
        return TooLargeError(packed["subject"], int(packed["max_bytes"]))
    kind = ConfigError if packed["kind"] == "config" else StoreError
    return kind(packed["code"], packed["message"], subject=packed["subject"], help=packed["help"])


def _stuck(address: Address, error: OSError) -> StoreError:
    late = isinstance(error, TimeoutError)
    return StoreError(
        "store-timeout" if late else "store",
        f"the process that speaks to the bucket {address} "
        + ("did not answer in time and was ended" if late else f"is gone or could not be started: {error}"),
        subject=str(address),
        help="look at the network and at this machine's memory; the next call starts another one",
    )
