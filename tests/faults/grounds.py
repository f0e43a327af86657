"""The stores that heavy tests run on: those that must keep the contract, and one that must be refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from objectstores import ObjectStore, google, moto, running
from serving import free_port

from faults.scenario import UnavailableError

CEPH = ("radosgw", "radosgw-admin", "ceph-mon", "ceph-osd", "ceph", "monmaptool", "ceph-authtool")
SCRIPT = Path(__file__).parents[2] / "tools" / "ceph_rgw.sh"
_AZURE_ACCOUNT = "devstoreaccount1"
_AZURE_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Both are the emulator's own, the same everywhere; no secret."""


@contextmanager
def ceph(folder: Path) -> Iterator[ObjectStore]:
    """A Ceph cluster of one node with its S3 gateway, from Debian's packages."""
    missing = [name for name in CEPH if shutil.which(name) is None]
    if missing:
        raise UnavailableError(
            f"without {missing[0]}: apt-get install --no-install-recommends radosgw ceph-mon ceph-osd"
        )
    port = free_port()
    command = ["sh", str(SCRIPT), str(folder / "ceph"), str(free_port()), str(port)]
    with running(command, folder / "ceph.log", f"http://127.0.0.1:{port}/", timeout_s=120):
        yield ObjectStore(f"http://127.0.0.1:{port}")


@contextmanager
def s3rver(folder: Path) -> Iterator[ObjectStore]:
    """A small S3 from npm that ignores If-None-Match."""
    port = free_port()
    words = ["s3rver", "--directory", str(folder / "s3rver"), "--address", "127.0.0.1", "--port", str(port)]
    (folder / "s3rver").mkdir()
    with running(_npx("s3rver", words), folder / "s3rver.log", f"http://127.0.0.1:{port}/", timeout_s=120):
        yield ObjectStore(f"http://127.0.0.1:{port}", key_id="S3RVER", secret="S3RVER")


@dataclass(frozen=True)
class Azurite:
    """The emulator of Azure Blob Storage, as it runs."""

    endpoint: str

    def environ(self) -> dict[str, str]:
        return {
            "AZURE_STORAGE_ACCOUNT_NAME": _AZURE_ACCOUNT,
            "AZURE_STORAGE_ACCOUNT_KEY": _AZURE_KEY,
            "AZURE_STORAGE_ENDPOINT": self.endpoint,
        }

    def make_bucket(self) -> str:
        """Make an empty container; gives its URL, with a prefix."""
        name = f"releases-{uuid.uuid4().hex[:12]}"
        date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
        headers = {"x-ms-date": date, "x-ms-version": "2021-08-06"}
        text = "PUT" + "\n" * 12 + "".join(f"{key}:{value}\n" for key, value in headers.items())
        text += f"/{_AZURE_ACCOUNT}/{_AZURE_ACCOUNT}/{name}\nrestype:container"
        digest = hmac.new(base64.b64decode(_AZURE_KEY), text.encode(), hashlib.sha256).digest()
        headers["Authorization"] = f"SharedKey {_AZURE_ACCOUNT}:{base64.b64encode(digest).decode()}"
        request = urllib.request.Request(f"{self.endpoint}/{name}?restype=container", headers=headers, method="PUT")
        with urllib.request.urlopen(request, timeout=20):
            return f"az://{name}/some/prefix"


@contextmanager
def azurite(folder: Path) -> Iterator[Azurite]:
    """Azure's own emulator of its blobs, from npm."""
    port = free_port()
    words = ["azurite-blob", "--inMemoryPersistence", "--blobPort", str(port), "--skipApiVersionCheck"]
    endpoint = f"http://127.0.0.1:{port}/{_AZURE_ACCOUNT}"
    with running(_npx("azurite", [*words, "--disableTelemetry"]), folder / "azurite.log", endpoint, timeout_s=180):
        yield Azurite(endpoint)


def _npx(package: str, words: list[str]) -> list[str]:
    if shutil.which("npm") is None:
        raise UnavailableError(f"without npm, which would fetch {package}")
    return ["npm", "exec", "--yes", "--package", package, "--", *words]


STORES = {"moto": moto, "ceph": ceph, "google-stand-in": google}
"""Stores that keep the contract and can be put behind a proxy, by name."""
