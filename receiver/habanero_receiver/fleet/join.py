"""Makes the node of this process out of what boot found: the one place where the pieces are put together.

What it does not: it starts nothing and reads no journal.

The rule it upholds: the base's sources are kept in memory as boot found them, so that this process can always go
back to the code it was deployed with, even after someone edits or updates the files on the server.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from habanero_receiver.errors import HabaneroError
from habanero_receiver.fleet import follower
from habanero_receiver.fleet.node import Identity, Loaded, Node, Release
from habanero_receiver.fleet.pace import pace_for
from habanero_receiver.journal.deployed import Deployed
from habanero_receiver.keyring import Keyring
from habanero_receiver.release import publickey
from habanero_receiver.swap import Swapper, image_from_source

if TYPE_CHECKING:
    from habanero_receiver.boot import Booted
    from habanero_receiver.config import ReceiverConfig
    from habanero_receiver.fleet.safepoint import Safepoint
    from habanero_receiver.journal.base import Base
    from habanero_receiver.swap import ModuleImage

_log = logging.getLogger("habanero")


def join(config: ReceiverConfig, booted: Booted) -> Node:
    """Make the node. What runs is not known yet: the first catch-up makes it so."""
    publickey.library()  # else the first push waits for it, in a process that started without a release
    release = Release(booted.chosen.run.head, booted.statement)
    deployed = BaseImages(booted.base)
    swapper = Swapper(deployed, config.top_level, booted.overlay.replace)
    swapper.overlay = booted.overlay.images
    return Node(
        identity=Identity.of_this_process(config.instance, config.region),
        policy=config.policy(),
        base=booted.base,
        journal=booted.journal,
        overlay=booted.overlay,
        swapper=swapper,
        tip=booted.newest.head,
        seen=release,
        known=Loaded(release, booted.manifest, booted.overlay.images),
        running=None,
        pace=pace_for(remote=booted.journal.remote, poll_s=config.poll_s),
        base_source=deployed.source,
        ledger=booted.ledger,
        local=booted.local,
        keyring=Keyring(config.lists),
        verify_source=config.verify_source,
        withdrawn=booted.chosen.withdrawn,
        booted=booted.chosen.run.head.seq,
    )


def _count_start(node: Node) -> int:
    """How many processes joined over this base on this machine; 0 where its disk cannot tell."""
    try:
        return 0 if node.local is None else node.local.count_start()
    except OSError as error:
        _log.warning("starts are not counted: %s cannot be used: %s", node.local and node.local.folder, error)
        return 0


class BaseImages:
    """Looks up a module's image as it was deployed. Its bytecode is built when first asked for."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._sources = {name: base.source(name) for name in base.modules}
        self._made: dict[str, ModuleImage] = {}

    def source(self, name: str) -> bytes | None:
        """Give a module's source, or None for a module that the base does not have."""
        return self._sources.get(name)

    def __call__(self, name: str) -> ModuleImage | None:
        """Give the image, or None for a module that the base does not have."""
        if name not in self._sources:
            return None
        if name not in self._made:
            file = self._base.modules[name]
            self._made[name] = image_from_source(
                name, file.package, str(self._base.root / file.path), file.path, self._sources[name]
            )
        return self._made[name]


def enter(node: Node, safepoint: Safepoint, *, strict: bool) -> None:
    """Bring this process to the newest release, the modules imported before the overlay was there included.

    Any thread but the loop's. When the release cannot be taken, a strict process raises; any other goes back to the
    base, whole, or raises if not even that is possible: it never serves a mixture.
    """
    if node.identity.pid != os.getpid():  # forked since: the parent's lock and name are not ours
        node.identity = Identity.of_this_process(node.identity.machine, node.identity.region)
        node.swap_lock = threading.Lock()
        node.tell = threading.Event()
        node.starts = 0
    node.safepoint = safepoint
    node.tell.set()
    node.starts = node.starts or _count_start(node)
    try:
        follower.catch_up(node)
    except HabaneroError as error:
        if strict:
            raise
        _log.error("release %d was not applied (%s): %s", node.seen.head.seq, error.code, error.message)
        if node.running is None and not node.overlay.misplaced:
            follower.go_back_to_base(node)


def tell_deployed(node: Node) -> None:
    """Say in the bucket what is deployed here, where no endpoint can be asked. A bucket that fails is logged."""
    policy, allowed = node.policy, tuple(sorted(node.policy.allowed_modules))
    window_s = policy.limits.max_window_s
    said = Deployed(policy.target, policy.python, allowed, policy.threshold, window_s, node.base.modules)
    try:
        node.journal.put_deployed(said.encode())
    except HabaneroError as error:
        _log.warning("could not say in the bucket what is deployed here: %s", error.message)
