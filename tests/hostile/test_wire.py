"""Hostile HTTP, written to the socket byte by byte: the right status and code, and nothing changed."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from attacked import Attacked, signed_header
from forging import STRANGER, Deployment, Forged
from listening import PUSH, answer_of, head
from serving import wait_until

from habanero_receiver.http.throttle import MAX_FAILURES, Throttle
from habanero_receiver.release.body import MEDIA_TYPE

TYPE = {"Content-Type": MEDIA_TYPE}


@pytest.fixture(autouse=True)
def unchanged(shop: Attacked) -> Iterator[None]:
    """Whatever a test of this file sends, the deployment is afterwards as it was."""
    shop.be(Deployment())
    before = shop.picture()
    yield
    shop.be(Deployment())
    assert shop.picture() == before


def chunked(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "BREW"])
def test_other_methods_on_the_push_path(shop: Attacked, method: str) -> None:
    """405, whatever the method."""
    status, code, _ = answer_of(shop.at.raw(head(method, PUSH, {})))
    assert status == 405 and (code == "method-not-allowed" or method == "HEAD")


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 415, "media-type"),
        ({"Content-Type": "application/json"}, 415, "media-type"),
        ({"Content-Type": "text/plain, " + MEDIA_TYPE}, 415, "media-type"),
        ({"Content-Type": MEDIA_TYPE + "\x00"}, 400, ""),
        ({"Content-Type": ""}, 415, "media-type"),
        (TYPE | {"Content-Encoding": "gzip"}, 415, "content-encoding"),
        (TYPE | {"Content-Encoding": "identity, br"}, 415, "content-encoding"),
        (TYPE | {"Content-Length": "99999999999"}, 413, "body-size"),
        (TYPE | {"Content-Length": "99999999999", "Expect": "100-continue"}, 413, "body-size"),
        (TYPE | {"Content-Length": "-1"}, 400, ""),
        (TYPE | {"Content-Length": "0x10"}, 400, ""),
        (TYPE | {"Content-Length": "٣"}, 400, ""),
    ],
)
def test_headers_alone_are_enough_to_refuse(shop: Attacked, fields: dict[str, str], status: int, code: str) -> None:
    """Media type, coding and length are judged before a byte of the body was sent; nobody is told to go on.

    What is no HTTP at all (an empty code here) is the server's own 400, before it comes to us.
    """
    received = shop.at.raw(head("POST", PUSH, fields))
    assert answer_of(received)[:2] == (status, code)
    assert b"100 Continue" not in received


def test_a_chunked_body_over_the_limit_is_cut_off(shop: Attacked) -> None:
    """What came is counted, not what was announced; the answer comes while the sender is still at it, and closes."""
    policy = shop.node.policy
    limits = policy.limits._replace(max_envelope_bytes=200, max_manifest_bytes=1, max_total_bytes=1, max_modules=1)
    shop.node.policy = replace(policy, limits=limits)
    body = b"HABPUSH1" + (200).to_bytes(4, "big") + b"x" * limits.max_body_bytes
    sent = head("POST", PUSH, TYPE | {"Transfer-Encoding": "chunked"}) + chunked(body)
    status, code, headers = answer_of(shop.at.raw(sent))
    assert (status, code, headers["connection"]) == (413, "body-size", "close")


def test_a_body_that_comes_too_slowly_is_given_up(shop: Attacked) -> None:
    """The whole body has one deadline, however steadily it trickles; the answer closes the connection."""
    shop.node.policy = replace(shop.node.policy, limits=shop.node.policy.limits._replace(body_timeout_s=0))
    status, code, headers = answer_of(shop.at.raw(head("POST", PUSH, TYPE | {"Content-Length": "500"}) + b"HABPU"))
    assert (status, code, headers["connection"]) == (408, "body-timeout", "close")


def test_a_sender_that_goes_away(shop: Attacked, caplog: pytest.LogCaptureFixture) -> None:
    """Half a push and then silence leaves nothing behind, and the next push is judged as ever."""
    body = Forged().body()
    shop.at.raw(head("POST", PUSH, TYPE | {"Content-Length": str(len(body))}) + body[:500], end=True)
    assert shop.at.push(b"").json()["code"] == "truncated"
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
        b"POST " + PUSH.encode() + b" HTTP/9.9\r\n\r\n",
        b"POST " + PUSH.encode() + b" HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\nHost: x\r\n\r\nhello",
        b"GET " + b"/" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"POST " + PUSH.encode() + b" HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n: c\r\n\r\n",
        b"POST " + PUSH.encode() + b" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\n",
    ],
    ids=["tls", "version", "two-lengths", "huge-path", "folded", "bad-chunk"],
)
def test_what_is_no_http_is_refused_by_the_server(shop: Attacked, sent: bytes) -> None:
    """Broken framing, two lengths and the like never become a push: an error of the server's, or a closed door."""
    received = shop.at.raw(sent, end=True)
    assert received == b"" or 400 <= answer_of(received)[0] < 500
    assert shop.at.ask("GET", "/price").status_code == 200


