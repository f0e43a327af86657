"""The HTTP side of the command: signed reads, pushes, and what a failed connection means.

The only module that knows httpx. It decides nothing about releases: bytes go out, values of `remote` come back. The
rule it upholds: it tells a request that was certainly not sent (`unreachable`) from one whose outcome nobody knows
(`outcome-unknown`), because only the first may be treated as if nothing had happened.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from habanero_py import remote, remote_fleet, remote_journal
from habanero_py.acknowledge import Acknowledging
from habanero_py.answers import unexpected
from habanero_py.config import is_loopback
from habanero_py.signing import Signer
from habanero_receiver.errors import HabaneroError, StoreError
from habanero_receiver.release import body, request

MAX_ANSWER_BYTES = 64 * 1024 * 1024
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 10.0
PUSH_TIMEOUT_S = 60.0
BUSY_TIMEOUT_S = 15.0
INSPECTION_TIMEOUT_S = 40.0
PRUNE_TIMEOUT_S = 600.0
READ_WINDOW = timedelta(minutes=2)

Transport: TypeAlias = httpx.BaseTransport
"""What carries requests: the network, or in a test something in its place."""


class RemoteError(HabaneroError):
    """The server said no: its own code, message and help. `refusals` are the units it could not change."""

    def __init__(self, status: int, problem: Mapping[str, object]) -> None:
        kind = str(problem.get("type", ""))
        code = str(problem.get("code") or kind.rpartition(":")[2] or "unexpected-answer")
        running = problem.get("running")
        super().__init__(
            code,
            str(problem.get("detail") or problem.get("title") or f"HTTP {status}"),
            subject=str(problem.get("subject") or ""),
            help=str(problem.get("help") or ""),
            details=problem,
        )
        self.status = status
        self.running = running if isinstance(running, int) else None

    @property
    def traceback(self) -> str | None:
        """Where the pushed code raised, as Python printed it on the server."""
        details = self.details.get("details")
        found = details.get("traceback") if isinstance(details, dict) else None
        return found if isinstance(found, str) else None

    @property
    def refusals(self) -> tuple[Mapping[str, object], ...]:
        """Per unit: module, unit, line, reason, help, and what lives that cannot take it."""
        details = self.details.get("details")
        report = details.get("report") if isinstance(details, dict) else None
        modules = report.get("modules") if isinstance(report, dict) else None
        return tuple(
            {"module": module.get("module")} | item
            for module in (modules if isinstance(modules, list) else [])
            if isinstance(module, dict)
            for item in module.get("refused") or []
            if isinstance(item, dict)
        )


class Server:
    """One receiver over one kept connection. Not for several threads at once."""

    def __init__(
        self,
        url: str,
        target: str,
        signer: Signer,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url
        self._target = target
        self._signer = signer
        self._clock = clock
        self._sleep = sleep
        self.clock_skew_s: float | None = None
        self._quickly = {"trace": Acknowledging()}
        local = is_loopback(urlsplit(url).hostname or "")
        self._http = httpx.Client(
            transport=transport,
            # A proxy from the environment cannot reach this machine's own loopback address.
            trust_env=not local,
            timeout=httpx.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
            headers={"user-agent": "habanero-py"},
            limits=httpx.Limits(max_connections=1, keepalive_expiry=600),
        )

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._http.close()

    def state(self) -> remote.ServerState:
        """What the server and its workers run."""
        return remote.parse_state(self._read("/v1/state"))

    def keys(self) -> remote.ServerKeys:
        """Whom the server trusts, with what."""
        return remote.parse_keys(self._read("/v1/keys"))

    def base(self) -> dict[str, remote.BaseModule]:
        """The modules as they lie on the server's disk."""
        return remote.parse_base(self._read("/v1/base"))

    def base_source(self, sha256: str, max_bytes: int) -> bytes:
        """The source of a module of the base by its digest; other bytes are an error."""
        return _named(self._get(f"/v1/base/{sha256}", max_bytes), sha256)

    def journal(self, after: int, *, details: bool = False) -> tuple[remote_journal.Entry, ...]:
        """The entries after number `after`, oldest first; the server may give them in parts."""
        return remote_journal.parse_journal(self._read(f"/v1/journal?after={after}{'&details=1' if details else ''}"))

    def running(self) -> tuple[remote.WorkerCode, ...]:
        """What each worker says that its modules are, after looking at them for this question."""
        return remote.parse_running(_parse(self._get("/v1/running", MAX_ANSWER_BYTES, timeout_s=INSPECTION_TIMEOUT_S)))

    def errors(self) -> remote_fleet.Heard:
        """What came out of released code on all workers, and whether the head was withdrawn."""
        return remote_fleet.parse_errors(self._read("/v1/errors"))

    def previous(self) -> remote_journal.Previous | None:
        """The last release over the base that was deployed before, if there is one."""
        return remote_journal.parse_previous(self._read("/v1/previous"))

    def listing(self) -> remote_journal.Listing:
        """What a listing of the bucket shows of this journal."""
        return remote_journal.parse_listing(self._read("/v1/listing"))

    def blob(self, sha256: str, max_bytes: int) -> bytes:
        """The bytes with this digest; other bytes are an error."""
        return _named(self._get(f"/v1/blobs/{sha256}", max_bytes), sha256)

    def prunable(self, days: int, keep: int) -> remote_journal.Prunable:
        """What could be removed from the bucket under these rules."""
        return remote_journal.parse_prunable(_parse(self._get(f"/v1/prune?days={days}&keep={keep}", MAX_ANSWER_BYTES,
                                                      timeout_s=PRUNE_TIMEOUT_S)))  # fmt: skip

    def prune(self, found: remote_journal.Prunable, days: int, keep: int) -> remote_journal.Prunable:
        """Have it removed; what was. May be asked again after a lost connection."""
        path = f"/v1/prune?base={found.base}&below={found.below}&days={days}&keep={keep}"
        return remote_journal.parse_prunable(
            _parse(self._send("POST", path, None, max_bytes=MAX_ANSWER_BYTES, timeout_s=PRUNE_TIMEOUT_S))
        )

    def push(self, content: bytes, *, check: bool = False) -> remote.PushAnswer:
        """Sends a push body; `check` has it staged and thrown away. Waits while another push runs."""
        path = "/v1/check" if check else "/v1/push"
        deadline = time.monotonic() + BUSY_TIMEOUT_S
        while True:
            try:
                answer = self._send(
                    "POST", path, content, max_bytes=MAX_ANSWER_BYTES, timeout_s=PUSH_TIMEOUT_S
                )
            except RemoteError as error:
                # Only "busy" says that ours was not looked at. Another 503, of the bucket's say, comes after the swap
                # was made and undone: again and again would do that to the app's users each time.
                if error.code != "busy" or time.monotonic() > deadline:
                    raise
                self._sleep(0.2)
            else:
                return remote.parse_push(_parse(answer))

    def _read(self, path: str) -> object:
        return _parse(self._get(path, MAX_ANSWER_BYTES))

    def _get(self, path: str, max_bytes: int, *, timeout_s: float = READ_TIMEOUT_S) -> bytes:
        return self._send("GET", path, None, max_bytes=max_bytes, timeout_s=timeout_s)

    def _send(
        self, method: str, path: str, content: bytes | None, *, max_bytes: int, timeout_s: float = READ_TIMEOUT_S
    ) -> bytes:
        headers = self._authorization(method, path)  # a push too: a receiver that hides looks at headers alone
        if content is not None:
            headers["content-type"] = body.MEDIA_TYPE
        try:
            with self._http.stream(
                method,
                self.url + path,
                content=content,
                headers=headers,
                timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
                extensions=self._quickly,
            ) as answer:
                self._note_clock(answer)
                # What was asked for may be small, and the reason why it cannot be given larger.
                data = _bounded(answer, max_bytes if answer.status_code == 200 else MAX_ANSWER_BYTES)
        except httpx.TransportError as error:
            raise self._failed(error, sent=content is not None) from error
        if answer.status_code == 200:
            return data
        raise _problem(answer, data)

    def _authorization(self, method: str, path: str) -> dict[str, str]:
        now = self._clock()
        read = request.ReadRequest(self._target, method, path, now, now + READ_WINDOW, secrets.token_hex(16))
        return {"authorization": request.compose(read, self._signer.public.keyid, self._signer.sign)}

    def _note_clock(self, answer: httpx.Response) -> None:
        """How far the server's clock is ahead of ours, to the second, from its Date header."""
        try:
            theirs = parsedate_to_datetime(answer.headers["date"]).replace(tzinfo=UTC)  # HTTP knows no other zone
        except (KeyError, ValueError):
            return
        self.clock_skew_s = (theirs - self._clock()).total_seconds()

    def _failed(self, error: httpx.TransportError, *, sent: bool) -> StoreError:
        what = str(error) or type(error).__name__
        never = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        if never or not sent:
            return StoreError(
                "unreachable",
                f"{self.url} cannot be reached: {what}",
                subject=self.url,
                help="is the server running, and is the address right? habanero-py doctor looks closer",
            )
        return StoreError(
            "outcome-unknown",
            f"the connection to {self.url} was lost after the release was sent: {what}",
            subject=self.url,
            help="habanero-py status tells what runs",
        )


def _bounded(answer: httpx.Response, max_bytes: int) -> bytes:
    parts, total = [], 0
    for part in answer.iter_bytes():
        total += len(part)
        if total > max_bytes:
            raise unexpected(answer.url.path, f"more than {max_bytes} bytes")
        parts.append(part)
    return b"".join(parts)


def _named(data: bytes, sha256: str) -> bytes:
    if hashlib.sha256(data).hexdigest() != sha256:
        raise unexpected(sha256, "it has other bytes than its name says")
    return data


def _parse(data: bytes) -> object:
    try:
        parsed: object = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise unexpected("answer", "it is not JSON") from error
    return parsed


def _problem(answer: httpx.Response, data: bytes) -> HabaneroError:
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        problem = _parse(data)
        if isinstance(problem, dict):
            return RemoteError(answer.status_code, problem)
    if answer.status_code == 404:
        return HabaneroError(
            "no-receiver",
            f"there is no receiver at {answer.request.url.copy_with(path='/')}",
            subject=str(answer.request.url),
            help="mount it (receiver.mount(app)), give the server HABANERO_TRUSTED_KEYS; url ends with /_habanero",
        )
    return unexpected(answer.request.url.path, f"HTTP {answer.status_code} without a problem document")
