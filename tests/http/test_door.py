"""The door: which requests below the prefix are the receiver's at all, over real sockets."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from attacked import Attacked, attacked, signed_header
from forging import ANA, BEN, STRANGER, Forged
from listening import PUSH, answer_of, head
from serving import Shop

from habanero_receiver.entrance import Entrance
from habanero_receiver.errors import ConfigError
from habanero_receiver.http.throttle import Throttle
from habanero_receiver.release.body import MEDIA_TYPE

TYPE = {"Content-Type": MEDIA_TYPE}
PATHS = ["", "/", "/v1/push", "/v1/check", "/v1/state", "/v1/blobs/" + "0" * 64, "/v1/prune", "/v1", "/openapi.json"]


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """A receiver that hides from strangers."""
    with attacked(tmp_path_factory.mktemp("hidden"), Entrance(hidden=True)) as deployment:
        yield deployment


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    """A receiver that is asked for under two names only."""
    with attacked(tmp_path_factory.mktemp("named"), Entrance(hosts=frozenset({"shop.test", "[::1]"}))) as deployment:
        yield deployment


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_a_hidden_receiver_is_a_path_that_the_app_does_not_have(hidden: Attacked, method: str, path: str) -> None:
    """What a stranger sends is answered by the app, as anything else that it lacks: byte for byte but for the date."""
    forged = {"Authorization": signed_header("/v1/state", "GET", STRANGER)["Authorization"]}
    for fields in ({}, TYPE, forged, TYPE | {"Content-Encoding": "gzip"}, {"Authorization": "Habanero e30="}):
        ours = hidden.at.raw(head(method, "/_habanero" + path, fields))
        apps = hidden.at.raw(head(method, "/_elsewhere" + path, fields))
        assert _undated(ours) == _undated(apps) and b"404" in ours.partition(b"\r\n")[0]


def _undated(answer: bytes) -> list[bytes]:
    return [line for line in answer.split(b"\r\n") if not line.startswith(b"date:")]


def test_a_hidden_receiver_waits_for_no_body_of_a_stranger(hidden: Attacked) -> None:
    """Neither a body that does not come nor "100 Continue" tells that somebody would read it."""
    waiting = TYPE | {"Content-Length": "5000"}
    for fields in (waiting, waiting | {"Expect": "100-continue"}):
        received = hidden.at.raw(head("POST", PUSH, fields))
        assert received.startswith(b"HTTP/1.1 404") and b"habanero" not in received.lower()


def test_a_hidden_receiver_does_not_say_go_on_to_a_signature_either(hidden: Attacked) -> None:
    """A recorded header with Expect on it would otherwise be told apart by its interim answer."""
    fields = TYPE | signed_header() | {"Content-Length": "5000", "Expect": "100-continue"}
    assert hidden.at.raw(head("POST", PUSH, fields)).startswith(b"HTTP/1.1 404")


def test_a_hidden_receiver_answers_who_shows_a_key(hidden: Attacked) -> None:
    """A signed header opens the door and nothing more: the push behind it is judged like any other."""
    body = Forged(signers=(STRANGER,)).body()
    assert hidden.at.push(body, **signed_header()).json()["code"] == "unauthorized"
    assert hidden.at.push(Forged(predicate={"seq": 3}).body(), **signed_header(who=BEN)).json()["code"] == "not-next"
    assert hidden.at.push(Forged().body(), **signed_header("/v1/check")).status_code == 404
    state = hidden.at.ask("GET", "/_habanero/v1/state", headers=signed_header("/v1/state", "GET"))
    assert state.json()["head"]["seq"] == 16


def test_a_key_for_prunes_alone_gets_as_far_as_its_endpoint(hidden: Attacked) -> None:
    """Whatever a listed key is good for, its holder is told why it is not good for this."""
    policy = hidden.node.policy
    try:
        hidden.node.policy = replace(policy, keys=(ANA.trusted(namespaces=("habanero-prune",)),))
        answer = hidden.at.ask("GET", "/_habanero/v1/state", headers=signed_header("/v1/state", "GET"))
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    finally:
        hidden.node.policy = policy


def test_who_knocks_at_a_hidden_receiver_is_recorded_until_it_is_too_much(
    hidden: Attacked, caplog: pytest.LogCaptureFixture
) -> None:
    """The operator sees attempts that got the app's answer, and nobody can fill the log with them."""
    caplog.set_level(logging.INFO, logger="habanero.audit")
    hidden.at.context.throttle = Throttle(max_failures=3)
    for _ in range(10):
        assert hidden.at.ask("GET", "/_habanero/v1/state").status_code == 404
    codes = [(vars(record)["action"], vars(record)["code"]) for record in caplog.records]
    assert codes == [("hidden", "unauthorized")] * 3


