"""An ed25519 public key as OpenSSH writes it, and the one place that verifies a signature.

It reads no file and no private key, and says nothing about who is trusted (`keys`). The rule it upholds: the type word
of a line decides before any library sees the key, because libraries load security-key ("sk-") keys and certificates
as if they were plain ed25519 keys, whose signatures promise something else.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from typing import TYPE_CHECKING

from habanero_receiver.errors import ConfigError, RequestError
from habanero_receiver.values import NamedTuple

from .fields import decode_base64, encode_base64

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KEY_TYPE = "ssh-ed25519"
KEY_BYTES = 32
SIGNATURE_BYTES = 64
_TYPE_STARTS = ("ssh-", "sk-", "ecdsa-", "rsa-")


class PublicKey(NamedTuple):
    """A plain ed25519 public key: its 32 bytes, and the comment beside it, which is trusted for nothing."""

    raw: bytes
    comment: str = ""

    @property
    def keyid(self) -> str:
        """The fingerprint that `ssh-keygen -l` shows: "SHA256:" and 43 letters. One key has one."""
        digest = hashlib.sha256(self._wire()).digest()
        return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")

    def openssh(self) -> str:
        """The line of a .pub file, without a line end."""
        return f"{KEY_TYPE} {encode_base64(self._wire())} {self.comment}".rstrip()

    def _wire(self) -> bytes:
        return _string(KEY_TYPE.encode("ascii")) + _string(self.raw)


def verify(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is the key's over exactly `message`. Never raises for bytes of any kind."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    from_raw, refused = library()
    try:
        from_raw(key.raw).verify(signature, message)
    except (refused, ValueError):
        return False
    return True


def library() -> tuple[Callable[[bytes], Ed25519PublicKey], type[Exception]]:
    """What verifies: a key by its 32 bytes, and what it raises for a signature that is not its own.

    Imported when first called, since a start without any release has no signature to look at.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes, InvalidSignature


def parse_authorized(line: str) -> PublicKey:
    """The key in a .pub line: "ssh-ed25519 AAAA… comment". ConfigError: key-type, key-line."""
    kind, _, rest = line.strip().partition(" ")
    check_type(kind)
    encoded, _, comment = rest.strip().partition(" ")
    try:
        wire = decode_base64(encoded, "the key")
    except RequestError:
        raise _damaged(line) from None
    name = _string(KEY_TYPE.encode("ascii"))
    if not wire.startswith(name) or wire[len(name) : len(name) + 4] != struct.pack(">I", KEY_BYTES):
        raise _damaged(line)
    raw = wire[len(name) + 4 :]
    if len(raw) != KEY_BYTES:
        raise _damaged(line)
    return PublicKey(raw, comment.strip())


def check_type(kind: str) -> None:
    """Plain ed25519 only; ConfigError "key-type" with what to do for each other kind."""
    if kind == KEY_TYPE:
        return
    if kind.startswith("sk-"):
        what, do = "a security-key signature covers more than our bytes", "use a plain key"
    elif "-cert-" in kind:
        what, do = "a certificate is not a key", "list the key that it certifies"
    else:
        what, do = "only ed25519 keys are supported", "make one"
    raise ConfigError(
        "key-type",
        f"a key of type {kind[:60]!r} cannot be trusted here: {what}",
        subject=kind[:60],
        help=f"{do}: ssh-keygen -t ed25519",
    )


def looks_like_type(word: str) -> bool:
    """Whether a word of a line is the type of a key, ours or another's."""
    return word.startswith(_TYPE_STARTS)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _damaged(line: str) -> ConfigError:
    return ConfigError("key-line", f"the ed25519 key in {line.strip()[:60]!r} is damaged")
