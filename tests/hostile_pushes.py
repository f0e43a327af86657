"""The hostile pushes: what is sent, and the status and code that it must get.

Read as a specification: one row each, in the order of the rules in `habanero_receiver.trust`.
"""

# ruff: noqa: E501  (one row each)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from forging import (
    ANA,
    BEN,
    CODE,
    HEAD,
    NOW,
    PYTHON,
    REMOVE,
    STRANGER,
    Forged,
    b64,
    entry,
    good_blobs,
    manifest_json,
    sha,
    signature,
    statement_json,
    to_json,
)

from habanero_receiver.release.envelope import pae
from habanero_receiver.release.fields import encode_time
from habanero_receiver.release.limits import Limits
from habanero_receiver.release.roles import parse_roles as roles

FROZEN = HEAD._replace(frozen=True)
Body = Callable[[], bytes]


@dataclass(frozen=True)
class Case:
    """A body, and the answer to it from a deployment that is `but` what it usually is."""

    status: int
    code: str
    what: str
    body: Body
    but: dict[str, Any] = field(default_factory=dict)


def push(**changes: Any) -> Body:
    return lambda: Forged(**changes).body()


def predicate(**changes: Any) -> Body:
    """A well signed push whose predicate differs; "__" stands for a dot."""
    return push(predicate={name.replace("__", "."): value for name, value in changes.items()})


def envelope(make: Callable[[bytes], bytes]) -> Body:
    """A push whose envelope's bytes are remade."""
    return lambda: Forged(envelope=make(Forged().the_envelope())).body()


def raw(payload: bytes) -> Body:
    """A push whose payload is these bytes, well signed."""
    return push(payload=payload)


def signed(make: Callable[[bytes], list[Any]]) -> Body:
    return push(signatures=make)


def module(name: str, **changes: Any) -> Body:
    """A push with one more module of this name."""
    return push(modules={**manifest_json()["modules"], name: {**entry(name), **changes}})


def blob_ref(digest: str | None = None, size: object = 12, colon: str = ":") -> Body:
    digest = digest or sha(CODE["shop.cart"])
    return push(modules={"shop.cart": {**entry("shop.cart"), "code": f"{digest}{colon}{size}"}})


def blobs(make: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]]) -> Body:
    return lambda: Forged(blobs=make(list(good_blobs().items()))).body()


def cut(at: Callable[[bytes], int]) -> Body:
    def body() -> bytes:
        whole = Forged().body()
        return whole[: at(whole)]

    return body


def head(size: int) -> Body:
    return lambda: b"HABPUSH1" + size.to_bytes(4, "big") + Forged().the_envelope()


def manifest_at(body: bytes) -> int:
    return 12 + int.from_bytes(body[8:12], "big")


def flip(sig: bytes) -> bytes:
    return sig[:-1] + bytes([sig[-1] ^ 1])


