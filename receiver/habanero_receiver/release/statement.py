"""The signed statement of a release: which manifest replaces the code of which base, after which release, by whom.

An in-toto Statement v1 of at most 4,096 bytes, which is what an agent, a token or a cloud's key service can sign. The
whole overlay is in the manifest; the statement names that by its digest alone.

It does not judge (`habanero_receiver.trust`): any sequence number, target and time of the right form decodes. The rule
it upholds: `encode` gives nothing that `decode` would refuse.
"""

from __future__ import annotations

import importlib.util
import sys
from datetime import datetime
from typing import Literal, cast

from habanero_receiver.errors import RequestError
from habanero_receiver.values import NamedTuple

from . import strictjson
from .fields import DIGEST_PREFIX, Fields, encode_time, refuse
from .limits import DEFAULT_LIMITS, Limits

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:habanero-py:release:v1"
NONCE_BYTES = 16
MAX_SUMMARY_CHARS = 80

Kind = Literal["push", "rollback", "freeze", "clear"]
_BRINGS_BACK = ("rollback", "freeze", "clear")

_REQUIRED = (
    "target", "base", "seq", "prev", "kind", "python", "manifest_size", "issued", "accept_until", "nonce", "author",
    "policy",
)  # fmt: skip
_OPTIONAL = ("git", "gate", "restores", "frozen", "reason")


class PythonTag(NamedTuple):
    """The Python that bytecode is for: sys.implementation's name and cache_tag, pyc magic number, -O level."""

    implementation: str
    cache_tag: str
    magic: int
    optimize: int

    @classmethod
    def current(cls) -> PythonTag:
        """The Python that runs this."""
        return cls(
            implementation=sys.implementation.name,
            cache_tag=sys.implementation.cache_tag or "",
            magic=int.from_bytes(importlib.util.MAGIC_NUMBER[:2], "little"),
            optimize=sys.flags.optimize,
        )

    def to_json(self) -> dict[str, object]:
        """As it stands in a statement and in the server's state."""
        return {
            "implementation": self.implementation,
            "cache_tag": self.cache_tag,
            "magic": self.magic,
            "optimize": self.optimize,
        }

    @classmethod
    def from_json(cls, value: object, where: str = "python") -> PythonTag:
        """The tag in decoded JSON; RequestError "schema"."""
        fields = Fields(value, where, ("implementation", "cache_tag", "magic", "optimize"))
        return cls(
            implementation=fields.text("implementation", 40),
            cache_tag=fields.text("cache_tag", 40),
            magic=fields.integer("magic", 0, 0xFFFF),
            optimize=fields.integer("optimize", 0, 2),
        )

    def __str__(self) -> str:
        level = f" -{'O' * self.optimize}" if self.optimize else ""
        return f"{self.cache_tag} (magic {self.magic}){level}"


class Gate(NamedTuple):
    """What was run before signing, its exit code, and a few words that it said of itself ("18 passed"), if it did."""

    command: str
    exit: int
    summary: str | None = None

    def to_json(self) -> dict[str, object]:
        """As it stands in a statement."""
        said = {} if self.summary is None else {"summary": self.summary}
        return {"command": self.command, "exit": self.exit, **said}


class Withdraw(NamedTuple):
    """When the fleet may fall back to the release before.

    A process of it found the release bad: it did not start, or so many errors came out of its code within one minute,
    in the first `window_s` seconds that the release was live there. With 0 errors never.
    """

    errors_per_minute: int = 5
    window_s: int = 300

    @property
    def allowed(self) -> bool:
        """Whether a verdict counts against the release at all."""
        return self.errors_per_minute > 0


NEVER = Withdraw(errors_per_minute=0)
"""The policy of a release that is not taken back, whatever it does."""


class Statement(NamedTuple):
    """One release. Digests are "sha256:<hex>"; `prev` is the payload digest of release seq - 1, the base for 1.

    `restores` is the number of the release whose overlay this one brings back (0: the base as it was deployed). Set for
    a rollback; for a freeze, which keeps the code that runs and after which nothing is pushed, with its `reason`; and
    for a clear, which ends a freeze, and has a release that was withdrawn tried again. A rollback during a freeze is
    `frozen`: it does not end it.
    """

    target: str
    base: str
    seq: int
    prev: str
    kind: Kind
    python: PythonTag
    manifest_digest: str
    manifest_size: int
    issued: datetime
    accept_until: datetime
    nonce: str
    author: str
    git: str | None = None
    gate: Gate | None = None
    withdraw: Withdraw = Withdraw()
    restores: int | None = None
    frozen: bool = False
    reason: str | None = None

    @property
    def freezes(self) -> bool:
        """Whether nothing may be pushed on top of this release."""
        return self.kind == "freeze" or self.frozen

    def encode(self, limits: Limits = DEFAULT_LIMITS) -> bytes:
        """The payload to sign; the RequestError of `decode` for what no receiver would accept."""
        payload = strictjson.dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": [
                    {"name": "manifest", "digest": {"sha256": self.manifest_digest.removeprefix(DIGEST_PREFIX)}}
                ],
                "predicateType": PREDICATE_TYPE,
                "predicate": self._predicate(),
            }
        )
        Statement.decode(payload, limits)
        return payload

    def _predicate(self) -> dict[str, object]:
        withdraw = {"errors_per_minute": self.withdraw.errors_per_minute, "window_s": self.withdraw.window_s}
        predicate: dict[str, object] = {
            "target": self.target,
            "base": self.base,
            "seq": self.seq,
            "prev": self.prev,
            "kind": self.kind,
            "python": self.python.to_json(),
            "manifest_size": self.manifest_size,
            "issued": encode_time(self.issued),
            "accept_until": encode_time(self.accept_until),
            "nonce": self.nonce,
            "author": self.author,
            "policy": {"withdraw": withdraw},
        }
        if self.git is not None:
            predicate["git"] = self.git
        if self.gate is not None:
            predicate["gate"] = self.gate.to_json()
        if self.restores is not None:
            predicate["restores"] = self.restores
        if self.frozen:
            predicate["frozen"] = True
        if self.reason is not None:
            predicate["reason"] = self.reason
        return predicate

    @classmethod
    def decode(cls, payload: bytes, limits: Limits = DEFAULT_LIMITS) -> Statement:
        """The statement in a payload.

        RequestError: payload-size, statement-type, statement-kind, subject, schema, digest, time, manifest-size, and
        those of `strictjson.loads`.
        """
        if len(payload) > limits.max_payload_bytes:
            raise RequestError(
                "payload-size", f"a statement of {len(payload)} bytes; at most {limits.max_payload_bytes} are accepted"
            )
        value = strictjson.loads(payload, max_depth=limits.max_json_depth)
        outer = Fields(value, "statement", ("_type", "subject", "predicateType", "predicate"))
        if (outer.string("_type"), outer.string("predicateType")) != (STATEMENT_TYPE, PREDICATE_TYPE):
            raise RequestError(
                "statement-type",
                f"a statement of type {outer.string('_type')[:80]!r} about {outer.string('predicateType')[:80]!r}",
                help=f"a release is {STATEMENT_TYPE} with predicate {PREDICATE_TYPE}",
            )
        manifest_digest = _subject(outer.array("subject"))
        return _statement(Fields(outer["predicate"], "predicate", _REQUIRED, _OPTIONAL), manifest_digest, limits)


