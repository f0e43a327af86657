"""Requests made up by schemathesis, over the endpoints themselves: no crash, and no answer that is not described.

The receiver serves no description of itself; this one is made here, from the table of its endpoints. Each operation is
asked by strangers, and by somebody whose header is signed for exactly the request that was made up.
"""

from __future__ import annotations

import logging
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from attacked import Attacked, attacked, signed_header
from hypothesis import HealthCheck, given, seed, settings
from hypothesis.errors import Unsatisfiable

from habanero_receiver.errors import CODES
from habanero_receiver.http.app import PUSHES, READS
from habanero_receiver.release.body import MEDIA_TYPE

PREFIX = "/_habanero"
_QUERIES = {"journal": ("after", "details"), "prune-plan": ("days", "keep"), "prune": ("base", "below", "days", "keep")}


def description() -> dict[str, Any]:
    """The endpoints as OpenAPI 3.1: what there is, and that every refusal is a problem document."""
    paths: dict[str, Any] = {}
    for method, table in (("get", READS), ("post", PUSHES)):
        for action, (path, _) in table.items():
            operation: dict[str, Any] = {"operationId": action, "parameters": _parameters(action, path)}
            if action in ("push", "check"):
                schema = {"type": "string", "format": "binary"}
                operation["requestBody"] = {"content": {MEDIA_TYPE: {"schema": schema}}, "required": True}
            operation["responses"] = {"200": {"description": "done"}, "default": {"description": "a problem"}}
            paths.setdefault(path, {})[method] = operation
    return {"openapi": "3.1.0", "info": {"title": "receiver", "version": "1"}, "paths": paths}


def _parameters(action: str, path: str) -> list[dict[str, Any]]:
    text = {"type": "string"}
    inside = [{"name": "sha256", "in": "path", "required": True, "schema": text}] if "{sha256}" in path else []
    asked = [{"name": name, "in": "query", "schema": text} for name in _QUERIES.get(action, ())]
    return [*inside, *asked, {"name": "authorization", "in": "header", "schema": text}]


def run(examples: int, seconds: float, dice: int) -> bool:
    """Ask every operation that often, by strangers and signed; whether nothing was found."""
    import schemathesis

    schemathesis.openapi.media_type(MEDIA_TYPE, _bodies(dice))
    schemathesis.serializer(MEDIA_TYPE)(lambda context, body: body)
    schema = schemathesis.openapi.from_dict(description())
    logging.getLogger("habanero").setLevel(logging.CRITICAL)
    tally: Counter[str] = Counter()
    wrong: list[str] = []
    until = time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="habanero-fuzz-") as folder, attacked(Path(folder, "srv")) as shop:
        before = shop.picture()
        for found in schema.get_all_operations():
            operation = found.ok()
            for signed in (False, True):
                if time.monotonic() < until:
                    wrong += _attack(shop, operation, signed, examples, dice, tally)
        if shop.picture() != before:
            wrong.append("something changed: journal, blobs, modules or keys")
    statuses = ", ".join(f"{status} {count:,}" for status, count in sorted(tally.items()))
    print(f"{sum(tally.values()):,} requests; answers: {statuses}")
    print("\n".join([f"{len(wrong)} promises that did not hold", *list(dict.fromkeys(wrong))[:20]]))
    return not wrong


def _attack(
    shop: Attacked, operation: Any, signed: bool, examples: int, dice: int, tally: Counter[str]
) -> list[str]:
    wrong: list[str] = []

    @seed(dice)
    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(operation.as_strategy())
    def ask(case: Any) -> None:
        request = case.as_transport_kwargs(base_url=f"http://127.0.0.1:{shop.at.port}{PREFIX}")
        headers = {name: value for name, value in (request.get("headers") or {}).items() if name.lower() != "host"}
        try:
            made = httpx.Request(
                request["method"], request["url"], params=request.get("params"), content=request.get("data") or b"",
                headers=headers,
            )  # fmt: skip
        except (httpx.InvalidURL, UnicodeEncodeError, ValueError):
            tally["not sendable"] += 1
            return
        if signed:
            path = made.url.raw_path.decode().removeprefix(PREFIX)
            made.headers.update(signed_header(path, made.method))
        try:
            answer = shop.at.client.send(made)
        except httpx.LocalProtocolError:
            tally["not sendable"] += 1
            return
        tally[str(answer.status_code)] += 1
        problem = _problem(answer, known=signed or operation.path in ("/v1/push", "/v1/check"))
        if problem:
            wrong.append(f"{made.method} {made.url} ({'signed' if signed else 'stranger'}): {problem}")

    try:
        ask()
    except Unsatisfiable:
        tally["not made"] += 1
    return wrong


def _problem(answer: httpx.Response, *, known: bool) -> str:
    """What is wrong with an answer, or nothing. `known`: a trusted key may be in the request, headers or body."""
    if answer.status_code == 200:
        return "" if known else "a stranger got an answer"
    if answer.status_code >= 500 and answer.status_code != 503:
        return f"HTTP {answer.status_code}: {answer.text[:300]}"
    if answer.headers.get("content-type") == "text/plain; charset=utf-8":
        return ""  # the server's own, for what is no HTTP
    if answer.headers.get("content-type") != "application/problem+json":
        return f"HTTP {answer.status_code} is no problem document: {answer.text[:100]!r}"
    found = answer.json()
    if found["code"] not in CODES or CODES[found["code"]].status != answer.status_code:
        return f"{found['code']} with {answer.status_code}"
    return "" if known or found["running"] is None else "a stranger was told what runs"


def _bodies(dice: int) -> Any:
    """Bodies near a right push, as a strategy."""
    from forging import Forged
    from hypothesis import strategies

    from fuzz.mutations import mutate

    whole = Forged().body()
    return strategies.integers(0, 2**32).map(lambda number: mutate(random.Random(dice + number), whole, [whole]))
