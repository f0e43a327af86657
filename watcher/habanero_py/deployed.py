"""What became of the last releases when other code was deployed: which of them it holds, and which it lost.

Pure. A deployment makes a new base without any release. Those over the base before were either taken into what was
deployed, or are gone from production without a word: this is the word.

The rule it upholds: a module is in the base only if its source there is that of the release, byte for byte; a deleted
one only if it is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from habanero_py import events as e
from habanero_py.compose import EMPTY_LINE
from habanero_py.remote import BaseModule
from habanero_py.remote_journal import Previous
from habanero_receiver.errors import HabaneroError
from habanero_receiver.release.limits import DEFAULT_LIMITS
from habanero_receiver.release.manifest import Manifest, ModuleEntry

_EMPTY = {hashlib.sha256(b"").hexdigest(), hashlib.sha256(EMPTY_LINE).hexdigest()}
"""An empty file, and what it travels as in a release."""


def compare(previous: Previous, base: Mapping[str, BaseModule]) -> e.Deployed | None:
    """What of the last release is in the base that is deployed now; None when its manifest is gone or another one."""
    data = previous.manifest
    if data is None or f"sha256:{hashlib.sha256(data).hexdigest()}" != previous.manifest_digest:
        return None
    try:
        modules = Manifest.decode(data, DEFAULT_LIMITS).modules
    except HabaneroError:
        return None
    there = {name for name, entry in modules.items() if _same(entry, base.get(name))}
    return e.Deployed(
        before=previous.base,
        push=previous.push,
        already=tuple(sorted(there)),
        lost=tuple(sorted(modules.keys() - there)),
    )


def _same(entry: ModuleEntry | None, module: BaseModule | None) -> bool:
    if entry is None or module is None:
        return entry is None and module is None
    return entry.source.sha256 == module.sha256 or {entry.source.sha256, module.sha256} <= _EMPTY