@pytest.mark.parametrize(
    ("host", "admitted"),
    [
        ("shop.test", True), ("SHOP.test:8000", True), ("[::1]:80", True), ("[::1]", True),
        ("shop.test.evil.com", False), ("evil.com", False), ("127.0.0.1", False), ("shop.test, evil.com", False),
        ("shop.test:80:80", False), ("", False), ("shop.test.", False), ("xshop.test", False),
    ],
)  # fmt: skip
def test_only_listed_hosts_are_answered(named: Attacked, host: str, admitted: bool) -> None:
    """Under another name, as after a rebinding of DNS or through a proxy not meant for it, 421, and nothing is read."""
    received = named.at.raw(head("POST", PUSH, TYPE | {"Content-Length": "5000"} if not admitted else TYPE, host=host))
    status, code, _ = answer_of(received)
    assert (status, code) == ((400, "truncated") if admitted else (421, "wrong-host"))
    assert named.at.raw(head("GET", "/price", {}, host=host)).startswith(b"HTTP/1.1 200")


def test_forwarded_hosts_do_not_count(named: Attacked) -> None:
    """The name that a proxy says it was asked under is the sender's to choose."""
    fields = TYPE | {"X-Forwarded-Host": "shop.test", "Forwarded": "host=shop.test"}
    assert answer_of(named.at.raw(head("POST", PUSH, fields, host="evil.com")))[0] == 421


@pytest.mark.parametrize(
    "settings",
    [
        {"HABANERO_HTTP": "no"}, {"HABANERO_HTTP": "ON"}, {"HABANERO_STRANGERS": "hidden"},
        {"HABANERO_ALLOWED_HOSTS": "https://shop.test"}, {"HABANERO_ALLOWED_HOSTS": "shop.test:8000"},
        {"HABANERO_ALLOWED_HOSTS": "*"}, {"HABANERO_ALLOWED_HOSTS": "shop.test/x"},
    ],
)  # fmt: skip
def test_a_word_that_is_not_understood_stops_the_start(settings: dict[str, str]) -> None:
    """A misspelt setting never means the more open of two things."""
    with pytest.raises(ConfigError) as caught:
        Entrance.from_env(settings)
    assert caught.value.subject == next(iter(settings)) and caught.value.help


def test_the_usual_entrance() -> None:
    """Nothing set: open, strangers are told, under any name; and each setting does what it says."""
    assert Entrance.from_env({}) == Entrance(open=True, hidden=False, hosts=frozenset())
    said = {"HABANERO_HTTP": "off", "HABANERO_STRANGERS": "hide", "HABANERO_ALLOWED_HOSTS": "a.test, B.test"}
    assert Entrance.from_env(said) == Entrance(open=False, hidden=True, hosts=frozenset({"a.test", "b.test"}))


def test_without_http_there_is_no_endpoint_and_no_framework_for_it(tmp_path: Path) -> None:
    """HABANERO_HTTP=off serves the app's own 404 below the prefix, and never imports what would answer there."""
    shop = Shop(tmp_path / "s")
    code = (
        "import asyncio, sys\n"
        "from habanero_receiver import Receiver\n"
        "async def app(scope, receive, send): await send({'by': 'app', 'path': scope['path']})\n"
        "sent = []\n"
        "async def send(message): sent.append(message)\n"
        "async def main():\n"
        "    wrapped = Receiver.from_env().wrap(app)\n"
        "    await wrapped({'type': 'http', 'path': '/_habanero/v1/push', 'headers': []}, None, send)\n"
        "asyncio.run(main())\n"
        "print(sent, 'fastapi' in sys.modules, 'habanero_receiver.http.push' in sys.modules)\n"
        "Receiver.from_env().stop()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shop.root, env=shop.environ(HABANERO_HTTP="off"), capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "[{'by': 'app', 'path': '/_habanero/v1/push'}] False False\n"
