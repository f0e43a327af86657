"""How much of a receiver shows to the network: its endpoints or none, strangers told or left to the app, which hosts.

Pure: settings come in as words, values go out. What it does not: it looks at no request (`http.door` does).

The rule it upholds: a setting that cannot be understood stops the start; it never means the more open of two things.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from habanero_receiver.errors import ConfigError
from habanero_receiver.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

_HOST = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\]"


class Entrance(NamedTuple):
    """What there is below the receiver's prefix.

    `open` False: nothing at all, releases come from the bucket alone. `hidden`: whoever shows no signature in the
    headers is the app's to answer, as if no receiver were there. `hosts` are the names, in lower case and without a
    port, under which a request may ask for the receiver; none means any.
    """

    open: bool = True
    hidden: bool = False
    hosts: frozenset[str] = frozenset()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Entrance:
        """Read HABANERO_HTTP, HABANERO_STRANGERS and HABANERO_ALLOWED_HOSTS. ConfigError names the one at fault."""
        return cls(
            open=one_of(environ, "HABANERO_HTTP", "on", "off") == "on",
            hidden=one_of(environ, "HABANERO_STRANGERS", "tell", "hide") == "hide",
            hosts=_hosts(environ),
        )

    def admits(self, hosts: list[bytes]) -> bool:
        """Whether a request with these Host headers may ask for the receiver: one header, with a name of the list."""
        if not self.hosts:
            return True
        return len(hosts) == 1 and _without_port(hosts[0].decode("latin-1").strip().lower()) in self.hosts


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and (":" not in name or name.endswith("]")) else host


def one_of(environ: Mapping[str, str], name: str, usual: str, other: str) -> str:
    """The setting `name`, which is one of two words. ConfigError for a third."""
    word = environ.get(name) or usual
    if word not in (usual, other):
        raise ConfigError(
            "bad-setting", f"{name} is {word!r}", subject=name, help=f"{usual} or {other}; {usual} without it"
        )
    return word


def _hosts(environ: Mapping[str, str]) -> frozenset[str]:
    words = frozenset(environ.get("HABANERO_ALLOWED_HOSTS", "").replace(",", " ").lower().split())
    for word in words:
        if not re.fullmatch(_HOST, word):
            raise ConfigError(
                "bad-setting",
                f"HABANERO_ALLOWED_HOSTS holds {word!r}, which is not the name of a host",
                subject="HABANERO_ALLOWED_HOSTS",
                help="names without scheme and port: shop.example.com, 127.0.0.1, [::1]",
            )
    return words
