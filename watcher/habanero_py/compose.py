"""From what is on the laptop and what the server runs to the bytes of a release.

Pure: no I/O, no clock; time, nonce and signer come in. Three steps, each a function: `desired` (what the overlay
should be), `Draft` (what must be built and sent for that), `compose` (manifest, statement, signature, body).

The rules it upholds: a release names the whole overlay, so what the head holds for packages that this project does
not watch is carried on; a module is deleted only where the caller knows that it is gone; code that the server has is
named by digest and neither built nor sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from habanero_py.events import Withdrawal
from habanero_py.remote import BaseModule, Head
from habanero_py.signing import Signer
from habanero_py.snapshot import Module
from habanero_receiver.release import body
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope
from habanero_receiver.release.manifest import BlobRef, Manifest, ModuleEntry
from habanero_receiver.release.statement import NEVER, Gate, Kind, PythonTag, Statement, Withdraw
from habanero_receiver.swap.building.units import EncodedBuild

DEFAULT_WINDOW_S = 300
MAX_LAG = timedelta(seconds=60)
EMPTY_LINE = b"\n"
"""What an empty file travels as: a release has no blob without bytes."""

Wanted = Mapping[str, "Module | ModuleEntry | None"]
"""The overlay that should run: a local module, an entry carried on from the head, or None for deleted."""


def released_source(module: Module) -> bytes:
    """The source as a release holds it.

    An empty file travels as one empty line, which is the same module: a release has no blob without bytes.
    """
    return module.source or EMPTY_LINE


def released_digest(module: Module) -> str:
    """The sha256 of `released_source`."""
    return module.sha256 if module.source else hashlib.sha256(EMPTY_LINE).hexdigest()


@dataclass(frozen=True, slots=True)
class View:
    """The newest release of the server, as far as this command knows. `overlay` is {} at the base.

    `threshold` people have to sign what comes next, which may be accepted for `window_s` after it was issued: some
    minutes, or as long as the server lets it wait for the others. `withdrawn` is the verdict on the release, if
    another one runs in its place.
    """

    target: str
    base_digest: str
    base: Mapping[str, BaseModule]
    head: Head
    overlay: Mapping[str, ModuleEntry | None]
    python: PythonTag
    built_for: PythonTag | None = None
    threshold: int = 1
    window_s: int = DEFAULT_WINDOW_S
    withdrawn: Withdrawal | None = None

    @property
    def running(self) -> int:
        """The number of the release that is to run: the head, or what runs in place of a head that was withdrawn."""
        return self.head.seq if self.withdrawn is None else self.withdrawn.runs


def desired(
    local: Mapping[str, Module], watched: Collection[str], view: View, kept: Collection[str] = ()
) -> dict[str, Module | ModuleEntry | None]:
    """The overlay that makes the server run `local`.

    `watched` are the top-level names this project owns; `kept` are modules that the server has and the snapshot has
    not, but that are not gone (ignored by git, for example).
    """
    wanted: dict[str, Module | ModuleEntry | None] = {}
    for name, module in local.items():
        lies = view.base.get(name)
        if lies is None or (lies.sha256, lies.package, lies.path) != (module.sha256, module.package, module.path):
            wanted[name] = module
    for name in view.base:
        if _top(name) in watched and name not in local and name not in kept:
            wanted[name] = None
    wanted |= {
        name: entry
        for name, entry in view.overlay.items()
        if _top(name) not in watched or (name in kept and name not in local)
    }
    return dict(sorted(wanted.items()))


def same(wanted: Module | ModuleEntry | None, entry: ModuleEntry | None) -> bool:
    """Whether a wanted module is what an overlay already says about it."""
    if isinstance(wanted, Module) and entry is not None:
        return (released_digest(wanted), wanted.package) == (entry.source.sha256, entry.package)
    return not isinstance(wanted, Module) and wanted == entry


def changed(wanted: Wanted, overlay: Mapping[str, ModuleEntry | None]) -> tuple[str, ...]:
    """The modules that would run other code than they do, sorted."""
    names = {name for name in wanted if name not in overlay or not same(wanted[name], overlay[name])}
    return tuple(sorted(names | (overlay.keys() - wanted.keys())))


def to_build(wanted: Wanted, view: View) -> tuple[Module, ...]:
    """The modules whose bytecode the server does not have yet for its Python."""
    reusable = view.overlay if view.built_for == view.python else {}
    return tuple(
        module
        for name, module in wanted.items()
        if isinstance(module, Module) and not (name in reusable and same(module, reusable[name]))
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """What the statement says beside the code. `withdraw` is when the fleet may take it back."""

    author: str
    issued: datetime
    nonce: str
    git: str | None = None
    gate: Gate | None = None
    kind: Kind = "push"
    restores: int | None = None
    reason: str | None = None
    withdraw: Withdraw = NEVER


@dataclass(frozen=True, slots=True)
class Release:
    """A release that is ready to be sent: `content` is the whole request body."""

    statement: Statement
    manifest: Manifest
    content: bytes = field(repr=False)
    digest: str


def compose(wanted: Wanted, code: Mapping[str, EncodedBuild], view: View, facts: Facts, signer: Signer) -> Release:
    """Signs the overlay. `code` holds the builds of exactly the modules of `to_build`."""
    blobs: dict[str, bytes] = {}
    modules: dict[str, ModuleEntry | None] = {}
    for name, module in wanted.items():
        if not isinstance(module, Module):
            modules[name] = module
        elif name not in code:
            modules[name] = view.overlay[name]
        else:
            refs = [_blob(blobs, data) for data in (released_source(module), *code[name])]
            modules[name] = ModuleEntry(module.package, *refs)
    return sign(Manifest(modules), blobs, view, facts, signer)


def sign(manifest: Manifest, blobs: Mapping[str, bytes], view: View, facts: Facts, signer: Signer) -> Release:
    """One statement over one manifest, on top of the head."""
    data = manifest.encode()
    issued = _not_before(facts.issued, view.head)
    statement = Statement(
        target=view.target,
        base=view.base_digest,
        seq=view.head.seq + 1,
        prev=view.head.digest,
        kind=facts.kind,
        python=view.python,
        manifest_digest=f"sha256:{hashlib.sha256(data).hexdigest()}",
        manifest_size=len(data),
        issued=issued,
        accept_until=issued + timedelta(seconds=view.window_s),
        nonce=facts.nonce,
        author=facts.author,
        git=facts.git,
        gate=facts.gate,
        withdraw=facts.withdraw,
        restores=facts.restores,
        frozen=facts.kind == "rollback" and view.head.frozen,
        reason=facts.reason,
    )
    envelope = Envelope(PAYLOAD_TYPE, statement.encode()).sign(signer.public.keyid, signer.sign)
    content = body.encode(envelope.encode(), data, blobs)
    return Release(statement, manifest, content, envelope.digest)


def _blob(blobs: dict[str, bytes], data: bytes) -> BlobRef:
    digest = hashlib.sha256(data).hexdigest()
    blobs[digest] = data
    return BlobRef(digest, len(data))


def _not_before(now: datetime, head: Head) -> datetime:
    """`now`, but not before the head when this clock only lags a little: the server refuses time going backwards."""
    try:
        issued = datetime.fromisoformat(head.issued) if head.issued else now
    except ValueError:
        return now
    issued = issued if issued.tzinfo else issued.replace(tzinfo=UTC)
    return issued if now < issued <= now + MAX_LAG else now


def _top(name: str) -> str:
    return name.partition(".")[0]
