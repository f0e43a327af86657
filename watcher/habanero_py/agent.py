"""A key in an ssh-agent: named by its .pub file or fingerprint, used over the agent's socket, never read.

    uint32 length, then a byte that says what it is, then fields; a string is its uint32 length and its bytes
    11 -> 12  which keys are there: their number, then a key and a comment for each
    13 -> 14  sign: key, bytes, flags -> a string of the type's name and the signature
     5        no

What it does: these two requests, each over a connection of its own, within a limit of size and of time. What it does
not: it adds, removes and unlocks nothing. The rules it upholds: security keys and certificates that the agent holds
are told apart by the type inside the key and never used as plain ones; and a signature is verified before it is
believed.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from habanero_receiver.errors import ConfigError
from habanero_receiver.release.keys import PublicKey, parse_authorized, verify
from habanero_receiver.release.publickey import KEY_TYPE, check_type

ASK_TIMEOUT_S = 5.0
SIGN_TIMEOUT_S = 60.0
"""Long enough for a person to confirm at the agent's own question."""
MAX_ANSWER_BYTES = 256 * 1024
MAX_PUBLIC_BYTES = 16 * 1024
FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_FAILURE, _LIST, _LISTED, _SIGN, _SIGNED = 5, 11, 12, 13, 14


@dataclass(frozen=True, slots=True)
class Identity:
    """A key that an agent holds: its type, the bytes that name it there, and its comment."""

    kind: str
    blob: bytes
    comment: str

    @property
    def keyid(self) -> str:
        """The fingerprint as `ssh-add -l` shows it for a plain key."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    def public(self) -> PublicKey:
        """The key itself. ConfigError: key-type for all but plain ed25519 keys, key-line for a damaged one."""
        check_type(self.kind)
        return parse_authorized(f"{KEY_TYPE} {base64.b64encode(self.blob).decode()} {self.comment}")


@dataclass(frozen=True, slots=True)
class Agent:
    """The agent behind a socket. ConfigError: agent-missing, agent-refused, agent-answer."""

    path: str
    sign_timeout_s: float = SIGN_TIMEOUT_S

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Agent:
        """The one that SSH_AUTH_SOCK names."""
        path = environ.get("SSH_AUTH_SOCK", "")
        if not path:
            raise ConfigError(
                "agent-missing",
                "the key is in an ssh-agent, and SSH_AUTH_SOCK names none",
                subject="SSH_AUTH_SOCK",
                help='eval "$(ssh-agent)" && ssh-add ~/.ssh/id_ed25519, or name a private key: --key ~/.ssh/id_ed25519',
            )
        return cls(path)

    def identities(self) -> tuple[Identity, ...]:
        """The keys that it holds now, of every type. A locked agent says that it holds none."""
        fields = _Fields(self._ask(_LIST, b"", _LISTED, ASK_TIMEOUT_S))
        count = fields.number()
        return tuple(_identity(fields.string(), fields.string()) for _ in range(count))

    def sign(self, key: PublicKey, message: bytes) -> bytes:
        """64 bytes of ed25519 signature, verified. May wait for a person who is asked to confirm."""
        blob = base64.b64decode(key.openssh().split()[1])
        request = _string(blob) + _string(message) + bytes(4)
        fields = _Fields(_Fields(self._ask(_SIGN, request, _SIGNED, self.sign_timeout_s)).string())
        kind, signature = fields.string(), fields.string()
        if kind != KEY_TYPE.encode() or not verify(key, signature, message):
            raise _unclear("its signature is not one by this key")
        return signature

    def _ask(self, what: int, fields: bytes, expected: int, timeout_s: float) -> bytes:
        try:
            kind, answer = self._exchange(_string(bytes([what]) + fields), time.monotonic() + timeout_s)
        except TimeoutError:
            raise _unclear(f"it did not answer within {timeout_s:g} s; does it wait for somebody to confirm?") from None
        except OSError as error:
            raise ConfigError(
                "agent-missing",
                f"no ssh-agent answers at {self.path}: {error.strerror or error}",
                subject=self.path,
                help='SSH_AUTH_SOCK is of an agent that is gone: eval "$(ssh-agent)" && ssh-add',
            ) from error
        if kind == _FAILURE:
            raise ConfigError(
                "agent-refused",
                "the ssh-agent refused: nobody confirmed, it is locked, or the key was taken out; nothing was signed",
                subject=self.path,
                help="confirm when it asks (ssh-add -c), unlock it (ssh-add -X), or look at what it holds (ssh-add -l)",
            )
        if kind != expected:
            raise _unclear(f"it answered with message {kind}")
        return answer

    def _exchange(self, request: bytes, deadline: float) -> tuple[int, bytes]:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(_left(deadline))
            connection.connect(self.path)
            connection.sendall(request)
            size = int.from_bytes(_read(connection, 4, deadline), "big")
            if not 0 < size <= MAX_ANSWER_BYTES:
                raise _unclear(f"it announced an answer of {size} bytes")
            answer = _read(connection, size, deadline)
        return answer[0], answer[1:]


@dataclass(frozen=True, slots=True)
class AgentSigner:
    """Signs with a key that stays in the agent."""

    public: PublicKey
    agent: Agent

    def sign(self, message: bytes) -> bytes:
        """As `Agent.sign`."""
        return self.agent.sign(self.public, message)


def names_agent_key(word: str) -> bool:
    """Whether a setting names a key in the agent: a fingerprint, or a .pub file."""
    return word.startswith("SHA256:") or word.endswith(".pub")


def find_key(word: str, agent: Agent) -> AgentSigner:
    """The key in the agent that a .pub file or a fingerprint names.

    ConfigError: key-missing, key-unreadable, key-type, key-line, agent-key and those of `Agent`.
    """
    wanted = _named(word)
    held = agent.identities()
    found = next((identity for identity in held if identity.keyid == wanted), None)
    if found is None:
        listed = ", ".join(f"{each.keyid} ({each.kind})" for each in held[:5])
        raise ConfigError(
            "agent-key",
            f"the ssh-agent does not hold {wanted}; it holds {listed or 'no key at all: it is empty, or locked'}",
            subject=wanted,
            help=f"ssh-add {word.removesuffix('.pub') if word.endswith('.pub') else 'FILE'}; a locked one: ssh-add -X",
        )
    return AgentSigner(found.public(), agent)


def _named(word: str) -> str:
    """The fingerprint that the setting stands for."""
    if word.endswith(".pub"):
        return _read_public(Path(word).expanduser()).keyid
    if not FINGERPRINT.fullmatch(word):
        raise ConfigError(
            "bad-setting",
            f"the key {word[:60]!r} is no fingerprint",
            subject="key",
            help="as ssh-add -l shows it: SHA256: and 43 letters",
        )
    return word


def _read_public(path: Path) -> PublicKey:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_PUBLIC_BYTES).decode("utf-8")
    except FileNotFoundError:
        raise ConfigError(
            "key-missing", f"there is no key at {path}", subject=str(path), help=f"ssh-add -L > {path} writes it"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "key-unreadable", f"{path}: {error}", subject=str(path), help=f"ssh-add -L > {path} writes it anew"
        ) from error
    return parse_authorized(next(iter(text.splitlines()), ""))


def _identity(blob: bytes, comment: bytes) -> Identity:
    kind = _Fields(blob).string().decode("ascii", "replace")
    words = comment.decode("utf-8", "replace").split()
    return Identity(kind, blob, re.sub(r"[^A-Za-z0-9._@+-]", "-", " ".join(words))[:64])


class _Fields:
    """Reads numbers and strings off an answer, one after the other; ConfigError when it ends too early."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def number(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def string(self) -> bytes:
        return self._take(self.number())

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            raise _unclear("its answer is cut short")
        taken, self._at = self._data[self._at : end], end
        return taken


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    data = b""
    while len(data) < size:
        connection.settimeout(_left(deadline))
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("it closed the connection")
        data += part
    return data


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _unclear(what: str) -> ConfigError:
    return ConfigError(
        "agent-answer",
        f"the ssh-agent cannot be used: {what}; nothing was signed",
        subject="SSH_AUTH_SOCK",
        help="ssh-add -l shows whether it works; ssh-add FILE adds a key again",
    )