def test_headers_of_a_sender_reach_no_answer_and_no_log(shop: Attacked, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a stranger writes into path, query and headers is not repeated to anybody."""
    caplog.set_level(logging.DEBUG, logger="habanero")
    evil = "x%0d%0aSet-Cookie:evil=1"
    for path in (PUSH + "?" + evil, "/_habanero/" + evil, "/_habanero/v1/blobs/" + evil, "/_habanero/v1/state#" + evil):
        for method in ("GET", "POST"):
            fields = TYPE | {"X-Evil": "evil=1", "User-Agent": "evil=1\x1b[2J"[:6], "Authorization": "Habanero evil=1"}
            assert b"evil" not in shop.at.raw(head(method, path, fields))
    assert "evil" not in caplog.text and "\n" not in "".join(record.getMessage() for record in caplog.records)


def test_forwarding_headers_are_ignored(shop: Attacked, caplog: pytest.LogCaptureFixture) -> None:
    """Neither who is throttled nor what the audit log says can be chosen by the sender."""
    caplog.set_level(logging.INFO, logger="habanero.audit")
    shop.at.context.throttle = Throttle(max_failures=2)
    statuses = []
    for number in range(4):
        fields = {"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
        statuses.append(answer_of(shop.at.raw(head("GET", "/_habanero/v1/state", fields)))[0])
    assert statuses == [401, 401, 429, 429]
    assert {vars(record)["peer"] for record in caplog.records} == {"127.0.0.1"}


def test_too_many_failures_from_one_address(shop: Attacked) -> None:
    """The 31st failure within a minute is 429 with the time to wait; what is signed passes from that address."""
    shop.at.context.throttle = Throttle()
    body = Forged(signers=(STRANGER,)).body()
    assert [shop.at.push(body).status_code for _ in range(MAX_FAILURES)] == [401] * MAX_FAILURES
    answer = shop.at.push(body)
    assert (answer.status_code, answer.json()["code"]) == (429, "too-many-failures")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    assert shop.at.push(Forged(predicate={"seq": 3}).body()).json()["code"] == "not-next"


@pytest.mark.parametrize("path", ["state", "base", "running", "listing", "journal?after=0", "blobs/" + "0" * 64])
@pytest.mark.parametrize("how", [None, "Basic YTpi", "Bearer x", "Habanero !", "Habanero ", "Habanero " + "A" * 9_000])
def test_reads_without_a_signature(shop: Attacked, path: str, how: str | None) -> None:
    """Every read is a signed request: 401, or what is wrong with the header, and nothing of what was asked for."""
    fields = {} if how is None else {"Authorization": how}
    status, code, _ = answer_of(shop.at.raw(head("GET", f"/_habanero/v1/{path}", fields)))
    assert status in (400, 401, 413) and code in ("unauthorized", "base64", "envelope-size", "json")


def test_only_so_many_unknown_senders_are_read_at_once(shop: Attacked) -> None:
    """Thousands of connections that send nothing hold bounded memory, and do not keep an author out.

    Beyond the bound a push is read only if its headers are signed; the others are told to come back, unread.
    """
    crowd = shop.at.context.unjudged
    stalled = head("POST", PUSH, TYPE | {"Content-Length": "500"}) + b"HABPUSH1"
    connections: list[socket.socket] = []
    most = crowd._most
    try:
        for _ in range(most):
            connections.append(socket.create_connection(("127.0.0.1", shop.at.port), timeout=20))
            connections[-1].sendall(stalled)
        wait_until(lambda: crowd.inside == most)
        answer = shop.at.push(Forged(signers=(STRANGER,)).body())
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "busy", "1")
        known = shop.at.push(Forged(predicate={"seq": 3}).body(), **signed_header())
        assert known.json()["code"] == "not-next"
        assert crowd.inside == most
    finally:
        for connection in connections:
            connection.close()
    wait_until(lambda: crowd.inside == 0)


def test_many_bad_pushes_at_once_leave_nothing_behind(shop: Attacked) -> None:
    """A thousand bad pushes over many connections at once: each refused, no thread, no place and no memory kept."""
    bodies = [Forged(signers=(STRANGER,)).body(), b"x" * 2_000, b"HABPUSH1" + bytes(4), Forged().body()[:-1]]
    requests = [head("POST", PUSH, TYPE | {"Content-Length": str(len(body))}) + body for body in bodies]
    statuses: list[int] = []
    shop.at.push(bodies[0])

    def send() -> None:
        statuses.extend(answer_of(shop.at.raw(request))[0] for request in requests * 8)

    threads = [threading.Thread(target=send) for _ in range(32)]
    before = threading.active_count()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(statuses) == 32 * 32 and set(statuses) <= {400, 401, 413, 503}
    assert threading.active_count() <= before + 2
    context = shop.at.context
    assert context.unjudged.inside == 0 and not context.place()._taken
    assert len(context.throttle._failures) == 1
