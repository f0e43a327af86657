"""A stand-in for Google Cloud Storage, for tests: as much of its XML interface as the client library speaks.

    PUT /bucket                          make a bucket
    GET /bucket?list-type=2&prefix=…     a page of its keys, in order, after `start-after` or a continuation token
    PUT, GET, HEAD, DELETE /bucket/key   an object; `x-goog-if-generation-match` is held to, on writes and deletions

Run as `python googlestore.py PORT` it keeps everything in memory and speaks real HTTP on loopback. It is written from
Google's documentation of its interface and from what the library sends: it shows that our side of the conversation is
right, not that Google's is. Signatures and tokens are not looked at.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

CONDITION = "x-goog-if-generation-match"
PAGE_KEYS = 100
"""Google's pages have 1,000; here a client has to ask for a second one sooner."""
_WHEN = "Sat, 21 Nov 2026 12:00:00 GMT"
_LISTED_WHEN = "2026-11-21T12:00:00.000Z"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Stored(NamedTuple):
    """An object as it lies there. Generations count up over all objects, and are never given twice."""

    data: bytes
    generation: int

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": f'"{hashlib.md5(self.data).hexdigest()}"', "x-goog-generation": str(self.generation)}


class RefusedError(Exception):
    """What a request is refused with: a status, and the word for it that Google uses."""

    def __init__(self, status: int, word: str) -> None:
        super().__init__(word)
        self.status, self.word = status, word


class Store:
    """All buckets. Each call is one step for whoever else calls."""

    def __init__(self) -> None:
        self._buckets: dict[str, dict[str, Stored]] = {}
        self._generations = itertools.count(1)
        self._store_lock = threading.Lock()

    def make(self, bucket: str) -> None:
        with self._store_lock:
            self._buckets.setdefault(bucket, {})

    def put(self, bucket: str, key: str, data: bytes, condition: str | None) -> Stored:
        with self._store_lock:
            objects = self._objects(bucket)
            self._check(objects.get(key), condition)
            objects[key] = stored = Stored(data, next(self._generations))
            return stored

    def get(self, bucket: str, key: str) -> Stored:
        with self._store_lock:
            stored = self._objects(bucket).get(key)
        if stored is None:
            raise RefusedError(404, "NoSuchKey")
        return stored

    def delete(self, bucket: str, key: str, condition: str | None) -> None:
        with self._store_lock:
            objects = self._objects(bucket)
            self._check(objects.get(key), condition)
            if objects.pop(key, None) is None:
                raise RefusedError(404, "NoSuchKey")

    def list(self, bucket: str, prefix: str, after: str) -> list[tuple[str, Stored]]:
        """All keys with the prefix that come after one, in the order of their bytes."""
        with self._store_lock:
            objects = list(self._objects(bucket).items())
        found = [(key, stored) for key, stored in objects if key.startswith(prefix) and key > after]
        return sorted(found, key=lambda item: item[0].encode())

    def _objects(self, bucket: str) -> dict[str, Stored]:
        if bucket not in self._buckets:
            raise RefusedError(404, "NoSuchBucket")
        return self._buckets[bucket]

    def _check(self, there: Stored | None, condition: str | None) -> None:
        if condition is not None and int(condition) != (0 if there is None else there.generation):
            raise RefusedError(412, "PreconditionFailed")


class Handler(BaseHTTPRequestHandler):
    """One connection; its server has the store."""

    protocol_version = "HTTP/1.1"
    store = Store()

    def do(self) -> None:
        """Answer a request."""
        length = self.headers.get("Content-Length")
        data = self.rfile.read(int(length or 0))
        parts = urlsplit(self.path)
        bucket, _, key = parts.path.lstrip("/").partition("/")
        bucket, key = unquote(bucket), unquote(key)
        try:
            if length is None and self.command == "PUT":
                raise RefusedError(411, "MissingContentLength")
            if key:
                self._object(bucket, key, data)
            else:
                self._bucket(bucket, {name: values[0] for name, values in parse_qs(parts.query).items()})
        except RefusedError as error:
            text = f"<?xml version='1.0'?><Error><Code>{error.word}</Code><Message>No.</Message></Error>"
            self._reply(error.status, {"Content-Type": "application/xml"}, text.encode())

    do_GET = do_HEAD = do_PUT = do_DELETE = do  # noqa: N815  # the library's names

    def _bucket(self, bucket: str, query: dict[str, str]) -> None:
        if self.command == "PUT":
            self.store.make(bucket)
            self._reply(200)
        elif self.command == "GET" and query.get("list-type") == "2":
            prefix, after = query.get("prefix", ""), query.get("continuation-token", query.get("start-after", ""))
            found = self.store.list(bucket, prefix, after)
            most = min(int(query.get("max-keys", PAGE_KEYS)), PAGE_KEYS)
            self._reply(200, {"Content-Type": "application/xml"}, _page(bucket, prefix, found, most))
        else:
            raise RefusedError(400, "InvalidArgument")

    def _object(self, bucket: str, key: str, data: bytes) -> None:
        condition = self.headers.get(CONDITION)
        if self.command == "PUT":
            self._reply(200, self.store.put(bucket, key, data, condition).headers)
        elif self.command == "DELETE":
            self.store.delete(bucket, key, condition)
            self._reply(204)
        else:
            stored = self.store.get(bucket, key)
            headers = {**stored.headers, "Last-Modified": _WHEN, "Content-Type": "application/octet-stream"}
            wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
            if wanted is None:
                self._reply(200, headers, stored.data)
            else:
                self._reply_part(headers, stored.data, int(wanted[1]), int(wanted[2] or len(stored.data) - 1))

    def _reply_part(self, headers: dict[str, str], data: bytes, first: int, last: int) -> None:
        if first >= len(data):
            raise RefusedError(416, "InvalidRange")
        last = min(last, len(data) - 1)
        headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
        self._reply(206, headers, data[first : last + 1])

    def _reply(self, status: int, headers: dict[str, str] | None = None, data: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _page(bucket: str, prefix: str, found: list[tuple[str, Stored]], most: int) -> bytes:
    shown, more = found[:most], len(found) > most
    contents = "".join(
        f"<Contents><Key>{escape(key)}</Key><Generation>{stored.generation}</Generation>"
        f"<LastModified>{_LISTED_WHEN}</LastModified><ETag>{escape(stored.headers['ETag'])}</ETag>"
        f"<Size>{len(stored.data)}</Size></Contents>"
        for key, stored in shown
    )
    token = f"<NextContinuationToken>{escape(shown[-1][0])}</NextContinuationToken>" if more and shown else ""
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><ListBucketResult><Name>{escape(bucket)}</Name>"
        f"<Prefix>{escape(prefix)}</Prefix><IsTruncated>{'true' if more else 'false'}</IsTruncated>{token}{contents}"
        "</ListBucketResult>"
    ).encode()


class Server(ThreadingHTTPServer):
    """Many connections at once."""

    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
