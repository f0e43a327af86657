"""Which names a module of a release may have.

Pure. The rule it upholds: a name means one module and one file, on every file system, whatever Unicode makes of it;
and no release reaches beyond the packages that the operator listed.
"""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Collection, Iterable

from habanero_receiver.errors import RequestError, TrustError

from .limits import DEFAULT_LIMITS, Limits

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_RESERVED = frozenset({"__init__", "__main__", "__pycache__"})
_UNSPEAKABLE = frozenset(keyword.kwlist) | _RESERVED
_NEVER = frozenset(sys.stdlib_module_names) | {
    "sitecustomize",
    "usercustomize",
    "habanero_py",
    "habanero_receiver",
}
_OURS = "habanero_"


def check_names(names: Collection[str], limits: Limits = DEFAULT_LIMITS) -> None:
    """All of them as `check_module_name` and `check_distinct` say, at a fraction of the time where all are plain."""
    parts = {part for name in names for part in name.split(".")}
    plain = all(map(_PLAIN.fullmatch, names)) and _UNSPEAKABLE.isdisjoint(parts)
    if not plain or max(map(len, names), default=0) > limits.max_module_name_chars:
        for name in names:
            check_module_name(name, limits)
    if len(set(map(str.casefold, names))) != len(names):
        check_distinct(names)


def check_module_name(name: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Dotted identifiers that are NFKC-stable and no keywords; RequestError "module-name"."""
    shown = repr(name[:80])
    if not 0 < len(name) <= limits.max_module_name_chars:
        raise _bad(shown, f"has {len(name)} characters; 1 to {limits.max_module_name_chars} are accepted")
    parts = name.split(".")
    if _PLAIN.fullmatch(name) is None:
        if not all(part.isidentifier() for part in parts):
            raise _bad(shown, "is not made of identifiers")
        import unicodedata  # the names of most modules are plain

        if unicodedata.normalize("NFKC", name) != name:
            raise _bad(shown, "is not in the form (NFKC) in which Python imports it")
    for part in parts:
        if keyword.iskeyword(part):
            raise _bad(shown, f"holds the keyword {part!r}")
        if part in _RESERVED:
            raise _bad(shown, f"holds {part!r}, which is no module of its own")


def check_distinct(names: Iterable[str]) -> None:
    """No two names that a case-blind file system takes for one; RequestError "module-name"."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            raise _bad(repr(name), f"differs from {other!r} by case only")


def check_allowed(names: Iterable[str], allowed: Collection[str]) -> None:
    """Every name is in an allowed package or is one; TrustError "module-not-allowed".

    `allowed` holds module names, dotted or not. The standard library and habanero-py itself are never allowed.
    """
    listed = frozenset(allowed)
    names = list(names)
    tops = {name.partition(".")[0] for name in names}
    if tops <= listed and tops.isdisjoint(_NEVER) and not any(top.startswith(_OURS) for top in tops):
        return
    for name in names:
        parts = name.split(".")
        ancestry = {".".join(parts[:depth]) for depth in range(1, len(parts) + 1)}
        if parts[0] in _NEVER or parts[0].startswith(_OURS) or ancestry.isdisjoint(listed):
            raise TrustError(
                "module-not-allowed",
                f"{name} is outside the packages that a release may replace ({', '.join(sorted(listed)) or 'none'})",
                subject=name,
                help="list its package in the server's HABANERO_MODULES or [tool.habanero] watch, or leave it out",
            )


def expected_path(name: str, *, package: bool) -> str:
    """Where the source of a module lies below its source root, with slashes: "shop/cart.py"."""
    return name.replace(".", "/") + ("/__init__.py" if package else ".py")


def _bad(shown: str, why: str) -> RequestError:
    return RequestError("module-name", f"the module name {shown} {why}", subject=shown)
