"""A receiver without a socket or a process: the real HTTP interface and the real rules of trust, over a dict.

It runs no code: a release that it takes is "live" at once. Faults are switched on by name, so that a test can lose an
answer, be slow to free its place or let somebody else be first.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx

from habanero_receiver import trust
from habanero_receiver.errors import HabaneroError
from habanero_receiver.http.keys import listed
from habanero_receiver.journal.base import Base
from habanero_receiver.release.body import BlobPart, EnvelopePart, ManifestPart, PushParser
from habanero_receiver.release.envelope import Envelope
from habanero_receiver.release.statement import PythonTag, Statement

URL = "http://127.0.0.1:1/_habanero"
PREFIX = "/_habanero"


@dataclass
class FakeReceiver:
    """One deployment. `requests` is what was asked, in order, as "METHOD /path"."""

    base: Base
    policy: trust.TrustPolicy
    entries: list[bytes] = field(default_factory=list)
    blobs: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    lose_answers: int = 0
    lose_pushes: int = 0
    busy: int = 0
    down: bool = False
    before_push: Callable[[], None] | None = None
    refuse: HabaneroError | None = None
    in_step: bool = True

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.handle)

    @property
    def head(self) -> trust.Head:
        if not self.entries:
            return trust.Head.start(self.base.digest)
        envelope = Envelope.decode(self.entries[-1])
        return trust.head_of(envelope, Statement.decode(envelope.payload))

    @property
    def statement(self) -> Statement:
        return Statement.decode(Envelope.decode(self.entries[-1]).payload)

    def overlay(self) -> Mapping[str, str | None]:
        """The sources of the head's overlay by module; None for deleted."""
        if not self.entries:
            return {}
        data = self.blobs[self.statement.manifest_digest.removeprefix("sha256:")]
        modules = trust.judge_manifest(data, self.statement, self.policy).modules
        return {
            name: None if entry is None else self.blobs[entry.source.sha256].decode() for name, entry in modules.items()
        }

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix(PREFIX)
        self.requests.append(f"{request.method} {path}")
        if self.down:
            raise httpx.ConnectError("Connection refused", request=request)
        try:
            if request.method == "POST":
                return self._post(path, request)
            header = request.headers.get("authorization", "")
            trust.judge_request(header, request.method, path, self.policy, datetime.now(UTC))
            return self._get(path)
        except HabaneroError as error:
            problem = error.problem(self.head.seq)
            return httpx.Response(
                int(str(problem["status"])), json=problem, headers={"content-type": "application/problem+json"}
            )

    def _get(self, path: str) -> httpx.Response:
        if path == "/v1/state":
            return httpx.Response(200, json=self._state())
        if path == "/v1/keys":
            return httpx.Response(200, json=listed(self.policy, datetime.now(UTC)))
        if path == "/v1/base":
            modules = {
                name: {"package": file.package, "path": file.path, "sha256": file.sha256, "size": file.size}
                for name, file in self.base.modules.items()
            }
            return httpx.Response(200, json={"base": self.base.digest, "modules": modules})
        if path.startswith("/v1/journal?after="):
            number, _, details = path.partition("=")[2].partition("&")
            after = int(number)
            found = [
                {"seq": seq, "envelope": base64.b64encode(data).decode()} | (self._details(data) if details else {})
                for seq, data in enumerate(self.entries[after : after + 2], start=after + 1)  # two a page
            ]
            return httpx.Response(200, json={"entries": found})
        digest = path.rpartition("/")[2]
        if path.startswith("/v1/base/"):
            name = next(name for name, file in self.base.modules.items() if file.sha256 == digest)
            return httpx.Response(200, content=self.base.source(name))
        data = self.blobs.get(digest)
        if data is None:
            raise HabaneroError("not-found", "the bucket has no such blob")
        return httpx.Response(200, content=data)

    def _details(self, entry: bytes) -> dict[str, object]:
        statement = Statement.decode(Envelope.decode(entry).payload)
        manifest = self.blobs.get(statement.manifest_digest.removeprefix("sha256:"))
        confirmed = {"machines": [{"machine": "box", "workers": 2, "applied": 2}]}
        return {"manifest": manifest and base64.b64encode(manifest).decode(), "confirmed": confirmed}

    def _post(self, path: str, request: httpx.Request) -> httpx.Response:
        if self.busy:
            self.busy -= 1
            raise HabaneroError("busy", "another push is under way")
        if self.before_push is not None:
            action, self.before_push = self.before_push, None
            action()
        if self.lose_pushes:
            self.lose_pushes -= 1
            raise httpx.WriteError("connection reset", request=request)
        answer = self.receive(request.content, record=path == "/v1/push")
        if self.lose_answers and path == "/v1/push":
            self.lose_answers -= 1
            raise httpx.ReadError("connection reset", request=request)
        return httpx.Response(200, json=answer)

    def receive(self, content: bytes, *, record: bool = True) -> dict[str, object]:
        """Judges and takes a push body, as any sender may send one."""
        accepted, manifest, blobs = self._parse(content)
        if accepted.already_applied:
            return self._said(accepted, [])
        if self.refuse is not None:
            raise self.refuse
        if record:
            self.blobs |= blobs | {hashlib.sha256(manifest).hexdigest(): manifest}
            self.entries.append(accepted.envelope.encode())
        modules = trust.judge_manifest(manifest, accepted.statement, self.policy).modules
        report = [{"module": name, "patched": ["f"], "run": [], "kept": 1, "stale": []} for name in modules]
        return self._said(accepted, report)

    def _parse(self, content: bytes) -> tuple[trust.Accepted, bytes, dict[str, bytes]]:
        parser = PushParser(self.policy.limits)
        parser.feed(content)
        accepted, manifest, blobs = None, b"", {}
        while (part := parser.next_part()) is not None:
            if isinstance(part, EnvelopePart):
                now = datetime.now(UTC)
                signed = trust.judge_signatures(part.data, self.policy, now)
                accepted = trust.judge_push(signed, self.policy, self.base.digest, self.head, now)
                if accepted.already_applied:
                    return accepted, b"", {}
                trust.judge_restored(accepted.statement, self.entry, self.policy)
                parser.expect_manifest(accepted.statement.manifest_size)
            elif isinstance(part, ManifestPart):
                assert accepted is not None
                manifest = part.data
                sizes = trust.judge_manifest(manifest, accepted.statement, self.policy).blobs()
                parser.expect_blobs(sizes, self.blobs.keys() & sizes.keys())
            elif isinstance(part, BlobPart):
                blobs[part.sha256] = part.data
        parser.close()
        assert accepted is not None
        return accepted, manifest, blobs

    def _said(self, accepted: trust.Accepted, modules: list[dict[str, object]]) -> dict[str, object]:
        return {
            "seq": accepted.statement.seq,
            "digest": accepted.envelope.digest,
            "already_applied": accepted.already_applied,
            "report": {"modules": modules},
            "machines": self._machines(accepted.statement.seq),
            "in_step": self.in_step,
            "seconds": {"verify": 0.001},
        }

    def _machines(self, seq: int) -> list[dict[str, object]]:
        worker = {"pid": 7, "running": seq, "digest": "", "since": 1.0, "started": 1.0, "failed": None}
        late = worker | {
            "pid": 8, "running": seq if self.in_step else seq - 1,
            "failed": None if self.in_step else {"seq": seq, "code": "rolled-back", "message": "no such name"},
        }  # fmt: skip
        return [{"machine": "box", "workers": [worker, late]}]

    def _trusted(self) -> bool:
        if not self.entries:
            return True
        previous = trust.Head.start(self.base.digest)
        if len(self.entries) > 1:
            before = Envelope.decode(self.entries[-2])
            previous = trust.head_of(before, Statement.decode(before.payload))
        try:
            trust.judge_entry(
                self.entries[-1], self.policy, self.base.digest, previous,
                seq=len(self.entries), require_trusted_key=True, earlier=self.entry,
            )  # fmt: skip
        except HabaneroError:
            return False
        return True

    def entry(self, seq: int) -> bytes | None:
        return self.entries[seq - 1] if 1 <= seq <= len(self.entries) else None

    def _state(self) -> dict[str, object]:
        head = self.head
        issued = head.issued.strftime("%Y-%m-%dT%H:%M:%SZ") if head.issued else None
        said = {"seq": head.seq, "digest": head.digest, "issued": issued}
        author = self.statement.author if self.entries else ""
        return {
            "v": 1,
            "target": self.policy.target,
            "base": self.base.digest,
            "python": json.loads(json.dumps(PythonTag.current().to_json())),
            "head": said | {"author": author, "frozen": head.frozen, "trusted": self._trusted()},
            "threshold": self.policy.threshold,
            "max_window_s": self.policy.limits.max_window_s,
            "running": said,
            "modules": sorted(self.policy.allowed_modules),
            "root": str(self.base.root),
            "machines": self._machines(head.seq),
        }
