"""A signed read: whoever asks what runs shows a key, as whoever pushes does.

The header `Authorization: Habanero <base64 of an envelope>` signs the target, the method and the path, for minutes. It
does not judge (`habanero_receiver.trust`), and it does not stop a read from being repeated within those minutes: it
shows nothing that was not shown to the signer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from habanero_receiver.errors import RequestError

from . import strictjson
from .envelope import Envelope
from .fields import Fields, decode_base64, encode_base64, encode_time
from .limits import DEFAULT_LIMITS, Limits

REQUEST_TYPE = "application/vnd.habanero.request+json"
SCHEME = "Habanero"
_FIELDS = ("target", "method", "path", "issued", "accept_until", "nonce")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What is signed. `path` is what follows the mount's prefix, with the query: "/v1/journal?after=3"."""

    target: str
    method: str
    path: str
    issued: datetime
    accept_until: datetime
    nonce: str

    def encode(self) -> bytes:
        """The payload to sign."""
        return strictjson.dumps(
            {
                "target": self.target,
                "method": self.method,
                "path": self.path,
                "issued": encode_time(self.issued),
                "accept_until": encode_time(self.accept_until),
                "nonce": self.nonce,
            }
        )

    @classmethod
    def decode(cls, payload: bytes, limits: Limits = DEFAULT_LIMITS) -> ReadRequest:
        """The request in a payload. RequestError: payload-size, schema, time, and those of `strictjson.loads`."""
        if len(payload) > limits.max_payload_bytes:
            raise RequestError("payload-size", f"a signed request of {len(payload)} bytes")
        fields = Fields(strictjson.loads(payload, max_depth=limits.max_json_depth), "request", _FIELDS)
        return cls(
            target=fields.text("target", limits.max_text_chars),
            method=fields.text("method", 16),
            path=fields.text("path", limits.max_payload_bytes),
            issued=fields.time("issued"),
            accept_until=fields.time("accept_until"),
            nonce=fields.text("nonce", 64),
        )


def compose(request: ReadRequest, keyid: str, sign: Callable[[bytes], bytes]) -> str:
    """The value of the Authorization header; `sign` gives 64 bytes of ed25519 over exactly what it gets."""
    envelope = Envelope(REQUEST_TYPE, request.encode()).sign(keyid, sign)
    return f"{SCHEME} {encode_base64(envelope.encode())}"


def decode_header(value: str, limits: Limits = DEFAULT_LIMITS) -> Envelope | None:
    """The envelope in an Authorization header, None for another scheme's or none.

    RequestError: envelope-size, base64, and those of `Envelope.decode`.
    """
    scheme, _, encoded = value.partition(" ")
    if scheme.lower() != SCHEME.lower():
        return None
    if len(encoded) > limits.max_header_bytes:
        raise RequestError("envelope-size", f"a header of {len(encoded)} characters")
    return Envelope.decode(decode_base64(encoded.strip(), "the Authorization header"), limits)
