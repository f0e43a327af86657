"""Pushes over HTTP: what an author gets, what a stranger gets, and what is left behind when it is refused."""

from __future__ import annotations

import asyncio
import struct
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from asking import HEADERS, Endpoints, in_chunks
from authoring import Author, Push
from nodes import World

from habanero_receiver.http.throttle import MAX_FAILURES
from habanero_receiver.release.body import MEDIA_TYPE


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of an answer, which has to be the expected one."""
    found: dict[str, Any] = answer.json()
    assert (answer.status_code, found["code"]) == (status, code), found
    assert answer.headers["content-type"] == "application/problem+json"
    assert found["type"] == f"urn:habanero-py:error:{code}"
    return found


def test_a_push_is_live_and_says_so(endpoints: Endpoints) -> None:
    """The answer names the release, what was done, how long each step took and who runs it."""
    push = endpoints.world.push("RATE = 3\n")
    answer = endpoints.push(push)
    assert answer.status_code == 200
    said = answer.json()
    assert (said["seq"], said["digest"], said["already_applied"]) == (1, push.digest, False)
    assert said["report"]["modules"][0]["module"] == "shop.rates"
    assert {"verify", "stage", "commit", "record"} <= set(said["seconds"])
    assert said["in_step"] is True and said["machines"][0]["workers"][0]["digest"] == push.digest
    assert endpoints.world.swapper.live == {"shop.rates": b"RATE = 3\n"}


def test_a_body_in_small_chunks_is_the_same_push(endpoints: Endpoints) -> None:
    """How the network cuts a body does not matter."""
    data = endpoints.world.push().encode()
    chunks = [data[at : at + 7] for at in range(0, len(data), 7)]
    answer = endpoints.send("POST", "/v1/push", content=in_chunks(*chunks), headers=HEADERS)
    assert answer.status_code == 200


def test_pushing_the_head_again_is_no_error_and_no_change(endpoints: Endpoints) -> None:
    """A client that lost the answer asks again and learns that it is live."""
    push = endpoints.world.push()
    endpoints.push(push)
    before = list(endpoints.world.swapper.log)
    answer = endpoints.push(push)
    assert answer.status_code == 200 and answer.json()["already_applied"] is True
    assert endpoints.world.swapper.log == before


def test_blobs_that_the_server_has_need_not_be_sent(endpoints: Endpoints) -> None:
    """A second push of a module that did not change travels without it."""
    first = endpoints.world.push("RATE = 3\n")
    endpoints.push(first)
    tip = endpoints.world.node.tip
    both = endpoints.world.author.push(
        endpoints.world.base.digest,
        {"shop.rates": "RATE = 3\n", "shop.tax": "TAX = 1\n"},
        seq=2,
        prev=tip.digest,
        without=frozenset(first.blobs),
    )
    assert not set(both.blobs) & set(first.blobs)
    assert endpoints.push(both).status_code == 200
    assert set(endpoints.world.swapper.live) == {"shop.rates", "shop.tax"}


def test_a_dry_run_answers_with_the_report_and_keeps_nothing(endpoints: Endpoints) -> None:
    """What would happen is told by the engine that would do it; journal, blobs and modules stay."""
    answer = endpoints.push(endpoints.world.push(), action="check")
    assert answer.status_code == 200 and answer.json()["report"]["modules"]
    assert endpoints.world.swapper.log == ["stage"]
    assert endpoints.world.files() == set()


def test_a_worker_that_has_not_heard_of_a_release_yet_judges_by_the_journal(endpoints: Endpoints) -> None:
    """A push that follows another worker's release is accepted though this one's follower has not seen that yet."""
    world = endpoints.world
    theirs = world.push("RATE = 1\n")
    world.record(theirs)
    ours = world.author.push(world.base.digest, {"shop.rates": "RATE = 2\n"}, seq=2, prev=theirs.digest)
    assert endpoints.push(ours).status_code == 200
    assert world.swapper.live == {"shop.rates": b"RATE = 2\n"}


def cut(data: bytes, at: int) -> bytes:
    return data[:at]


def with_length(data: bytes, size: int) -> bytes:
    return data[:8] + struct.pack(">I", size) + data[12:]


MALFORMED: list[tuple[str, int, str, Callable[[bytes], bytes]]] = [
    ("empty", 400, "truncated", lambda _: b""),
    ("junk", 400, "magic", lambda _: b"x" * 1024),
    ("no envelope", 413, "envelope-size", lambda data: with_length(data, 0)),
    ("4 GiB envelope", 413, "envelope-size", lambda data: with_length(data, 2**32 - 1)),
    ("cut in the head", 400, "truncated", lambda data: cut(data, 10)),
    ("cut in the envelope", 400, "truncated", lambda data: cut(data, 100)),
    ("cut in the manifest", 400, "truncated", lambda data: cut(data, 12 + struct.unpack(">I", data[8:12])[0] + 9)),
    ("cut in a blob", 400, "truncated", lambda data: cut(data, len(data) - 1)),
    ("trailing", 400, "truncated", lambda data: data + b"!"),
    ("blob altered", 400, "blob-digest", lambda data: data[:-1] + bytes([data[-1] ^ 1])),
]


@pytest.mark.parametrize(("name", "status", "code", "damage"), MALFORMED, ids=[case[0] for case in MALFORMED])
def test_a_damaged_body_changes_nothing(
    endpoints: Endpoints, name: str, status: int, code: str, damage: Callable[[bytes], bytes]
) -> None:
    """Every way to damage a body has its stable code, and journal, blobs and modules are as before."""
    problem(endpoints.push(damage(endpoints.world.push().encode())), status, code)
    assert endpoints.world.files() == set() and endpoints.world.swapper.log == []


STRANGERS: list[tuple[str, Callable[[World], Push]]] = [
    ("unknown key", lambda world: world.push(author=Author("mallory"))),
    ("no signature", lambda world: _envelope(world.push(), signatures=())),
    ("other payload type", lambda world: _envelope(world.push(), payload_type="text/plain")),
    ("other payload", lambda world: _envelope(world.push(), payload=world.push("RATE = 666\n").envelope.payload)),
    ("wrong target as well", lambda world: world.push(author=Author("mallory"), target="other/x#1")),
    ("stale as well", lambda world: world.push(author=Author("mallory"), seq=99)),
]


def _envelope(push: Push, **changes: Any) -> Push:
    return replace(push, envelope=push.envelope._replace(**changes))


@pytest.mark.parametrize(("name", "make"), STRANGERS, ids=[case[0] for case in STRANGERS])
def test_a_stranger_gets_one_uniform_answer(
    endpoints: Endpoints, name: str, make: Callable[[World], Push]
) -> None:
    """Whatever is wrong behind a missing signature, the answer is letter for letter the same, and names no release."""
    first = endpoints.push(endpoints.world.push(author=Author("someone")))
    answer = endpoints.push(make(endpoints.world))
    found = problem(answer, 401, "unauthorized")
    assert answer.content == first.content and found["running"] is None
    assert endpoints.world.files() == set() and endpoints.world.swapper.log == []


def test_a_strangers_body_is_not_waited_for(endpoints: Endpoints) -> None:
    """Not a byte after the envelope is needed to turn a stranger away."""
    data = endpoints.world.push(author=Author("mallory")).encode()
    envelope_end = 12 + struct.unpack(">I", data[8:12])[0]

    async def talk(client: httpx.AsyncClient) -> httpx.Response:
        never = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield data[:envelope_end]
            await never.wait()

        return await asyncio.wait_for(client.post("/v1/push", content=body(), headers=HEADERS), 5)

    answer = endpoints.run(talk)
    problem(answer, 401, "unauthorized")
    assert answer.headers["connection"] == "close"


CONFLICTS: list[tuple[str, int, str, dict[str, Any]]] = [
    ("other deployment", 403, "wrong-target", {"target": "shop/production#7d1f"}),
    ("other base", 409, "base-mismatch", {"base": "sha256:" + "1" * 64}),
    ("fast forward", 409, "not-next", {"seq": 2**40}),
    ("fork", 409, "not-next", {"prev": "sha256:" + "2" * 64}),
]


@pytest.mark.parametrize(("name", "status", "code", "changes"), CONFLICTS, ids=[case[0] for case in CONFLICTS])
def test_a_push_for_another_state_of_the_world_is_refused(
    endpoints: Endpoints, name: str, status: int, code: str, changes: dict[str, Any]
) -> None:
    """Well signed, but not for here and now: the author is told which, and what runs."""
    found = problem(endpoints.push(endpoints.world.push(**changes)), status, code)
    assert found["running"] == 0
    assert endpoints.world.files() == set() and endpoints.world.swapper.log == []


def test_a_module_outside_the_allowed_packages_is_refused(endpoints: Endpoints) -> None:
    """Not even a trusted author replaces the standard library."""
    problem(endpoints.push(endpoints.world.push(name="json")), 403, "module-not-allowed")


def test_a_module_that_is_nowhere_cannot_be_deleted(endpoints: Endpoints) -> None:
    """Deleting what neither the base nor the running release has is a mistake, and told as one."""
    push = endpoints.world.author.push(endpoints.world.base.digest, {"shop.nowhere": None})
    problem(endpoints.push(push), 422, "unknown-module")
    gone = endpoints.world.author.push(endpoints.world.base.digest, {"shop.pricing": None})
    assert endpoints.push(gone).status_code == 200


def test_a_refusal_of_the_process_carries_the_engines_reasons(endpoints: Endpoints) -> None:
    """The author sees per module why the process cannot take it, and that nothing changed."""
    endpoints.world.swapper.refuse = True
    found = problem(endpoints.push(endpoints.world.push()), 422, "swap-refused")
    assert found["details"]["report"]["modules"] and found["running"] == 0
    assert endpoints.world.files() == set()


def test_an_exception_in_the_new_code_is_shown_to_its_author(endpoints: Endpoints) -> None:
    """The traceback goes to who signed the code, and to nobody else."""
    endpoints.world.swapper.fail_commit = ZeroDivisionError("here")
    found = problem(endpoints.push(endpoints.world.push()), 500, "rolled-back")
    assert "ZeroDivisionError: here" in found["details"]["traceback"]


def test_a_lost_race_is_a_conflict_after_the_undo(endpoints: Endpoints) -> None:
    """The loser is told that another release has the number, and runs what it ran."""
    world = endpoints.world
    theirs = world.push("RATE = 2\n")
    world.swapper.on_commit = lambda: world.record(theirs)
    problem(endpoints.push(world.push("RATE = 1\n")), 409, "not-next")
    assert world.swapper.log == ["stage", "commit", "undo"]


def test_an_error_of_ours_is_a_problem_without_its_inside(
    endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Our own bugs show in the server's log and not in the answer."""

    def broken(*_: object) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(type(endpoints.world.node.journal), "has_blob", broken)
    answer = endpoints.push(endpoints.world.push())
    problem(answer, 500, "internal")
    assert "secret" not in answer.text and "secret" in caplog.text