def _subject(subjects: list[object]) -> str:
    if len(subjects) != 1:
        raise RequestError("subject", f"the statement has {len(subjects)} subjects instead of the manifest alone")
    subject = Fields(subjects[0], "subject", ("name", "digest"))
    if subject.string("name") != "manifest":
        raise RequestError("subject", "the statement's subject is not named 'manifest'")
    return DIGEST_PREFIX + Fields(subject["digest"], "subject.digest", ("sha256",)).hexdigest("sha256")


def _statement(fields: Fields, manifest_digest: str, limits: Limits) -> Statement:
    kind = fields.string("kind")
    if kind not in ("push", *_BRINGS_BACK):
        raise RequestError(
            "statement-kind",
            f"a release of kind {kind[:40]!r}; this receiver knows push, rollback, freeze and clear",
        )
    text = limits.max_text_chars
    statement = Statement(
        target=fields.text("target", text),
        base=fields.digest("base"),
        seq=fields.integer("seq"),
        prev=fields.digest("prev"),
        kind=cast(Kind, kind),
        python=PythonTag.from_json(fields["python"], fields.name("python")),
        manifest_digest=manifest_digest,
        manifest_size=_manifest_size(fields.integer("manifest_size"), limits),
        issued=fields.time("issued"),
        accept_until=fields.time("accept_until"),
        nonce=_nonce(fields.string("nonce")),
        author=fields.text("author", text),
        git=fields.text("git", text) if "git" in fields else None,
        gate=_gate(fields["gate"], text) if "gate" in fields else None,
        withdraw=_withdraw(fields["policy"]),
        restores=fields.integer("restores", 0) if "restores" in fields else None,
        frozen=fields.flag("frozen") if "frozen" in fields else False,
        reason=fields.text("reason", text) if "reason" in fields else None,
    )
    _check_kind(statement, flagged="frozen" in fields)
    return statement


def _check_kind(statement: Statement, *, flagged: bool) -> None:
    """What belongs to some kinds of releases only."""
    if (statement.restores is not None) != (statement.kind in _BRINGS_BACK):
        refuse("predicate.restores", "belongs to every rollback, freeze and clear, and to nothing else")
    if flagged and not (statement.frozen and statement.kind == "rollback"):
        refuse("predicate.frozen", "belongs to a rollback alone, and is true or absent")
    if statement.reason is not None and statement.kind != "freeze":
        refuse("predicate.reason", "belongs to a freeze alone")


def _manifest_size(size: int, limits: Limits) -> int:
    if not 0 < size <= limits.max_manifest_bytes:
        raise RequestError(
            "manifest-size",
            f"the signed manifest size is {size} bytes; 1 to {limits.max_manifest_bytes} are accepted",
            subject="predicate.manifest_size",
        )
    return size


def _nonce(nonce: str) -> str:
    if len(nonce) != 2 * NONCE_BYTES or not set(nonce) <= set("0123456789abcdef"):
        refuse("predicate.nonce", f"is not {2 * NONCE_BYTES} lower-case hex digits")
    return nonce


def _gate(value: object, max_chars: int) -> Gate:
    fields = Fields(value, "predicate.gate", ("command", "exit"), ("summary",))
    summary = fields.text("summary", MAX_SUMMARY_CHARS) if "summary" in fields else None
    return Gate(fields.text("command", max_chars), fields.integer("exit", -1024, 1024), summary)


def _withdraw(value: object) -> Withdraw:
    policy = Fields(value, "predicate.policy", ("withdraw",))
    fields = Fields(policy["withdraw"], "predicate.policy.withdraw", ("errors_per_minute", "window_s"))
    return Withdraw(fields.integer("errors_per_minute", 0, 1_000_000), fields.integer("window_s", 1, 86_400))
