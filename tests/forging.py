"""What it takes to send a deployment anything at all, right or wrong, without a socket.

`Deployment` is the receiver's side of a push as the HTTP shell walks it: parser, envelope, manifest, blobs. The rest
composes pushes from plain JSON, so that a test can say exactly what is wrong with one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from habanero_receiver import trust
from habanero_receiver.release.body import BlobPart, EnvelopePart, ManifestPart, PushParser
from habanero_receiver.release.envelope import PAYLOAD_TYPE, pae
from habanero_receiver.release.fields import encode_time
from habanero_receiver.release.keys import PublicKey, TrustedKey
from habanero_receiver.release.manifest import Manifest
from habanero_receiver.release.statement import PREDICATE_TYPE, STATEMENT_TYPE, PythonTag

NOW = datetime(2026, 11, 21, 12, 4, 8, 210_000, tzinfo=UTC)
TARGET = "shop/production#5f2c"
BASE = "sha256:" + "ba" * 32
PREV = "sha256:" + "16" * 32
PYTHON = PythonTag("cpython", "cpython-311", 3495, 0)
HEAD = trust.Head(16, PREV, NOW - timedelta(hours=1))

Json = dict[str, Any]
REMOVE: Any = object()
"""As a change: leave the field out."""


@dataclass(frozen=True)
class Person:
    """Someone with a key that is the same in every run."""

    name: str

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.name.encode()).digest())

    @property
    def public(self) -> PublicKey:
        return PublicKey(self.private.public_key().public_bytes_raw(), self.name)

    @property
    def keyid(self) -> str:
        return self.public.keyid

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)

    def trusted(self, **changes: Any) -> TrustedKey:
        return TrustedKey(self.name, self.public, **changes)

    def signs(self, payload: bytes, payload_type: str = PAYLOAD_TYPE) -> Json:
        """An entry of an envelope's signatures."""
        return signature(self.keyid, self.sign(pae(payload_type, payload)))


ANA, BEN, STRANGER = Person("ana@laptop"), Person("ben@desk"), Person("mallory")


def signature(keyid: object, sig: bytes) -> Json:
    return {"keyid": keyid, "sig": b64(sig)}


def flip_last(data: bytes) -> bytes:
    """The same bytes but for one bit."""
    return data[:-1] + bytes([data[-1] ^ 1]) if data else data


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def to_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def change(value: Json, changes: Mapping[str, Any]) -> Json:
    """`value` with dotted fields set ("python.magic"), or left out (`REMOVE`)."""
    copy: Json = json.loads(json.dumps(value))
    for path, new in changes.items():
        *parents, last = path.split(".")
        place = copy
        for parent in parents:
            place = place[parent]
        if new is REMOVE:
            del place[last]
        else:
            place[last] = deepcopy(new)
    return copy


SOURCES = {"shop": b"", "shop.cart": b"TOTAL = 0\n"}
CODE = {"shop": b"code of shop", "shop.cart": b"code of cart"}
UNITS = b"units of either"


def manifest_json() -> Json:
    return {"version": 2, "modules": {name: entry(name, name == "shop") for name in SOURCES}, "assets": {}}


def entry(name: str, package: bool = False, source: bytes | None = None, code: bytes | None = None) -> Json:
    source = SOURCES.get(name, b"# new\n") if source is None else source
    code = CODE.get(name, b"code") if code is None else code
    return {"package": package, "source": ref(source), "code": ref(code), "units": ref(UNITS)}


def ref(data: bytes) -> str:
    return f"{sha(data)}:{len(data)}"


def good_blobs() -> dict[str, bytes]:
    return {sha(data): data for data in (*SOURCES.values(), *CODE.values(), UNITS)}


def statement_json(manifest: bytes) -> Json:
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": "manifest", "digest": {"sha256": sha(manifest)}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "target": TARGET,
            "base": BASE,
            "seq": HEAD.seq + 1,
            "prev": HEAD.digest,
            "kind": "push",
            "python": PYTHON.to_json(),
            "manifest_size": len(manifest),
            "issued": encode_time(NOW),
            "accept_until": encode_time(NOW + timedelta(minutes=5)),
            "nonce": "0f" * 16,
            "author": "ana@laptop",
            "git": "4be1c0d+dirty",
            "gate": {"command": "pytest -q", "exit": 0},
            "policy": {"withdraw": {"errors_per_minute": 5, "window_s": 60}},
        },
    }


