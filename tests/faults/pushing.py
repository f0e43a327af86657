"""Pushes as their author makes them while things break: what was answered, what runs then, and the retry."""

from __future__ import annotations

import httpx
from authoring import Push
from serving import Server

from faults import forked
from faults.scenario import Outcome

UNEXPECTED = ("internal", "dirty")
"""Answers that no fault of a store may lead to."""


def attempt(server: Server, push: Push, outcome: Outcome) -> int:
    """The answer's status; 0 when the connection broke."""
    outcome.count("pushes")
    try:
        answer = server.push(push)
    except httpx.TransportError:
        return 0
    code = answer.json().get("code")
    outcome.expect(code not in UNEXPECTED, f"the push was answered with {code}: {answer.text[:300]}")
    return answer.status_code


def running(server: Server, outcome: Outcome, when: str) -> int:
    """The rate that runs; a violation and 0 when it is a mixture."""
    said = server.price()
    rate = forked.whole(said["price"], said["label"])
    outcome.expect(rate is not None, f"{when}: a mixture runs: {said}")
    return rate or 0


def again(server: Server, push: Push, rate: int, outcome: Outcome, when: str) -> None:
    """The retry: the same bytes, and where these conflict, a release after the head."""
    code = attempt(server, push, outcome)
    if code == 409:
        code = attempt(server, server.next(forked.release(rate)), outcome)
    outcome.expect(code == 200, f"{when}: the retry was answered with {code}")
    outcome.expect(running(server, outcome, when) == rate, f"{when}: the retry is not what runs")
