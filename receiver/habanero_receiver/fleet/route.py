"""Which releases a process that is several behind goes through on its way to the newest.

A release is the whole overlay, so one swap leads from any release to any other. But a release may say how live state
moves to it, with a ``__code_change__`` hook, and the next one may count on that: such releases are stops on the way.
What was taken back in the meantime, by a rollback to the same code, is no part of the way.

It reads manifests and sources from the journal and changes nothing. The rule it upholds: every hook that a process
would have run had it kept up is run, once, in the order of the releases.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from habanero_receiver.fleet import images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from habanero_receiver.fleet.node import Node, Release
    from habanero_receiver.swap import ModuleImage

_HOOK = b"__code_change__"


def stops(node: Node) -> list[Release]:
    """The releases to go to, one after the other; the last is the newest. Caller holds swap_lock.

    Raises as `images.load` does for one in between that cannot be read.
    """
    newest, running = node.seen, node.running
    if running is None:  # no state has grown yet on any release that is known
        return [newest]
    last = running.release.head.seq
    passed = [release for release in node.passed if last < release.head.seq < newest.head.seq]
    if not passed:
        return [newest]
    found: list[Release] = []
    before = running.images
    for release in _without_detours([running.release, *passed, newest])[1:-1]:
        after = images.load(node, release, None, {}).images
        if _migrates(before, after):
            found.append(release)
        before = after
    return [*found, newest]


def _without_detours(way: Sequence[Release]) -> list[Release]:
    """The way without the stretches that lead back to the same code. Its ends stay."""
    start, *rest = way
    found = [start]
    for release in rest:
        same = next((i for i, earlier in enumerate(found) if _code_of(earlier) == _code_of(release)), None)
        if same is not None:
            del found[max(same, 1) :]
        if same != 0:
            found.append(release)
    return found if found[-1] is rest[-1] else [*found, rest[-1]]


def _code_of(release: Release) -> str:
    return "" if release.statement is None else release.statement.manifest_digest


def _migrates(before: Mapping[str, ModuleImage | None], after: Mapping[str, ModuleImage | None]) -> bool:
    """Whether a module that changed has a hook. That one did not change itself only makes another stop."""
    for name, image in after.items():
        was = before.get(name)
        if image is not None and _HOOK in image.source and (was is None or was.source != image.source):
            return True
    return False