def seconds(delta: float) -> str:
    return encode_time(NOW + timedelta(seconds=delta))


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def make(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return make


def replaced_manifest(old: bytes, new: bytes) -> Body:
    return lambda: Forged(manifest=replaced(old, new)(to_json(manifest_json()))).body()


def replaced_payload(old: bytes, new: bytes) -> Body:
    return lambda: Forged(payload=replaced(old, new)(Forged().the_payload())).body()


FRAME = [
    Case(400, "truncated", "empty body", lambda: b""),
    Case(400, "magic", "random 1 KiB", lambda: bytes(range(256)) * 4),
    Case(413, "envelope-size", "envelope length 0", head(0)),
    Case(413, "envelope-size", "envelope length 4 GiB", head(2**32 - 1)),
    Case(413, "envelope-size", "envelope one byte too long", lambda: Forged(envelope=b" " * 16_385).body()),
    Case(400, "truncated", "magic alone", lambda: b"HABPUSH1"),
    Case(400, "truncated", "envelope cut short", cut(lambda body: 40)),
    Case(400, "truncated", "body ends after the envelope", cut(manifest_at)),
    Case(400, "truncated", "body cut in manifest", cut(lambda body: manifest_at(body) + 10)),
    Case(400, "truncated", "body cut in the number of blobs", cut(lambda body: manifest_at(body) + len(Forged().the_manifest()) + 2)),
    Case(400, "truncated", "body cut in blob", cut(lambda body: len(body) - 1)),
    Case(400, "truncated", "trailing bytes", lambda: Forged().body() + b"\n"),
]

ENVELOPE = [
    Case(400, "json", "envelope not JSON", envelope(lambda _: b"payload: none")),
    Case(400, "json", "envelope with bytes behind its JSON", envelope(lambda data: data + b"{}")),
    Case(400, "schema", "envelope JSON array", envelope(lambda data: b"[" + data + b"]")),
    Case(400, "schema", "envelope null", envelope(lambda _: b"null")),
    Case(400, "duplicate-key", "envelope duplicate key payload", envelope(replaced(b"{", b'{"payload":"",'))),
    Case(400, "duplicate-key", "duplicate key, once escaped", envelope(replaced(b"{", b'{"p\\u0061yload":"",'))),
    Case(400, "schema", "envelope extra field", push(envelope_changes={"note": "hello"})),
    Case(400, "schema", "envelope without signatures field", push(envelope_changes={"signatures": REMOVE})),
    Case(400, "schema", "signatures as object", push(envelope_changes={"signatures": {}})),
    Case(400, "json-depth", "envelope nesting 5000", envelope(lambda _: nested(5000))),
    Case(400, "json-depth", "nesting 17 behind a string of brackets", envelope(lambda _: b'["]]]]",' + nested(16) + b"]")),
    Case(400, "number", "envelope NaN", push(envelope_changes={"note": float("nan")})),
    Case(400, "number", "envelope Infinity", push(envelope_changes={"note": float("-inf")})),
    Case(400, "number", "envelope huge int", envelope(lambda _: b"1" * 5000)),
    Case(400, "number", "envelope float", envelope(lambda _: b"1e999")),
    Case(400, "not-utf8", "envelope UTF-16", envelope(lambda data: data.decode().encode("utf-16"))),
    Case(400, "not-utf8", "envelope UTF-16 without mark", envelope(lambda data: data.decode().encode("utf-16-le"))),
    Case(400, "not-utf8", "envelope Latin-1", envelope(lambda _: b'"\xe9"')),
    Case(400, "not-utf8", "surrogate encoded in bytes", envelope(lambda _: b'"\xed\xa0\x80"')),
    Case(400, "json", "envelope BOM", envelope(lambda data: b"\xef\xbb\xbf" + data)),
    Case(400, "surrogate", "lone surrogate", envelope(replaced(b'"keyid":"', b'"keyid":"\\ud800'))),
    Case(400, "surrogate", "lone surrogate as key", envelope(lambda _: b'{"\\uDFFF":1}')),
    Case(400, "base64", "payload base64 with newline", envelope(replaced(b'"payload":"', b'"payload":"\\n'))),
    Case(400, "base64", "payload base64 with space", envelope(replaced(b'"payload":"', b'"payload":" '))),
    Case(400, "base64", "payload base64 non-canonical bits", push(envelope_changes={"payload": "aGk="[:2] + "l="})),
    Case(400, "base64", "payload base64 unpadded", push(envelope_changes={"payload": "aGk"})),
    Case(400, "base64", "payload url-safe base64", push(envelope_changes={"payload": "-_-_"})),
    Case(400, "base64", "payload of look-alikes", push(envelope_changes={"payload": "аGk="})),
    Case(400, "base64", "signature base64 with newline", envelope(replaced(b'"sig":"', b'"sig":"\\n'))),
    Case(400, "schema", "keyid as list", signed(lambda payload: [signature([ANA.keyid], b"")])),
    Case(400, "schema", "signature entry extra field", signed(lambda payload: [{**ANA.signs(payload), "cert": ""}])),
    Case(400, "schema", "signature entry as string", signed(lambda payload: ["mine"])),
    Case(400, "schema", "sig as number", signed(lambda payload: [{"keyid": ANA.keyid, "sig": 1}])),
]


def unsigned(payload: bytes) -> list[Any]:
    return [STRANGER.signs(payload)]


STRANGERS = [
    Case(401, "unauthorized", "no signatures", signed(lambda payload: [])),
    Case(401, "unauthorized", "100 signatures", signed(lambda payload: [signature("", b"")] * 99 + [ANA.signs(payload)])),
    Case(401, "unauthorized", "unknown key", signed(unsigned)),
    Case(
        401,
        "unauthorized",
        "unknown key claiming known keyid",
        signed(lambda payload: [{**STRANGER.signs(payload), "keyid": ANA.keyid}]),
    ),
    Case(
        401,
        "unauthorized",
        "known key claiming unknown keyid",
        signed(lambda payload: [{**ANA.signs(payload), "keyid": STRANGER.keyid}]),
    ),
    Case(
        401,
        "unauthorized",
        "signature over payload without PAE",
        signed(lambda payload: [signature(ANA.keyid, ANA.sign(payload))]),
    ),
    Case(
        401,
        "unauthorized",
        "signature over the base64 of the payload",
        signed(lambda payload: [ANA.signs(b64(payload).encode())]),
    ),
    Case(
        401,
        "unauthorized",
        "signature bit flipped",
        signed(lambda payload: [signature(ANA.keyid, flip(ANA.sign(pae("application/vnd.in-toto+json", payload))))]),
    ),
    Case(
        401,
        "unauthorized",
        "payload bit flipped",
        signed(lambda payload: [ANA.signs(payload.replace(b"push", b"pusi"))]),
    ),
    Case(401, "unauthorized", "signature 63 bytes", signed(lambda payload: [signature(ANA.keyid, ANA.sign(payload)[:63])])),
    Case(401, "unauthorized", "signature 0 bytes", signed(lambda payload: [signature(ANA.keyid, b"")])),
    Case(
        401,
        "unauthorized",
        "payloadType swapped, validly signed",
        push(
            envelope_changes={"payloadType": "text/plain"},
            signatures=lambda payload: [ANA.signs(payload, "text/plain")],
        ),
    ),
    Case(
        401,
        "unauthorized",
        "a read's payloadType, validly signed",
        push(
            envelope_changes={"payloadType": "application/vnd.habanero.request+json"},
            signatures=lambda payload: [ANA.signs(payload, "application/vnd.habanero.request+json")],
        ),
    ),
    Case(401, "unauthorized", "key revoked", push(), {"revoked": frozenset({ANA.keyid})}),
    Case(401, "unauthorized", "key for another namespace", push(), {"keys": (ANA.trusted(namespaces=("git",)),)}),
    Case(401, "unauthorized", "key not valid yet", push(), {"keys": (ANA.trusted(valid_after=NOW + timedelta(1)),)}),
    Case(401, "unauthorized", "key valid no more", push(), {"keys": (ANA.trusted(valid_before=NOW),)}),
    Case(401, "unauthorized", "no keys are trusted", push(), {"keys": ()}),
    Case(401, "unauthorized", "threshold 2, one signer", push(), {"threshold": 2}),
    Case(401, "unauthorized", "threshold 2, same signature twice", push(signers=(ANA, ANA)), {"threshold": 2}),
    Case(
        401,
        "unauthorized",
        "threshold 2, same key under two keyids",
        signed(lambda payload: [ANA.signs(payload), {**ANA.signs(payload), "keyid": BEN.keyid}]),
        {"threshold": 2},
    ),
    Case(401, "unauthorized", "threshold 2, one good + one stranger", push(signers=(ANA, STRANGER)), {"threshold": 2}),
    Case(
        401,
        "unauthorized",
        "threshold 2, one good + one revoked",
        push(signers=(ANA, BEN)),
        {"threshold": 2, "revoked": frozenset({BEN.keyid})},
    ),
    Case(
        401,
        "unauthorized",
        "threshold 2, two keys of one person",
        push(signers=(ANA, BEN)),
        {"threshold": 2, "keys": (ANA.trusted(), BEN.trusted()._replace(principal=f"ben@train,{ANA.name}"))},
    ),
    Case(401, "unauthorized", "key without a role anywhere", push(), {"roles": roles("ben@desk push shop/production")}),
    Case(401, "unauthorized", "key with a role elsewhere", push(), {"roles": roles("ana@laptop push shop/staging")}),
    Case(401, "unauthorized", "key that may only read", push(), {"roles": roles("ana@laptop read,prune shop/production")}),
    Case(
        401,
        "unauthorized",
        "threshold 2, one of them may only read",
        push(signers=(ANA, BEN)),
        {"threshold": 2, "roles": roles("ana@laptop push shop/production\nben@desk read shop/production")},
    ),
]

STATEMENT = [
    Case(400, "json", "signed junk (not JSON)", raw(b"junk")),
    Case(400, "json", "signed nothing", raw(b"")),
    Case(400, "json-depth", "signed nesting", raw(nested(2000))),
    Case(400, "duplicate-key", "target given twice", replaced_payload(b'"target":', b'"target":"x","target":')),
    Case(422, "statement-type", "signed other statement type", push(statement={"_type": "https://in-toto.io/Statement/v0.1"})),
    Case(
        422,
        "statement-type",
        "signed SLSA provenance (other predicate)",
        push(statement={"predicateType": "https://slsa.dev/provenance/v1", "predicate.target": "x"}),
    ),
    Case(400, "schema", "statement extra field", push(statement={"note": ""})),
    Case(400, "schema", "predicate missing field", predicate(nonce=REMOVE)),
    Case(400, "schema", "predicate extra field", predicate(note="")),
    Case(400, "schema", "predicate as list", lambda: raw(to_json({**statement_json(b"m"), "predicate": []}))()),
    Case(413, "payload-size", "payload > 4096 B", lambda: raw(b" " * (4_097 - len(Forged().the_payload())) + Forged().the_payload())()),
    Case(422, "statement-kind", "kind of a later version", predicate(kind="thaw")),
    Case(400, "schema", "push that restores", predicate(restores=3)),
    Case(400, "schema", "rollback that restores nothing", predicate(kind="rollback")),
    Case(400, "schema", "clear that restores nothing", predicate(kind="clear")),
    Case(400, "schema", "freeze that restores nothing", predicate(kind="freeze")),
    Case(400, "schema", "push that is frozen", predicate(frozen=True)),
    Case(400, "schema", "rollback that is not frozen, and says so", predicate(kind="rollback", restores=0, frozen=False)),
    Case(400, "schema", "push with a reason", predicate(reason="because")),
    Case(400, "schema", "rollback to -1", predicate(kind="rollback", restores=-1)),
    Case(400, "schema", "nonce too short", predicate(nonce="0f")),
    Case(400, "schema", "nonce upper case", predicate(nonce="0F" * 16)),
    Case(400, "schema", "author with an escape sequence", predicate(author="ana\x1b[2J")),
    Case(400, "schema", "author of two lines", predicate(author="ana\nroot")),
    Case(400, "schema", "author written right to left", predicate(author="ana\u202e")),
    Case(400, "schema", "gate without exit", predicate(gate={"command": "pytest"})),
    Case(400, "schema", "policy empty", predicate(policy={})),
    Case(400, "schema", "probation of ten years", predicate(policy__withdraw__window_s=315_360_000)),
    Case(400, "subject", "two subjects", push(statement={"subject": [{}, {}]})),
    Case(400, "subject", "no subject", push(statement={"subject": []})),
    Case(400, "subject", "subject of another name", push(statement={"subject": [{"name": "m", "digest": {"sha256": "00" * 32}}]})),
    Case(400, "schema", "sha1 subject digest", push(statement={"subject": [{"name": "manifest", "digest": {"sha1": "00" * 20}}]})),
    Case(
        400,
        "schema",
        "sha1 beside sha256",
        push(statement={"subject": [{"name": "manifest", "digest": {"sha256": "00" * 32, "sha1": "00" * 20}}]}),
    ),
    Case(400, "digest", "subject digest upper case", push(statement={"subject": [{"name": "manifest", "digest": {"sha256": "AB" * 32}}]})),
    Case(400, "digest", "prev digest upper case", predicate(prev="sha256:" + "AB" * 32)),
    Case(400, "digest", "prev md5", predicate(prev="md5:" + "00" * 16)),
    Case(400, "digest", "prev with a line end", predicate(prev=HEAD.digest + "\n")),
    Case(400, "digest", "base without its algorithm", predicate(base="ba" * 32)),
    Case(400, "time", "time not UTC", predicate(issued="2026-11-21T12:04:08.210000+02:00")),
    Case(400, "time", "time without zone", predicate(issued="2026-11-21T12:04:08.210000")),
    Case(400, "time", "time without fraction", predicate(issued="2026-11-21T12:04:08Z")),
    Case(400, "time", "month 13", predicate(issued="2026-13-21T12:04:08.210000Z")),
    Case(400, "time", "second 60", predicate(issued="2026-11-21T12:04:60.210000Z")),
    Case(400, "time", "time in Arabic digits", predicate(issued="٢٠٢٦-11-21T12:04:08.210000Z")),
    Case(400, "number", "magic as float trick", predicate(python__magic=3495.0)),
    Case(400, "schema", "magic as true trick", predicate(python__magic=True)),
    Case(400, "schema", "magic as text", predicate(python__magic="3495")),
    Case(400, "schema", "seq true (bool)", predicate(seq=True)),
    Case(400, "number", "seq beyond 2^53", predicate(seq=2**53 + 1)),
    Case(413, "manifest-size", "manifest size lie, over the limit", predicate(manifest_size=8 * 1024 * 1024 + 1)),
    Case(413, "manifest-size", "manifest size 0", predicate(manifest_size=0)),
    Case(413, "manifest-size", "manifest size negative", predicate(manifest_size=-1)),
]

HERE_AND_NOW = [
    Case(403, "role-missing", "push by who may only roll back", push(), {"roles": roles("ana@laptop rollback shop/production")}),
    Case(
        403,
        "role-missing",
        "threshold 2, one of them may only freeze",
        push(signers=(ANA, BEN)),
        {"threshold": 2, "roles": roles("ana@laptop push shop/production\nben@desk freeze shop/production")},
    ),
    Case(409, "frozen", "push on top of a freeze", push(), {"head": FROZEN}),
    Case(409, "frozen", "rollback that would end a freeze", predicate(kind="rollback", restores=0), {"head": FROZEN}),
    Case(409, "frozen", "rollback that would freeze", predicate(kind="rollback", restores=0, frozen=True)),
    Case(409, "restores-mismatch", "rollback to what was never there", predicate(kind="rollback", restores=3)),
    Case(409, "restores-mismatch", "rollback to itself", predicate(kind="rollback", restores=17)),
    Case(409, "restores-mismatch", "freeze with new code", predicate(kind="freeze", restores=16)),
    Case(409, "restores-mismatch", "clear with new code", predicate(kind="clear", restores=16)),
    Case(409, "restores-mismatch", "rollback to the base with new code", predicate(kind="rollback", restores=0)),
    Case(403, "wrong-target", "staging statement replayed to prod", predicate(target="shop/staging#5f2c")),
    Case(403, "wrong-target", "same name, other deployment id", predicate(target="shop/production#5f2d")),
    Case(403, "wrong-target", "target with unicode look-alike", predicate(target="shоp/production#5f2c")),
    Case(403, "wrong-target", "target in another case", predicate(target="Shop/production#5f2c")),
    Case(409, "base-mismatch", "other base (new cold deploy)", predicate(base="sha256:" + "00" * 32)),
    Case(409, "not-next", "seq 0", predicate(seq=0)),
    Case(409, "not-next", "seq -1", predicate(seq=-1)),
    Case(409, "not-next", "seq 2^53 fast-forward", predicate(seq=2**53)),
    Case(409, "not-next", "the number of the head again", predicate(seq=HEAD.seq)),
    Case(409, "not-next", "prev wrong (fork)", predicate(prev="sha256:" + "77" * 32)),
    Case(409, "not-next", "replay of older accepted push (rollback)", predicate(seq=3, prev="sha256:" + "02" * 32)),
    Case(403, "window", "window of 10 years", predicate(accept_until=seconds(315_360_000))),
    Case(403, "window", "window that ends before it begins", predicate(accept_until=seconds(-1))),
    Case(403, "not-yet-valid", "from the future", predicate(issued=seconds(61), accept_until=seconds(361))),
    Case(403, "expired", "expired", predicate(issued=seconds(-301), accept_until=seconds(-1))),
    Case(
        403,
        "time-went-backwards",
        "issued earlier than head",
        predicate(issued=seconds(-3_500), accept_until=seconds(1)),
        {"head": HEAD.__class__(HEAD.seq, HEAD.digest, NOW - timedelta(seconds=3_499))},
    ),
    Case(409, "python-mismatch", "wrong Python magic", predicate(python__magic=PYTHON.magic + 1)),
    Case(409, "python-mismatch", "PyPy tag", predicate(python__implementation="pypy", python__cache_tag="pypy311")),
    Case(409, "python-mismatch", "-O2 bytecode to -O0 server", predicate(python__optimize=2)),
]


def modules(count: int) -> dict[str, Any]:
    return {f"shop.m{index}": {"deleted": True} for index in range(count)}


NAMES = [
    "../../etc/passwd", "shop..cart", ".shop", "shop.", "shop/cart", "shop\\cart", "shop.cart\n", "shop.\x00", "",
    "shop.__init__", "shop.__main__", "shop.__pycache__", "shop.class", "shop.None", "shop.ﬁle", "shop.ＣＡＲＴ",
    "shop." + "x" * 196, "shop.a b", "shop.1", "shop.cart.", "shop.a-b", "shop.\u202ecart", "shop.cafe\u0301",
]  # fmt: skip

STRANGE_MODULES = [
    "os", "sys", "builtins", "json", "os.path", "sitecustomize", "usercustomize", "encodings", "habanero_py.receiver",
    "habanero_receiver.trust", "habanero_anything", "shopping", "lib", "lib.utility", "lib.other", "fastapi", "_thread",
]  # fmt: skip

MANIFEST = [
    Case(
        400,
        "manifest-digest",
        "manifest swapped (mix and match)",
        lambda: Forged(sent_manifest=Forged().the_manifest().replace(b"shop.cart", b"shop.carp")).body(),
    ),
    Case(
        400,
        "manifest-digest",
        "manifest size lie, short",
        lambda: Forged(predicate={"manifest_size": len(Forged().the_manifest()) - 1}).body(),
    ),
    Case(
        400,
        "manifest-digest",
        "manifest size lie, too big",
        lambda: Forged(predicate={"manifest_size": len(Forged().the_manifest()) + 1}).body(),
    ),
    Case(400, "json", "manifest not JSON", push(manifest=b"PK\x03\x04")),
    Case(400, "schema", "manifest JSON list", push(manifest=b"[]")),
    Case(422, "manifest-version", "manifest version 1", push(manifest=to_json({**manifest_json(), "version": 1}))),
    Case(422, "manifest-version", "manifest version true", push(manifest=to_json({**manifest_json(), "version": True}))),
    Case(400, "schema", "manifest without version", push(manifest=to_json({"modules": {}, "assets": {}}))),
    Case(400, "schema", "manifest with assets", push(manifest=to_json({**manifest_json(), "assets": {"logo.png": {}}}))),
    Case(400, "duplicate-key", "manifest duplicate module", replaced_manifest(b'"modules":{', b'"modules":{"shop":{"deleted":true},')),
    Case(413, "too-many-modules", "5001 modules", push(modules=modules(5_001))),
    *[Case(403, "module-name", f"module name {name[:20]!r}", module(name)) for name in NAMES],
    *[Case(403, "module-not-allowed", f"module outside allow-list {name}", module(name)) for name in STRANGE_MODULES],
    Case(403, "module-not-allowed", "deleting outside allow-list", push(modules={"lib": {"deleted": True}})),
    Case(403, "module-name", "names differing by case only", module("shop.Cart")),
    Case(400, "schema", "path that leaves the root", module("shop.x", path="../shop/x.py")),
    Case(400, "schema", "package as 1", module("shop.x", package=1)),
    Case(400, "schema", "deleted:1 instead of true", push(modules={"shop.x": {"deleted": 1}})),
    Case(400, "schema", "deleted:false", push(modules={"shop.x": {"deleted": False}})),
    Case(400, "schema", "deleted, and there as well", module("shop.x", deleted=True)),
    Case(400, "schema", "entry with unknown field", module("shop.x", note="")),
    Case(400, "schema", "entry null", push(modules={"shop.x": None})),
    Case(400, "schema", "modules as list", push(modules=[])),
    Case(400, "digest", "blob digest uppercase", blob_ref(sha(CODE["shop.cart"]).upper())),
    Case(400, "digest", "blob digest as path", blob_ref("../" + "0" * 61)),
    Case(413, "blob-size", "blob size 0", blob_ref(size=0)),
    Case(400, "schema", "blob size -1", blob_ref(size=-1)),
    Case(400, "schema", "blob size with a leading zero", blob_ref(size="012")),
    Case(400, "schema", "blob size in other digits", blob_ref(size="١٢")),
    Case(400, "schema", "blob size and a line's end", blob_ref(size="12\n")),
    Case(400, "schema", "blob size that is no number", blob_ref(size="many")),
    Case(400, "schema", "blob without a size", blob_ref(size="", colon="")),
    Case(400, "schema", "blob as an object", module("shop.x", units={"sha256": sha(b""), "size": 0})),
    Case(400, "schema", "no units", push(modules={"shop.x": {**entry("shop.x"), "units": None}})),
    Case(413, "blob-size", "blob size 2 GiB", blob_ref(size=2**31)),
    Case(413, "total-size", "total size over the limit", push(), {"limits": Limits(max_total_bytes=30)}),
    Case(400, "size-conflict", "same digest, two sizes", module("shop.x", code=entry("shop.cart")["code"].partition(":")[0] + ":5")),
]

BLOBS = [
    Case(400, "blob-digest", "blob digest mismatch", blobs(lambda good: [(name, flip(data) if data else data) for name, data in good])),
    Case(400, "blob-missing", "blob missing", blobs(lambda good: good[:-1])),
    Case(400, "blob-missing", "no blob at all", blobs(lambda good: [])),
    Case(400, "unexpected-blob", "blob sent twice", blobs(lambda good: [good[0], good[0], *good[2:]])),
    Case(400, "unexpected-blob", "blob not in manifest", blobs(lambda good: [*good[:-1], (sha(b"other"), b"other")])),
    Case(400, "unexpected-blob", "more blobs than the manifest names", blobs(lambda good: [*good, (sha(b"other"), b"other")])),
    Case(400, "unexpected-blob", "blob of a manifest that names none", push(modules={})),
]

CASES = [*FRAME, *ENVELOPE, *STRANGERS, *STATEMENT, *HERE_AND_NOW, *MANIFEST, *BLOBS]

