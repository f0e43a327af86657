"""Which object store is meant: a URL and the environment, as one checked value.

What it does: reads `s3://bucket/prefix`, `gs://…` and `az://…`, the variables by which stores other than a provider's
own are addressed, and those that `fly storage create` sets. What it does not: it asks no network and reads no
credentials (the library takes those from the environment itself).

The rule it upholds: keys and source code cross a network only encrypted. A plain http endpoint has to be on this
machine, or be named by the operator in HABANERO_BUCKET_PLAIN_HTTP.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from habanero_receiver.errors import ConfigError
from habanero_receiver.journal.bucket import is_part
from habanero_receiver.values import NamedTuple

KINDS = ("s3", "gs", "az")
PLAIN_HTTP = "HABANERO_BUCKET_PLAIN_HTTP"
FLY_PREFIX = "habanero"
_NAME = re.compile(r"[a-z0-9$][a-z0-9._-]{1,221}")
_ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"),
}
_HELP: Mapping[str, str] = {
    "s3": "a bucket and, if you like, a prefix in it: s3://my-bucket/shop",
    "gs": "a bucket and, if you like, a prefix in it: gs://my-bucket/shop",
    "az": "a container and, if you like, a prefix in it: az://my-container/shop",
}


class Address(NamedTuple):
    """One bucket. `kind` is of KINDS; `endpoint` is empty for the provider's own; `plain_http` that it is not https."""

    kind: str
    bucket: str
    prefix: str = ""
    endpoint: str = ""
    plain_http: bool = False

    def __str__(self) -> str:
        """As a person reads it: what is addressed, and where when that is not the provider's own place."""
        url = "/".join(filter(None, (f"{self.kind}://{self.bucket}", self.prefix)))
        return f"{url} at {self.endpoint}" if self.endpoint else url


def default_url(environ: Mapping[str, str]) -> str | None:
    """The URL of the bucket that `fly storage create` made, if it made one: a folder of ours in it."""
    name = environ.get("BUCKET_NAME", "")
    return f"s3://{name}/{FLY_PREFIX}" if name and environ.get("AWS_ENDPOINT_URL_S3") else None


def parse(url: str, environ: Mapping[str, str]) -> Address:
    """Read a URL whose scheme is one of KINDS.

    ConfigError `bucket-url` for a URL or an endpoint that cannot be used, `bucket-insecure` for plain http elsewhere.
    """
    parts = urlsplit(url)
    prefix = parts.path.strip("/")
    named = _NAME.fullmatch(parts.netloc) and not parts.query and not parts.fragment
    if not named or not all(is_part(word) for word in prefix.split("/") if prefix):
        raise ConfigError(
            "bucket-url",
            f"HABANERO_BUCKET is {without_secrets(url)!r}, which does not name a bucket",
            subject="HABANERO_BUCKET",
            help=_HELP[parts.scheme] + "; keys and endpoints go into variables of their own",
        )
    endpoint, plain_http = _endpoint(parts.scheme, environ)
    return Address(parts.scheme, parts.netloc, prefix, endpoint, plain_http)


def without_secrets(url: str) -> str:
    """The URL as it may be shown: without the user, the password and the query that somebody may have put into it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "…" if parts.query else "", ""))


def _endpoint(kind: str, environ: Mapping[str, str]) -> tuple[str, bool]:
    name = next((name for name in _ENDPOINTS[kind] if environ.get(name)), "")
    if not name:
        return "", False
    parts = urlsplit(environ[name])
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.query:
        raise ConfigError(
            "bucket-url",
            f"{name} is {without_secrets(environ[name])!r}, which is not the address of a store",
            subject=name,
            help="the scheme and the host, without the bucket: https://storage.example.com",
        )
    if parts.scheme == "http" and not _is_here(host) and host not in environ.get(PLAIN_HTTP, "").split(","):
        raise ConfigError(
            "bucket-insecure",
            f"{name} is {environ[name]!r}: plain http would show your code and its signatures to the network",
            subject=name,
            help=f"use https; on a network that only you can read, {PLAIN_HTTP}={host} allows it for that host",
        )
    location = f"[{host}]" if ":" in host else host
    shown = f"{parts.scheme}://{location}{f':{port}' if port else ''}{parts.path.rstrip('/')}"
    return shown, parts.scheme == "http"


def _is_here(host: str) -> bool:
    import ipaddress  # every boot imports this module, and few have an endpoint of plain http

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
