"""The envelope of a release or a request: DSSE 1.0, bytes and the signatures over them.

It does not verify (`trust` decides whose signatures count, `keys` does the arithmetic) and does not look into the
payload. The rule it upholds: what is signed is the type and the payload's bytes, never a re-encoding of what they
mean; and a release is identified by the digest of its payload, since envelopes around it can be many.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from habanero_receiver.errors import RequestError
from habanero_receiver.values import NamedTuple

from . import strictjson
from .fields import DIGEST_PREFIX, Fields, decode_base64, encode_base64
from .limits import DEFAULT_LIMITS, Limits

PAYLOAD_TYPE = "application/vnd.in-toto+json"


def pae(payload_type: str, payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding, which no two (type, payload) pairs share."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


class Signature(NamedTuple):
    """A claim: these bytes were signed by the key of this id. Neither is believed before it is verified."""

    keyid: str
    sig: bytes


class Envelope(NamedTuple):
    """A payload of a named type, with signatures over both."""

    payload_type: str
    payload: bytes
    signatures: tuple[Signature, ...] = ()

    @property
    def digest(self) -> str:
        """The identity of a release: "sha256:<hex>" of the payload."""
        return DIGEST_PREFIX + hashlib.sha256(self.payload).hexdigest()

    @property
    def message(self) -> bytes:
        """The bytes that signatures are over."""
        return pae(self.payload_type, self.payload)

    def sign(self, keyid: str, sign: Callable[[bytes], bytes]) -> Envelope:
        """This envelope with one more signature."""
        added = Signature(keyid, sign(self.message))
        return Envelope(self.payload_type, self.payload, (*self.signatures, added))

    def encode(self) -> bytes:
        """The envelope as JSON."""
        signatures = [{"keyid": each.keyid, "sig": encode_base64(each.sig)} for each in self.signatures]
        return strictjson.dumps(
            {"payloadType": self.payload_type, "payload": encode_base64(self.payload), "signatures": signatures}
        )

    @classmethod
    def decode(cls, data: bytes, limits: Limits = DEFAULT_LIMITS) -> Envelope:
        """The envelope in `data`. RequestError: envelope-size, schema, base64, and those of `strictjson.loads`."""
        if not 0 < len(data) <= limits.max_envelope_bytes:
            raise RequestError("envelope-size", f"an envelope of {len(data)} bytes")
        value = strictjson.loads(data, max_depth=limits.max_json_depth)
        fields = Fields(value, "envelope", ("payloadType", "payload", "signatures"))
        return cls(
            payload_type=fields.string("payloadType"),
            payload=decode_base64(fields.string("payload"), fields.name("payload")),
            signatures=tuple(_signature(item) for item in fields.array("signatures")),
        )


def _signature(value: object) -> Signature:
    fields = Fields(value, "envelope.signatures", ("keyid", "sig"))
    return Signature(fields.string("keyid"), decode_base64(fields.string("sig"), fields.name("sig")))
