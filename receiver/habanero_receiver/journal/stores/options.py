"""What the library's client is told for an address: one table for each kind of store, and bounds for all of them.

What it does: makes the store object of obstore. What it does not: it makes no request, and sets nothing that the
library reads from the environment by itself (credentials, regions).

The rule it upholds: every request has an end. Retries are ours (`client`), so that each of them is counted, bounded and
told apart; the library makes none.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from habanero_receiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from habanero_receiver.journal.stores.address import Address


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long things may take. No attempt begins later than `retry_for_s` after the first."""

    connect_timeout_s: float = 2.0
    stall_timeout_s: float = 3.0
    request_timeout_s: float = 15.0
    retry_for_s: float = 8.0
    first_pause_s: float = 0.05
    last_pause_s: float = 1.0


DEFAULT_BOUNDS = Bounds()


def make_store(address: Address, environ: Mapping[str, str], bounds: Bounds) -> Any:  # noqa: ANN401  # the library's
    """The library's store. ConfigError `stores-not-installed` without it, `bucket-url` when it refuses the settings."""
    try:
        stores = importlib.import_module("obstore.store")
    except ImportError as error:
        raise ConfigError(
            "stores-not-installed",
            f"the bucket is {address}, and this installation cannot reach object stores: {error}",
            subject="HABANERO_BUCKET",
            help="pip install 'habanero-py[stores]' in the server's environment",
        ) from error
    kind, config = {"s3": _s3, "gs": _gs, "az": _az}[address.kind](address, environ)
    try:
        return getattr(stores, kind)(
            address.bucket,
            prefix=address.prefix or None,
            config=config,
            client_options=_client(address, bounds),
            retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=bounds.retry_for_s)},
        )
    except Exception as error:
        raise ConfigError(
            "bucket-url",
            f"the client for {address} cannot be made: {str(error).partition(chr(10))[0]}",
            subject="HABANERO_BUCKET",
            help="docs/buckets.md lists the variables of each kind of store",
        ) from error


def _client(address: Address, bounds: Bounds) -> dict[str, object]:
    options: dict[str, object] = {
        "allow_http": address.plain_http,
        "connect_timeout": timedelta(seconds=bounds.connect_timeout_s),
        "read_timeout": timedelta(seconds=bounds.stall_timeout_s),
        "timeout": timedelta(seconds=bounds.request_timeout_s),
    }
    if address.kind == "s3" and address.endpoint:
        # Tigris gives every region a copy and reads the nearest one unless it is told not to; others pass it over.
        options["default_headers"] = {"X-Tigris-Consistent": "true"}
    return options


def _s3(address: Address, environ: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    config: dict[str, object] = {
        "conditional_put": "etag",
        "disable_bulk_delete": True,  # one key at a time, and not every store has the other form
        "region": environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or "us-east-1",
    }
    if address.endpoint:  # under both names: the library prefers the second, also when it is only in the environment
        config |= {"endpoint": address.endpoint, "aws_endpoint_url_s3": address.endpoint}
    return "S3Store", config


def _gs(address: Address, _environ: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    return "GCSStore", {"base_url": address.endpoint} if address.endpoint else {}


def _az(address: Address, _environ: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    return "AzureStore", {"endpoint": address.endpoint} if address.endpoint else {}