def test_headers_alone_can_be_enough_to_refuse(endpoints: Endpoints) -> None:
    """Media type, coding and declared length are looked at before a byte of the body."""
    data = endpoints.world.push().encode()
    limit = endpoints.context.limits.max_body_bytes
    refused = [
        ({}, 415, "media-type"),
        ({"Content-Type": "application/json"}, 415, "media-type"),
        (HEADERS | {"Content-Encoding": "gzip"}, 415, "content-encoding"),
        (HEADERS | {"Content-Length": str(limit + 1)}, 413, "body-size"),
        (HEADERS | {"Content-Length": "-1"}, 413, "body-size"),
    ]
    for headers, status, code in refused:
        problem(endpoints.push(data, headers=headers), status, code)
    with_parameter = {"Content-Type": f"{MEDIA_TYPE}; version=1"}
    assert endpoints.push(data, headers=with_parameter).status_code == 200


def test_a_body_that_stalls_is_given_up(endpoints: Endpoints) -> None:
    """The deadline covers the whole body, however steadily it trickles; the place for a push is free again."""
    world = endpoints.world
    world.node.policy = replace(world.node.policy, limits=world.node.policy.limits._replace(body_timeout_s=0))
    data = world.push().encode()

    async def talk(client: httpx.AsyncClient) -> httpx.Response:
        never = asyncio.Event()

        async def body() -> AsyncIterator[bytes]:
            yield data[:20]
            await never.wait()

        return await asyncio.wait_for(client.post("/v1/push", content=body(), headers=HEADERS), 5)

    answer = endpoints.run(talk)
    problem(answer, 408, "body-timeout")
    assert answer.headers["connection"] == "close"


