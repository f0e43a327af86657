"""The middleware: which requests are the receiver's, and that the app does not notice it otherwise."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from habanero_receiver.entrance import Entrance
from habanero_receiver.hold import Hold
from habanero_receiver.http.asgi import ReceiverMiddleware


class FakeReceiver:
    """Counts starts and stops; its endpoints answer with the path that they see."""

    def __init__(self, *, broken: bool = False, entrance: Entrance | None = None) -> None:
        self.broken = broken
        self.entrance = entrance or Entrance()
        self.calls: list[str] = []
        self.up: list[object] = []

    def comes_up(self) -> None:
        self.up.append("comes up")

    def came_up(self, *, well: bool) -> None:
        self.up.append(well)

    async def enter_loop(self, hold: Hold) -> None:
        if self.broken:
            raise RuntimeError("no release")
        self.calls.append("start")

    async def leave_loop(self) -> None:
        self.calls.append("stop")

    async def begin_tasks(self) -> None:
        self.calls.append("tasks begin")

    async def end_tasks(self) -> None:
        self.calls.append("tasks end")

    def endpoints(self) -> Any:
        self.calls.append("build")
        return Answering()


class Answering:
    """Endpoints that leave one path to the app, as those of a hidden receiver do for strangers."""

    def admits(self, scope: Any) -> bool:
        return str(scope["path"]) != "/v1/strange"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await answering("receiver")(scope, receive, send)


def answering(name: str) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"by": name, "path": scope.get("path"), "root": scope.get("root_path", "")})

    return app


def ask(middleware: ReceiverMiddleware, *scopes: dict[str, Any]) -> list[dict[str, Any]]:
    """Send these connections one after the other, and give what was sent back."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(dict(message))

    async def receive() -> Any:
        return {}

    async def main() -> None:
        for scope in scopes:
            await middleware(scope, receive, send)

    asyncio.run(main())
    return sent


def http(path: str, root: str = "", kind: str = "http") -> dict[str, Any]:
    return {"type": kind, "path": path, "root_path": root}


@pytest.mark.parametrize(
    ("path", "root", "by", "seen"),
    [
        ("/_habanero/v1/state", "", "receiver", "/v1/state"),
        ("/_habanero", "", "receiver", "/"),
        ("/api/_habanero/v1/state", "/api", "receiver", "/v1/state"),
        ("/_habanero/v1/state", "/api", "receiver", "/v1/state"),
        ("/_habaneros", "", "app", "/_habaneros"),
        ("/x/_habanero/v1", "", "app", "/x/_habanero/v1"),
        ("/_habanero/v1/strange", "", "app", "/_habanero/v1/strange"),
        ("/", "", "app", "/"),
    ],
)
def test_only_what_is_below_the_prefix_is_the_receivers(path: str, root: str, by: str, seen: str) -> None:
    """The prefix is found behind a root path too, and a path that merely contains it is the app's."""
    [answer] = ask(ReceiverMiddleware(answering("app"), FakeReceiver()), http(path, root))
    assert (answer["by"], answer["path"]) == (by, seen)


def test_without_a_lifespan_the_first_request_starts_it_once() -> None:
    """A server that runs no lifespan still gets a receiver that works."""
    receiver = FakeReceiver()
    ask(ReceiverMiddleware(answering("app"), receiver), http("/"), http("/"), http("/ws", kind="websocket"))
    assert receiver.calls == ["start", "tasks begin"]


def test_the_endpoints_are_built_at_the_first_request_for_them_once() -> None:
    """An app that nobody pushes to never builds them."""
    receiver = FakeReceiver()
    middleware = ReceiverMiddleware(answering("app"), receiver)
    ask(middleware, http("/"))
    assert "build" not in receiver.calls
    ask(middleware, http("/_habanero/v1/state"), http("/_habanero/v1/state"))
    assert receiver.calls.count("build") == 1


def test_a_closed_receiver_has_nothing_below_the_prefix_and_builds_nothing() -> None:
    """With HABANERO_HTTP=off every path is the app's own."""
    receiver = FakeReceiver(entrance=Entrance(open=False))
    [answer] = ask(ReceiverMiddleware(answering("app"), receiver), http("/_habanero/v1/push"))
    assert answer["by"] == "app" and "build" not in receiver.calls


def live(app: Any, receiver: FakeReceiver) -> list[str]:
    """Run a whole life of the app, and give the messages that the server saw."""
    coming = iter(["lifespan.startup", "lifespan.shutdown"])
    sent: list[str] = []

    async def receive() -> Any:
        return {"type": next(coming)}

    async def send(message: Any) -> None:
        sent.append(message["type"])
        receiver.calls.append("told")

    asyncio.run(ReceiverMiddleware(app, receiver)({"type": "lifespan"}, receive, send))
    return sent


def test_it_starts_before_the_app_and_stops_after_it() -> None:
    """The app's own start-up code already is the release's; the server hears of the end when nothing is left to do."""
    receiver = FakeReceiver()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["type"] == "lifespan.startup"
        receiver.calls.append("app starts")
        await send({"type": "lifespan.startup.complete"})
        assert (await receive())["type"] == "lifespan.shutdown"
        receiver.calls.append("app stops")
        await send({"type": "lifespan.shutdown.complete"})

    assert live(app, receiver) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert receiver.calls == [
        "start", "app starts", "tasks begin", "told", "tasks end", "app stops", "stop", "told"
    ]  # fmt: skip


def test_a_receiver_that_must_not_serve_ends_the_start() -> None:
    """The server is told in its own words, and the app does not start."""
    receiver = FakeReceiver(broken=True)
    assert live(answering("app"), receiver) == ["lifespan.startup.failed"]


def test_an_app_without_a_lifespan_keeps_its_receiver() -> None:
    """Servers go on without a lifespan when an app refuses it; then the receiver goes on as well."""
    receiver = FakeReceiver()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("only http")

    with pytest.raises(ValueError, match="only http"):
        live(app, receiver)
    assert receiver.calls == ["start"]


def test_an_app_that_fails_to_start_stops_it_again() -> None:
    """Nothing of ours stays behind a failed start."""
    receiver = FakeReceiver()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed"})

    assert live(app, receiver) == ["lifespan.startup.failed"]
    assert receiver.calls == ["start", "stop", "told"]
