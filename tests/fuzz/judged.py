"""Mutated inputs, judged one by one as the receiver judges them: on the way in, and out of the journal.

    envelope   the envelope of a push, its bytes or its JSON changed
    entry      the same bytes as an entry read back from the bucket, with and without today's keys
    body       a whole push, changed anywhere
    signed     a statement with other fields, well signed: a trusted key on a broken program
    manifest   a manifest with other fields, named by a well signed statement
    read       the header of a signed read

After each: an error of ours with a stable code, or what was signed, and nothing else. The rule: no other exception, no
forbidden event of `watch`, no input that takes a second, no payload but the signed one, nothing changed.
"""

from __future__ import annotations

import base64
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Any

from forging import ANA, Deployment, Forged, b64, manifest_json, statement_json, to_json
from hostile_pushes import CASES

from fuzz import watch
from fuzz.mutations import mutate, restructure
from habanero_receiver import trust
from habanero_receiver.errors import CODES, HabaneroError
from habanero_receiver.release.envelope import PAYLOAD_TYPE, Envelope, pae

HERE = Deployment()
SLOW_S = 1.0
Judge = Callable[[bytes], str | None]


@dataclass
class Tally:
    """What came of it."""

    tried: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    seconds: float = 0.0
    kib_before: int = 0
    kib_after: int = 0

    def lines(self) -> list[str]:
        """For people."""
        total = sum(self.tried.values())
        codes = ", ".join(f"{code} {count:,}" for code, count in self.codes.most_common() if code != "as signed")
        return [
            f"{total:,} inputs ({', '.join(f'{count:,} {kind}' for kind, count in self.tried.most_common())})",
            f"{self.seconds:.0f} s, {1e6 * self.seconds / max(total, 1):.0f} us each",
            f"slowest {1e3 * self.slowest_s:.1f} ms of CPU",
            f"memory {self.kib_before / 1024:.0f} -> {self.kib_after / 1024:.0f} MiB",
            f"{self.codes['as signed']:,} were what was signed; {len(self.codes) - 1} codes: {codes}",
            f"{len(self.violations)} promises that did not hold",
            *self.violations,
        ]


@cache
def _signer() -> Callable[[bytes], bytes]:
    return ANA.private.sign


def _signed(payload: bytes) -> bytes:
    return Envelope(PAYLOAD_TYPE, payload).sign(ANA.keyid, lambda _: _signer()(pae(PAYLOAD_TYPE, payload))).encode()


@cache
def _right() -> frozenset[str]:
    """The payloads that are well signed and for here: some pushes are wrong behind the envelope, or for now only."""
    found = set()
    for data in set(_envelopes()):
        for judge in (_judge_envelope, _judge_entry):
            with suppress(HabaneroError):
                found.add(judge(data))
    return frozenset(digest for digest in found if digest)


def _envelopes() -> list[bytes]:
    bodies = [case.body() for case in CASES]
    found = [body[12 : 12 + int.from_bytes(body[8:12], "big")] for body in bodies if body.startswith(b"HABPUSH1")]
    return [Forged().the_envelope()] * 8 + [data for data in found if 0 < len(data) < 20_000]


def _judge_envelope(data: bytes) -> str | None:
    return HERE.judge(data).head.digest


def _judge_body(data: bytes) -> str | None:
    return HERE.receive(data).accepted.head.digest


def _judge_entry(data: bytes) -> str | None:
    """Without today's keys the chain alone is judged, so another payload can come out; it is run by nobody."""
    chained = trust.judge_entry(data, HERE.policy, HERE.base, HERE.head, seq=17, require_trusted_key=False)
    assert Envelope.decode(data).payload and chained.target == HERE.policy.target
    trust.judge_entry(data, HERE.policy, HERE.base, HERE.head, seq=17, require_trusted_key=True)
    return Envelope.decode(data).digest


def _judge_signed(data: bytes) -> str | None:
    HERE.judge(_signed(data))
    return None


def _judge_manifest(data: bytes) -> str | None:
    HERE.receive(Forged(payload=to_json(statement_json(data)), manifest=data, blobs=[]).body())
    return None


def _judge_read(data: bytes) -> str | None:
    for value in (data.decode("latin-1"), f"Habanero {b64(data)}"):
        trust.judge_request(value, "GET", "/v1/state", HERE.policy, HERE.now)
    return ""


class Run:
    """One seed's worth of inputs."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)
        self._envelopes = _envelopes()
        self._bodies = [Forged().body(), *[case.body() for case in CASES if len(case.body()) < 20_000]]
        self._statement, self._manifest = statement_json(Forged().the_manifest()), manifest_json()
        self._plain = Forged().envelope_json()
        _right()
        self.tally = Tally(kib_before=_kib())
        self._kinds: tuple[tuple[str, int, Callable[[], bytes], Judge], ...] = (
            ("envelope", 45, self._envelope, _judge_envelope),
            ("entry", 30, self._envelope, _judge_entry),
            ("body", 8, self._body, _judge_body),
            ("signed", 10, lambda: self._json(self._statement), _judge_signed),
            ("manifest", 5, lambda: self._json(self._manifest), _judge_manifest),
            ("read", 2, self._envelope, _judge_read),
        )

    def go(self, count: int, until: float) -> None:
        """Try `count` inputs, or as many as there is time for until that moment of the monotonic clock."""
        began = time.monotonic()
        weights = [weight for _, weight, _, _ in self._kinds]
        for number in range(count):
            if number % 256 == 0 and time.monotonic() > until:
                break
            kind, _, make, judge = self._dice.choices(self._kinds, weights)[0]
            self._try(kind, make(), judge)
        self.tally.seconds += time.monotonic() - began
        self.tally.kib_after = _kib()

    def _envelope(self) -> bytes:
        if self._dice.random() < 0.3:
            return restructure(self._dice, self._plain)
        return mutate(self._dice, self._dice.choice(self._envelopes), self._envelopes)

    def _body(self) -> bytes:
        return mutate(self._dice, self._dice.choice(self._bodies), self._bodies)

    def _json(self, value: Any) -> bytes:
        data = restructure(self._dice, value)
        return mutate(self._dice, data, self._envelopes) if self._dice.random() < 0.2 else data

    def _try(self, kind: str, data: bytes, judge: Judge) -> None:
        tally = self.tally
        tally.tried[kind] += 1
        began = time.thread_time()
        wrong = ""
        with watch.watched() as events:
            try:
                digest = judge(data)
            except HabaneroError as error:
                tally.codes[error.code] += 1
                if error.code not in CODES or error.code == "internal" or not error.message.isprintable():
                    wrong = f"error {error.code!r} with {error.message!a}"
            except Exception as error:
                wrong = f"{type(error).__name__}: {error!a}"
            else:
                tally.codes["as signed"] += 1
                if digest and digest not in _right():
                    wrong = "another payload than the signed one was taken"
        took = time.thread_time() - began
        tally.slowest_s = max(tally.slowest_s, took)
        if events:
            wrong = f"reached {', '.join(sorted(set(events)))}"
        if took > SLOW_S:
            wrong = f"took {took:.1f} s"
        if wrong and len(tally.violations) < 20:
            tally.violations.append(f"{kind}: {wrong}; input {base64.b64encode(data).decode()[:400]}")


def _kib() -> int:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most