def test_a_second_push_meanwhile_is_asked_to_come_back(endpoints: Endpoints) -> None:
    """One push at a time: the second gets 503 with Retry-After, and the first is not disturbed."""
    world = endpoints.world
    first, second = world.push("RATE = 1\n"), world.push("RATE = 2\n")
    staging, go_on = threading.Event(), threading.Event()
    world.swapper.on_stage = lambda: (staging.set(), go_on.wait(10))

    async def talk(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        running = asyncio.ensure_future(client.post("/v1/push", content=first.encode(), headers=HEADERS))
        await asyncio.to_thread(staging.wait, 10)
        busy = await client.post("/v1/push", content=second.encode(), headers=HEADERS)
        go_on.set()
        return busy, await running

    busy, done = endpoints.run(talk)
    problem(busy, 503, "busy")
    assert busy.headers["retry-after"] == "1" and done.status_code == 200
    assert world.swapper.live == {"shop.rates": b"RATE = 1\n"}


def test_a_stage_that_hangs_is_answered_and_never_committed(endpoints: Endpoints) -> None:
    """The author is not left waiting for ever, nothing else is let in meanwhile, and the late stage is dropped."""
    world, context = endpoints.world, endpoints.context
    context.swap_timeout_s = 0.01
    staging, go_on = threading.Event(), threading.Event()
    world.swapper.on_stage = lambda: (staging.set(), go_on.wait(10))
    push = world.push()

    async def talk(client: httpx.AsyncClient) -> tuple[httpx.Response, httpx.Response]:
        late = await client.post("/v1/push", content=push.encode(), headers=HEADERS)
        busy = await client.post("/v1/push", content=push.encode(), headers=HEADERS)
        go_on.set()
        await asyncio.to_thread(context._threads.shutdown)
        return late, busy

    late, busy = endpoints.run(talk)
    problem(late, 500, "rolled-back")
    problem(busy, 503, "busy")
    assert world.swapper.log == ["stage"] and world.swapper.live == {}


def test_a_peer_that_fails_too_often_is_throttled_and_an_author_never(endpoints: Endpoints) -> None:
    """After 30 failures in a minute a stranger gets 429, while a signed push from the same address passes."""
    body = endpoints.world.push(author=Author("mallory")).encode()

    async def talk(client: httpx.AsyncClient) -> list[int]:
        return [
            (await client.post("/v1/push", content=body, headers=HEADERS)).status_code for _ in range(MAX_FAILURES + 1)
        ]

    assert endpoints.run(talk) == [401] * MAX_FAILURES + [429]
    many = endpoints.push(body)
    problem(many, 429, "too-many-failures")
    assert int(many.headers["retry-after"]) > 0
    assert endpoints.push(endpoints.world.push()).status_code == 200


def test_other_methods_and_paths_are_not_served(endpoints: Endpoints) -> None:
    """GET and PUT on the push path are 405, anything unknown is 404, and both are problem documents."""
    for method in ("GET", "PUT", "DELETE"):
        problem(endpoints.send(method, "/v1/push"), 405, "method-not-allowed")
    for path in ("/", "/v1", "/docs", "/openapi.json", "/v1/push/"):
        problem(endpoints.send("GET", path), 404, "not-found")
