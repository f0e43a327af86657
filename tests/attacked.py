"""The deployment of `forging`, listening on a real port, and a picture of all that an attack must leave as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from forging import ANA, BASE, HEAD, NOW, TARGET, Deployment, Person
from listening import Listening, listen
from nodes import World

from habanero_receiver import trust
from habanero_receiver.entrance import Entrance
from habanero_receiver.fleet.node import Loaded, Node, Release
from habanero_receiver.http import push, reads
from habanero_receiver.http.throttle import Crowd, Throttle
from habanero_receiver.journal.journal import Journal
from habanero_receiver.release.request import ReadRequest, compose


@dataclass
class Attacked:
    """A listening deployment whose head, base, Python, keys and clock are those of `forging.Deployment`."""

    world: World
    node: Node
    at: Listening

    def picture(self) -> dict[str, Any]:
        """What must not change: journal and blobs byte for byte, what runs, whom we trust, where the chain ends."""
        bucket = self.world.root / "bucket"
        files = {
            str(file.relative_to(bucket)): file.read_bytes()
            for file in sorted(bucket.rglob("*"))
            if file.is_file() and {"hosts", "confirmed", "answers", "question.json", ".tmp"}.isdisjoint(file.parts)
        }
        node, swapper = self.node, self.world.swapper
        return {
            "files": files,
            "engine": list(swapper.log),
            "live": dict(swapper.live),
            "overlay": dict(node.overlay.images),
            "keys": (node.policy.keys, node.policy.revoked, node.policy.threshold),
            "chain": (node.tip, node.seen, node.running, node.dirty),
        }

    def be(self, deployment: Deployment) -> None:
        """Be that deployment from now on, with nothing counted against anybody."""
        self.node.policy, self.node.tip = deployment.policy, deployment.head
        self.at.context.throttle, self.at.context.unjudged = Throttle(max_failures=10**6), Crowd()


def signed_header(path: str = "/v1/push", method: str = "POST", who: Person = ANA) -> dict[str, str]:
    """The header of a request that is signed at the moment of the forged deployment."""
    request = ReadRequest(TARGET, method, path, NOW, NOW + timedelta(minutes=1), "0f" * 16)
    return {"Authorization": compose(request, who.keyid, who.sign)}


def make(folder: Path, deployment: Deployment | None = None) -> tuple[World, Node]:
    """A node of that deployment, with an engine that does as it is told and an empty bucket."""
    deployment = deployment or Deployment()
    world = World(folder)
    node = world.node
    node.base, node.policy, node.tip = world.base._replace(digest=BASE), deployment.policy, deployment.head
    node.seen = Release(trust.Head(HEAD.seq, HEAD.digest, HEAD.issued))
    node.running = node.known = Loaded(node.seen, None, {})
    node.journal = Journal(world.bucket, "shop", "production", BASE)
    return world, node


@contextmanager
def attacked(folder: Path, entrance: Entrance | None = None) -> Iterator[Attacked]:
    """Serve it until the end of the block; its clock stands still at the moment that the forged pushes are made for."""
    world, node = make(folder)
    with pytest.MonkeyPatch.context() as patch, listen(node, entrance) as at:
        patch.setattr(push, "now", lambda: NOW)
        patch.setattr(reads, "now", lambda: NOW)
        found = Attacked(world, node, at)
        found.be(Deployment())
        yield found