@dataclass
class Forged:
    """A push in the making. What is None is composed, right, from what is below it; what is set is sent as it is."""

    manifest: bytes | None = None
    modules: Mapping[str, Any] | None = None
    predicate: Mapping[str, Any] = field(default_factory=dict)
    statement: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes | None = None
    signers: tuple[Person, ...] = (ANA,)
    signatures: Callable[[bytes], list[Any]] | None = None
    envelope_changes: Mapping[str, Any] = field(default_factory=dict)
    envelope: bytes | None = None
    blobs: list[tuple[str, bytes]] | None = None
    sent_manifest: bytes | None = None

    def the_manifest(self) -> bytes:
        if self.manifest is not None:
            return self.manifest
        return to_json(manifest_json() if self.modules is None else {**manifest_json(), "modules": self.modules})

    def the_payload(self) -> bytes:
        if self.payload is not None:
            return self.payload
        plain = change(statement_json(self.the_manifest()), self.statement)
        return to_json({**plain, "predicate": change(plain["predicate"], self.predicate)})

    def envelope_json(self) -> Json:
        payload = self.the_payload()
        make = self.signatures or (lambda payload: [person.signs(payload) for person in self.signers])
        plain = {"payloadType": PAYLOAD_TYPE, "payload": b64(payload), "signatures": make(payload)}
        return change(plain, self.envelope_changes)

    def the_envelope(self) -> bytes:
        return to_json(self.envelope_json()) if self.envelope is None else self.envelope

    def body(self) -> bytes:
        envelope = self.the_envelope()
        manifest = self.the_manifest() if self.sent_manifest is None else self.sent_manifest
        blobs = list(good_blobs().items()) if self.blobs is None else self.blobs
        parts = [b"HABPUSH1", len(envelope).to_bytes(4, "big"), envelope, manifest, len(blobs).to_bytes(4, "big")]
        return b"".join([*parts, *(bytes.fromhex(name) + data for name, data in blobs)])


@dataclass(frozen=True)
class Received:
    """What a deployment took."""

    accepted: trust.Accepted
    manifest: Manifest | None
    blobs: Mapping[str, bytes]


@dataclass(frozen=True)
class Deployment:
    """One receiver, as much of it as decides: no store, no swap, no clock."""

    policy: trust.TrustPolicy = trust.TrustPolicy(  # noqa: RUF009  (frozen)
        keys=(ANA.trusted(), BEN.trusted()),
        target=TARGET,
        allowed_modules=frozenset({"shop", "lib.util"}),
        python=PYTHON,
    )
    base: str = BASE
    head: trust.Head = HEAD
    now: datetime = NOW
    held: Collection[str] = ()
    entries: Mapping[int, bytes] = field(default_factory=dict)

    def but(self, **changes: Any) -> Deployment:
        """The same, with fields of it or of its policy changed."""
        own = {name: value for name, value in changes.items() if name in self.__dataclass_fields__}
        policy = {name: value for name, value in changes.items() if name not in own}
        return replace(self, policy=replace(self.policy, **policy), **own)

    def judge(self, envelope: bytes) -> trust.Accepted:
        signed = trust.judge_signatures(envelope, self.policy, self.now)
        accepted = trust.judge_push(signed, self.policy, self.base, self.head, self.now)
        if not accepted.already_applied:
            trust.judge_restored(accepted.statement, self.entries.get, self.policy)
        return accepted

    def receive(self, body: bytes, chunk: int = 65_536) -> Received:
        """Walk a body as the HTTP shell does."""
        parser = PushParser(self.policy.limits)
        chunks = iter([body[at : at + chunk] for at in range(0, len(body), chunk)])
        blobs: dict[str, bytes] = {}
        accepted: trust.Accepted | None = None
        manifest: Manifest | None = None
        while True:
            part = parser.next_part()
            if isinstance(part, EnvelopePart):
                accepted = self.judge(part.data)
                if accepted.already_applied:
                    return Received(accepted, None, {})
                parser.expect_manifest(accepted.statement.manifest_size)
            elif isinstance(part, ManifestPart):
                assert accepted is not None
                manifest = trust.judge_manifest(part.data, accepted.statement, self.policy)
                parser.expect_blobs(manifest.blobs(), self.held)
            elif isinstance(part, BlobPart):
                blobs[part.sha256] = part.data
            elif (data := next(chunks, None)) is not None:
                parser.feed(data)
            else:
                parser.close()
                assert accepted is not None
                return Received(accepted, manifest, blobs)
