"""The developer's private key: made, loaded from an OpenSSH file, and used to sign; never shown.

A key may as well stay in an ssh-agent (`agent`); `open_signer` knows which is meant. Loads ed25519 keys in OpenSSH's
own file format, with or without a passphrase. The type word inside the file is read before a library sees it, because
the library takes security-key ("sk-") files for plain ones. The rule it upholds: a key that others could have read is
no key, so a file that group or world may read is refused as ssh does.
"""

from __future__ import annotations

import base64
import binascii
import getpass
import os
import re
import socket
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_ssh_private_key,
)

from habanero_receiver.errors import ConfigError
from habanero_receiver.release.keys import PublicKey

from .agent import Agent, find_key, names_agent_key

AskPassphrase = Callable[[Path], str]
"""Asks the person at the terminal; raises nothing when the answer is empty."""

MAX_KEY_BYTES = 64 * 1024
_MAKE = "make one with habanero-py init, or name yours: --key ~/.ssh/id_ed25519"
_TRIES = 3
_BEGIN = b"-----BEGIN OPENSSH PRIVATE KEY-----"
_END = b"-----END OPENSSH PRIVATE KEY-----"
_MAGIC = b"openssh-key-v1\0"
_TYPE = b"ssh-ed25519"


class Signer(Protocol):
    """Whatever can sign: a key file, or a key in an ssh-agent."""

    @property
    def public(self) -> PublicKey:
        """The public half, as the server's list of trusted keys has it."""

    def sign(self, message: bytes) -> bytes:
        """64 bytes of ed25519 signature over exactly `message`."""


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A key that was loaded from a file into memory."""

    public: PublicKey
    _private: Ed25519PrivateKey

    def sign(self, message: bytes) -> bytes:
        """Deterministic: the same message gives the same 64 bytes."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"FileSigner({self.public.keyid})"


def open_signer(word: str, environ: Mapping[str, str], ask: AskPassphrase | None = None) -> Signer:
    """The key that a setting names: a private key's path; a .pub file's or "SHA256:…" for one in the ssh-agent."""
    if names_agent_key(word):
        return find_key(word, Agent.from_env(environ))
    return load_signer(Path(word).expanduser(), ask)


def load_signer(path: Path, ask: AskPassphrase | None = None) -> FileSigner:
    """The key at `path`. `ask` is None where nobody can be asked: then a passphrase is an error with help."""
    data = _read_private(path)
    encrypted = _check_type(data, path)
    private = _decrypt(data, path, ask) if encrypted else _load(data, path, None)
    if private is None:
        raise ConfigError("key-unreadable", f"{path} cannot be read as an OpenSSH key", subject=str(path), help=_MAKE)
    return FileSigner(public=_public(private, _comment(path)), _private=private)


