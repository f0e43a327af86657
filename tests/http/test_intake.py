"""Reading a body: exactly as much as is asked for, never more than the limit, never longer than the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import Request

from habanero_receiver.errors import RequestError
from habanero_receiver.http.intake import Intake
from habanero_receiver.release.limits import DEFAULT_LIMITS

SMALL = DEFAULT_LIMITS._replace(max_modules=1, max_envelope_bytes=100, max_manifest_bytes=100, max_total_bytes=100)


def intake_of(*messages: dict[str, Any]) -> Intake:
    """An intake whose server gives these messages and then nothing, for ever."""
    coming: Iterator[dict[str, Any]] = iter(messages)

    async def receive() -> dict[str, Any]:
        for message in coming:
            return message
        await asyncio.Event().wait()
        raise AssertionError

    scope = {"type": "http", "method": "POST", "headers": [], "query_string": b"", "path": "/"}
    return Intake(Request(scope, receive), limits=SMALL)


def chunk(data: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def test_portions_are_what_was_asked_for_whatever_the_chunks() -> None:
    """The end of a chunk means nothing; the end of the body gives less."""

    async def main() -> None:
        body = intake_of(chunk(b"abc"), chunk(b""), chunk(b"defg", more=False))
        assert [await body.take(2), await body.take(3), await body.take(9)] == [b"ab", b"cde", b"fg"]
        assert await body.finish()

    asyncio.run(main())


def test_nothing_is_read_ahead() -> None:
    """What was asked for is given as soon as it is there, though the server has nothing more for now."""

    async def main() -> None:
        body = intake_of(chunk(b"abcd"))
        assert await asyncio.wait_for(body.take(4), 5) == b"abcd"

    asyncio.run(main())


def test_a_body_over_the_limit_is_refused_whatever_was_declared() -> None:
    """The limit counts bytes that came, not bytes that were announced; the rest is not even dropped in peace."""

    async def main() -> None:
        body = intake_of(*[chunk(b"x" * SMALL.max_body_bytes)] * 3)
        with pytest.raises(RequestError) as caught:
            await body.take(SMALL.max_body_bytes + 1)
        assert caught.value.code == "body-size"
        assert not await body.drain(max_bytes=10**9, timeout_s=5)

    asyncio.run(main())


def test_a_sender_that_goes_away_is_a_truncated_body() -> None:
    """A connection that ends early is told from a body that does."""

    async def main() -> None:
        body = intake_of(chunk(b"ab"), {"type": "http.disconnect"})
        with pytest.raises(RequestError) as caught:
            await body.take(3)
        assert caught.value.code == "truncated"

    asyncio.run(main())


def test_the_rest_of_a_body_is_dropped_within_bounds() -> None:
    """Draining tells whether it reached the end: too many bytes, or too long a wait, and it did not."""

    async def main() -> None:
        ended = intake_of(chunk(b"ab"), chunk(b"cd", more=False))
        await ended.take(1)
        assert await ended.drain(max_bytes=100, timeout_s=5)
        long = intake_of(*[chunk(b"x" * 50)] * 6)
        await long.take(1)
        assert not await long.drain(max_bytes=100, timeout_s=5)
        stalled = intake_of(chunk(b"ab"))
        await stalled.take(1)
        assert not await stalled.drain(max_bytes=100, timeout_s=0.01)

    asyncio.run(main())


def test_a_body_that_was_never_asked_for_stays_unread() -> None:
    """A sender that waits for "100 Continue" is not told to go on, just to have its body dropped."""

    async def main() -> None:
        assert not await intake_of(chunk(b"ab", more=False)).drain(max_bytes=100, timeout_s=5)

    asyncio.run(main())
