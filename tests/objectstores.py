"""Object stores to test against, each a process of its own that speaks real HTTP on loopback."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from serving import end, free_port, wait_until

from habanero_receiver.journal.bucket import Bucket, open_bucket
from habanero_receiver.journal.stores.address import parse
from habanero_receiver.journal.stores.client import StoreClient
from habanero_receiver.journal.stores.options import Bounds

KEY_ID, SECRET = "test-key", "test-secret"
QUICK = Bounds(
    connect_timeout_s=1, stall_timeout_s=0.5, request_timeout_s=3, retry_for_s=1.5, first_pause_s=0.01, last_pause_s=0.1
)
"""Short bounds for tests of what never answers."""


@dataclass(frozen=True)
class ObjectStore:
    """A store that runs: where, and with which credentials."""

    endpoint: str
    key_id: str = KEY_ID
    secret: str = SECRET
    region: str = "us-east-1"

    def environ(self, endpoint: str = "") -> dict[str, str]:
        """The variables that address it, directly or by way of another endpoint."""
        return {
            "AWS_ENDPOINT_URL_S3": endpoint or self.endpoint,
            "AWS_ACCESS_KEY_ID": self.key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": self.region,
        }

    def make_bucket(self) -> str:
        """Make an empty bucket; gives its URL, with a prefix."""
        name = f"releases-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return f"s3://{name}/some/prefix"

    def client(self) -> Any:
        return _client(self)

    def put(self, url: str, key: str, data: bytes) -> None:
        """Put a key as somebody else with rights to the bucket would."""
        name, _, prefix = url.removeprefix("s3://").partition("/")
        self.client().put_object(Bucket=name, Key=f"{prefix}/{key}", Body=data)

    def keys(self, url: str) -> list[str]:
        """All keys of a bucket below its prefix."""
        name, _, prefix = url.removeprefix("s3://").partition("/")
        pages = self.client().get_paginator("list_objects_v2").paginate(Bucket=name, Prefix=f"{prefix}/")
        return [entry["Key"].removeprefix(f"{prefix}/") for page in pages for entry in page.get("Contents", ())]

    def client_of(self, url: str, endpoint: str = "", bounds: Bounds = QUICK) -> StoreClient:
        """The client that a process uses, with bounds of the test's choice. It reads credentials from os.environ."""
        environ = self.environ(endpoint)
        return StoreClient(parse(url, environ), environ, bounds)

    def open(self, url: str, endpoint: str = "") -> Bucket:
        """The bucket as the receiver opens it."""
        return open_bucket(url, {**os.environ, **self.environ(endpoint)})


@functools.cache
def _client(store: ObjectStore) -> Any:
    """Somebody else's client. Making one takes longer than most tests."""
    return boto3.client(
        "s3",
        endpoint_url=store.endpoint,
        aws_access_key_id=store.key_id,
        aws_secret_access_key=store.secret,
        region_name=store.region,
    )


@contextmanager
def moto(folder: Path) -> Iterator[ObjectStore]:
    """An S3 in memory that enforces create-only writes."""
    port = free_port()
    code = f"from moto.server import main; main(['-H', '127.0.0.1', '-p', '{port}'])"
    with running([sys.executable, "-c", code], folder / "moto.log", f"http://127.0.0.1:{port}/moto-api/"):
        yield ObjectStore(f"http://127.0.0.1:{port}")


@dataclass(frozen=True)
class GoogleStore:
    """A stand-in for Google's store that runs; `key_file` is that of an account whose signature nobody asks for."""

    endpoint: str
    key_file: Path

    def environ(self, endpoint: str = "") -> dict[str, str]:
        """The variables that address it, directly or by way of another endpoint."""
        return {"GOOGLE_BASE_URL": endpoint or self.endpoint, "GOOGLE_SERVICE_ACCOUNT": str(self.key_file)}

    def make_bucket(self) -> str:
        """Make an empty bucket; gives its URL, with a prefix."""
        name = f"releases-{uuid.uuid4().hex[:12]}"
        request = urllib.request.Request(f"{self.endpoint}/{name}", data=b"", method="PUT")
        with urllib.request.urlopen(request, timeout=20):
            return f"gs://{name}/some/prefix"

    def client_of(self, url: str, endpoint: str = "", bounds: Bounds = QUICK) -> StoreClient:
        """The client that a process uses, with bounds of the test's choice. It reads the account from os.environ."""
        environ = self.environ(endpoint)
        return StoreClient(parse(url, environ), environ, bounds)

    def open(self, url: str, endpoint: str = "") -> Bucket:
        """The bucket as the receiver opens it."""
        return open_bucket(url, {**os.environ, **self.environ(endpoint)})


@contextmanager
def google(folder: Path) -> Iterator[GoogleStore]:
    """A stand-in for Google Cloud Storage in memory; no emulator has the part of its interface that is used."""
    port, key_file = free_port(), folder / "google-account.json"
    account = {"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": True}
    key_file.write_text(json.dumps({"type": "service_account", **account}))
    command = [sys.executable, str(Path(__file__).parent / "googlestore.py"), str(port)]
    with running(command, folder / "google.log", f"http://127.0.0.1:{port}/none?list-type=2"):
        yield GoogleStore(f"http://127.0.0.1:{port}", key_file)


@contextmanager
def running(command: list[str], log: Path, ready_url: str, timeout_s: float = 30.0, **environ: str) -> Iterator[None]:
    """A process that answers at `ready_url`; ended with all that it started."""
    with log.open("w") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=file, text=True, start_new_session=True, env={**os.environ, **environ}
        )
    try:
        wait_until(lambda: _answers(ready_url) or process.poll() is not None, what=log.read_text, timeout_s=timeout_s)
        if process.poll() is not None:
            raise AssertionError(log.read_text())
        yield
    finally:
        end(process)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False