def generate(path: Path, comment: str, passphrase: str | None = None) -> PublicKey:
    """Makes a new key at `path` (mode 0600) and `path`.pub; never replaces a file."""
    private = Ed25519PrivateKey.generate()
    lock = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    data = private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, lock)
    public = _public(private, comment)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        raise ConfigError(
            "key-exists",
            f"{path} exists already and was left as it is",
            subject=str(path),
            help=f"use it: habanero-py init --key {path}",
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    path.with_name(path.name + ".pub").write_text(public.openssh() + "\n", encoding="ascii")
    return public


def whoami() -> str:
    """The "user@host" of this machine, in letters that a key's comment can hold."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "someone"
    return re.sub(r"[^A-Za-z0-9._@+-]", "-", f"{user}@{socket.gethostname().partition('.')[0]}")


def _read_private(path: Path) -> bytes:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        raise ConfigError(
            "key-missing",
            f"there is no key at {path}",
            subject=str(path),
            help=_MAKE,
        ) from None
    except OSError as error:
        raise ConfigError("key-unreadable", f"{path}: {error.strerror}", subject=str(path), help=_MAKE) from error
    try:
        _check_mode(os.fstat(handle), path)
        return os.read(handle, MAX_KEY_BYTES)
    finally:
        os.close(handle)


def _check_mode(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError("key-unreadable", f"{path} is not a regular file", subject=str(path), help=_MAKE)
    if status.st_uid not in (os.geteuid(), 0):
        raise ConfigError("key-permissions", f"{path} belongs to another user", subject=str(path), help=_MAKE)
    if status.st_mode & 0o077:
        raise ConfigError(
            "key-permissions",
            f"others may read {path} (mode {status.st_mode & 0o777:04o}); the key was not used",
            subject=str(path),
            help=f"chmod 600 {path}",
        )


def _check_type(data: bytes, path: Path) -> bool:
    """Whether the key is encrypted; refuses every kind of key but plain ed25519."""
    begin, end = data.find(_BEGIN), data.find(_END)
    if begin < 0 or end < begin:
        raise ConfigError(
            "key-type",
            f"{path} is not a private key in OpenSSH's format",
            subject=str(path),
            help="ssh-keygen -t ed25519 -f FILE makes one; the file without .pub is the private half",
        )
    try:
        blob = base64.b64decode(b"".join(data[begin + len(_BEGIN) : end].split()), validate=True)
        cipher, kind = _read_header(blob)
    except (binascii.Error, ValueError, IndexError) as error:
        raise ConfigError("key-unreadable", f"{path} is damaged: {error}", subject=str(path), help=_MAKE) from error
    if kind != _TYPE:
        raise ConfigError(
            "key-type",
            f"{path} is a key of type {kind.decode('ascii', 'replace')[:60]}; releases are signed with ssh-ed25519",
            subject=str(path),
            help="ssh-keygen -t ed25519 -f FILE, then --key FILE",
        )
    return cipher != b"none"


def _read_header(blob: bytes) -> tuple[bytes, bytes]:
    """(cipher, key type) of an `openssh-key-v1` blob: magic, cipher, kdf, kdf options, count, public key."""
    if not blob.startswith(_MAGIC):
        raise ValueError("no openssh-key-v1 header")
    cipher, at = _string(blob, len(_MAGIC))
    _, at = _string(blob, at)
    _, at = _string(blob, at)
    if blob[at : at + 4] != b"\0\0\0\1":
        raise ValueError("not exactly one key")
    public, _ = _string(blob, at + 4)
    kind, _ = _string(public, 0)
    return cipher, kind


def _string(blob: bytes, at: int) -> tuple[bytes, int]:
    end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
    if end > len(blob) or at + 4 > len(blob):
        raise ValueError("cut short")
    return blob[at + 4 : end], end


def _decrypt(data: bytes, path: Path, ask: AskPassphrase | None) -> Ed25519PrivateKey:
    if ask is None:
        raise ConfigError(
            "key-encrypted",
            f"{path} has a passphrase and there is no terminal to ask for it",
            subject=str(path),
            help=f"ssh-add {path}, and name the key {path}.pub: then the ssh-agent signs; or run it in a terminal",
        )
    for _ in range(_TRIES):
        answer = ask(path)
        private = _load(data, path, answer.encode()) if answer else None
        if private is not None:
            return private
    raise ConfigError("key-encrypted", f"the passphrase does not open {path}", subject=str(path), help=_MAKE)


def _load(data: bytes, path: Path, passphrase: bytes | None) -> Ed25519PrivateKey | None:
    """The key, or None when the passphrase is wrong (a damaged file looks the same)."""
    try:
        private = load_ssh_private_key(data, passphrase)
    except ValueError:
        return None
    except Exception as error:  # cryptography raises its own UnsupportedAlgorithm when bcrypt is missing
        raise ConfigError(
            "key-unreadable",
            f"{path}: {error}",
            subject=str(path),
            help="pip install 'habanero-py[watch]' (a passphrase needs bcrypt)",
        ) from error
    return private if isinstance(private, Ed25519PrivateKey) else None


def _comment(path: Path) -> str:
    """The comment of the .pub file beside the key, else who and where we are."""
    try:
        words = path.with_name(path.name + ".pub").read_text(encoding="utf-8").split(maxsplit=2)
    except (OSError, UnicodeDecodeError):
        words = []
    comment = words[2].strip() if len(words) == 3 else ""
    return re.sub(r"[^A-Za-z0-9._@+-]", "-", comment)[:64] or whoami()


def _public(private: Ed25519PrivateKey, comment: str) -> PublicKey:
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return PublicKey(raw, comment)
