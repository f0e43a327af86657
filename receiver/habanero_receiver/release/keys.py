"""The list of trusted keys: OpenSSH's `allowed_signers` lines, read strictly.

    ana@laptop ssh-ed25519 AAAA… comment
    ben@desk,ben@train namespaces="habanero",valid-before="20271231Z" ssh-ed25519 AAAA…

As OpenSSH has it, a time with a Z is in UTC and one without in the zone of the machine that reads it.

It reads no file and no clock, and judges nobody. The rule it upholds: a line that is not understood in full stops the
start, since half of a key's conditions is a wider key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from habanero_receiver.errors import ConfigError
from habanero_receiver.values import NamedTuple

from .publickey import PublicKey, looks_like_type, parse_authorized, verify

__all__ = [
    "NAMESPACE",
    "PRUNE_NAMESPACE",
    "PublicKey",
    "TrustedKey",
    "parse_allowed_signers",
    "parse_authorized",
    "verify",
]

NAMESPACE = "habanero"
PRUNE_NAMESPACE = "habanero-prune"
"""The role of removing what old releases need: a key with listed namespaces has it only if this is one of them."""
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
# Compiled when a line has what they are for, as few have.
_QUOTED = r'"[^"]*"'
_OPTION = r'([a-z-]+)(?:="([^"]*)")?(?:,|$)'
_TIME = r"([0-9]{8}(?:[0-9]{4}(?:[0-9]{2})?)?)(Z?)"


class TrustedKey(NamedTuple):
    """A key of the list, whose it is, and what it is good for (no namespaces: everything)."""

    principal: str
    key: PublicKey
    namespaces: tuple[str, ...] = ()
    valid_after: datetime | None = None
    valid_before: datetime | None = None

    @property
    def principals(self) -> tuple[str, ...]:
        """The names of its holder."""
        return tuple(self.principal.split(","))

    def valid(self, moment: datetime) -> bool:
        """Whether `moment` is within its time: the first moment is, the last is not."""
        return (self.valid_after is None or moment >= self.valid_after) and (
            self.valid_before is None or moment < self.valid_before
        )

    def usable(self, moment: datetime, namespace: str = NAMESPACE) -> bool:
        """Whether what this key signed at `moment` counts here: its namespace and its time."""
        return (not self.namespaces or namespace in self.namespaces) and self.valid(moment)


def parse_allowed_signers(text: str) -> tuple[TrustedKey, ...]:
    """The keys of a list. ConfigError: key-type, key-line, key-options, key-twice; the message names the line."""
    keys: dict[str, TrustedKey] = {}
    for number, line in _lines(text):
        try:
            trusted = _parse_line(line)
        except ConfigError as error:
            where = f"line {number} of the trusted keys"
            raise ConfigError(error.code, f"{where}: {error.message}", subject=where, help=error.help) from None
        other = keys.setdefault(trusted.key.keyid, trusted)
        if other is not trusted:
            raise ConfigError(
                "key-twice",
                f"line {number} of the trusted keys: {trusted.key.keyid} is listed already, for {other.principal}",
                subject=trusted.key.keyid,
                help="keep one line of each key: a key counts once, whoever holds it",
            )
    return tuple(keys.values())


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield number, stripped


def _parse_line(line: str) -> TrustedKey:
    words = list(_WORD.finditer(line))
    if looks_like_type(words[0].group() if words else ""):
        raise ConfigError(
            "key-line", "the line begins with the key", help="put a name before it: ana@laptop ssh-ed25519 AAAA…"
        )
    at = next((index for index, word in enumerate(words[1:3], 1) if looks_like_type(word.group())), None)
    if at is None:
        raise ConfigError(
            "key-line", f"{line[:60]!r} is not a name and a key", help="write: ana@laptop ssh-ed25519 AAAA…"
        )
    leading = line[: words[at].start()]
    if '"' in leading and '"' in re.sub(_QUOTED, "", leading):
        raise ConfigError("key-line", "a quote before the key is not closed")
    options = _options(words[1].group()) if at == 2 else {}
    after, before = _time(options.get("valid-after")), _time(options.get("valid-before"))
    if after is not None and before is not None and before <= after:
        raise ConfigError("key-options", "valid-before is not after valid-after: the key is never valid")
    return TrustedKey(
        principal=_principal(words[0].group().strip('"')),
        key=parse_authorized(line[words[at].start() :]),
        namespaces=_namespaces(options.get("namespaces")),
        valid_after=after,
        valid_before=before,
    )


def _principal(text: str) -> str:
    """The names as they stand there; patterns are refused, since names say who a person is and may what."""
    if not all(text.split(",")) or set(text) & set("*?! "):
        raise ConfigError(
            "key-line", f"{text[:60]!r} is not a name, nor several with commas", help="write each name in full"
        )
    return text


def _options(text: str) -> dict[str, str]:
    options: dict[str, str] = {}
    option, end = re.compile(_OPTION), 0
    while end < len(text):
        found = option.match(text, end)
        name = found[1] if found else text[end:]
        if found is None or name not in ("namespaces", "valid-after", "valid-before") or not found[2]:
            raise ConfigError(
                "key-options",
                f"the option {name[:60]!r} is not supported",
                help='namespaces="…", valid-after="…" and valid-before="…" are; cert-authority is not',
            )
        if name in options:
            raise ConfigError("key-options", f"the option {name} is given twice")
        options[name] = found[2]
        end = found.end()
    return options


def _namespaces(value: str | None) -> tuple[str, ...]:
    names = tuple(value.split(",")) if value is not None else ()
    for name in names:
        if not name or set(name) & set("*?! "):
            raise ConfigError("key-options", f"the namespace {name!r} is a pattern", help="write each name in full")
    return names


def _time(value: str | None) -> datetime | None:
    if value is None:
        return None
    found = re.fullmatch(_TIME, value)
    try:
        if found is None:
            raise ValueError
        moment = datetime.fromisoformat(f"{found[1][:8]}T{found[1][8:].ljust(6, '0')}Z")
        # Without a zone of its own, astimezone takes a time for one of this machine's zone.
        return moment if found[2] else moment.replace(tzinfo=None).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        raise ConfigError(
            "key-options",
            f"the time {value[:30]!r} cannot be read",
            help="20271231Z or 202712312359Z in UTC; without the Z in the zone of the server",
        ) from None
