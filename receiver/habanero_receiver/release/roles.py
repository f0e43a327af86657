"""What the holder of a trusted key may do where: a list beside the keys, whose own lines have no place for it.

    # who          may                                where
    ana@laptop     push,rollback,freeze,clear,prune   shop/staging,shop/production
    ben@desk       push,rollback                      shop/staging
    pipeline       read                               shop/production

Names are the principals of the keys' lines; a line of several roles or places gives each of them at each, and lines of
one name add up. Whoever is not listed for a place may do nothing there. Any role includes reading.

It reads no file and knows no key. The rules it upholds: a line that is not understood in full stops the start; and
there is no pattern, so that nobody gets at production but by its name.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NoReturn

from habanero_receiver.errors import ConfigError
from habanero_receiver.values import NamedTuple

RELEASE_ROLES = frozenset({"push", "rollback", "freeze", "clear"})
"""Each is the right to sign releases of the kind of that name."""
ROLES = RELEASE_ROLES | {"prune", "read"}
_WORD = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_PLACE = f"{_WORD}/{_WORD}"
_FORM = "three words: ana@laptop push,rollback shop/production"


class Grant(NamedTuple):
    """One line: each of the roles at each of the places ("app/environment")."""

    principal: str
    roles: frozenset[str]
    places: frozenset[str]


class Roles(NamedTuple):
    """The whole list."""

    grants: tuple[Grant, ...]

    def of(self, principals: Collection[str], place: str) -> frozenset[str]:
        """What somebody of these names may do there; "read" is among it when anything is."""
        found: frozenset[str] = frozenset()
        for grant in self.grants:
            if grant.principal in principals and place in grant.places:
                found |= grant.roles | {"read"}
        return found


def parse_roles(text: str) -> Roles:
    """The list. ConfigError "roles-line", which names the line."""
    lines = enumerate(text.splitlines(), 1)
    return Roles(tuple(_grant(line.split(), number) for number, line in lines if _says_something(line)))


def _says_something(line: str) -> bool:
    stripped = line.strip()
    return bool(stripped) and not stripped.startswith("#")


def _grant(words: list[str], number: int) -> Grant:
    if len(words) != 3:
        _refuse(number, f"has {len(words)} words", _FORM)
    principal, roles, places = words
    for role in roles.split(","):
        if role not in ROLES:
            import difflib  # a start whose lists are right does not pay for it

            close = difflib.get_close_matches(role, ROLES, n=1)
            known = f"roles are {', '.join(sorted(ROLES))}"
            _refuse(number, f"names the role {role[:40]!r}, which does not exist",
                    f"did you mean {close[0]}? {known}" if close else known)  # fmt: skip
    for place in places.split(","):
        if not re.fullmatch(_PLACE, place):
            _refuse(number, f"names the place {place[:80]!r}", "app/environment in full, as in shop/production")
    if set(principal) & set(',"*?!'):
        _refuse(number, f"names {principal[:80]!r}", "one name a line, in full: patterns are not read")
    return Grant(principal, frozenset(roles.split(",")), frozenset(places.split(",")))


def _refuse(number: int, what: str, hint: str) -> NoReturn:
    where = f"line {number} of the roles"
    raise ConfigError("roles-line", f"{where} {what}", subject=where, help=hint)
