"""POST /v1/prune: who may ask for what."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import httpx
import pytest
from asking import Endpoints
from authoring import Author

from habanero_receiver.journal import prune
from habanero_receiver.release.keys import parse_allowed_signers


def path_of(endpoints: Endpoints, **changes: object) -> str:
    query = {"base": endpoints.world.base.digest, "below": 1, "days": 0, "keep": 2} | changes
    return "/v1/prune?" + "&".join(f"{name}={value}" for name, value in query.items())


def ask(endpoints: Endpoints, path: str, author: Author | None = None, *, method: str = "POST") -> httpx.Response:
    who = author or endpoints.world.author
    return endpoints.send("POST", path, headers=who.read(path, method=method))


def test_a_stranger_is_told_nothing_and_removes_nothing(endpoints: Endpoints) -> None:
    """The uniform 401, as everywhere."""
    endpoints.push(endpoints.world.push())
    before, path = endpoints.world.files(), path_of(endpoints)
    for answer in (endpoints.send("POST", path), ask(endpoints, path, Author("mallory"))):
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert endpoints.world.files() == before


@pytest.mark.parametrize(
    ("namespaces", "reads", "prunes"),
    [("", 200, 200), ("habanero", 200, 401), ("habanero,habanero-prune", 200, 200), ("habanero-prune", 401, 200)],
)
def test_the_role_is_a_namespace_of_the_key(endpoints: Endpoints, namespaces: str, reads: int, prunes: int) -> None:
    """A key without namespaces may do everything; one with some only what they name."""
    author, node = endpoints.world.author, endpoints.world.node
    option = f'namespaces="{namespaces}" ' if namespaces else ""
    node.policy = replace(node.policy, keys=parse_allowed_signers(f"ana {option}{author.public.openssh()}"))
    assert endpoints.get("/v1/state").status_code == reads
    assert ask(endpoints, path_of(endpoints)).status_code == prunes


def test_a_signed_look_is_no_signed_removal(endpoints: Endpoints) -> None:
    """The method and every number are signed."""
    path = path_of(endpoints)
    assert ask(endpoints, path, method="GET").json()["code"] == "wrong-request"
    other = endpoints.send("POST", path_of(endpoints, days=1), headers=endpoints.world.author.read(path, method="POST"))
    assert other.json()["code"] == "wrong-request"


@pytest.mark.parametrize("changes", [{"below": "x"}, {"days": -1}, {"keep": ""}, {"below": "9" * 12}, {"days": "1.0"}])
def test_what_is_no_number_is_refused(endpoints: Endpoints, changes: dict[str, object]) -> None:
    """By name, before anything is looked at."""
    answer = ask(endpoints, path_of(endpoints, **changes))
    assert answer.status_code == 400


def test_one_prune_at_a_time(endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is told that the first is under way; pushes are not in its way."""
    begun, go_on = threading.Event(), threading.Event()
    find = prune.find

    def slow(*words: object, **more: object) -> prune.Plan:
        begun.set()
        assert go_on.wait(10)
        return find(*words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(prune, "find", slow)
    path, author = path_of(endpoints), endpoints.world.author
    push = endpoints.world.push()

    async def talk(client: httpx.AsyncClient) -> None:
        first = asyncio.ensure_future(client.post(path, headers=author.read(path, method="POST")))
        await asyncio.to_thread(begun.wait, 10)
        second = await client.post(path, headers=author.read(path, method="POST"))
        assert (second.status_code, second.json()["code"]) == (503, "busy")
        answer = await client.post(
            "/v1/push", content=push.encode(), headers={"Content-Type": "application/vnd.habanero.push"}
        )
        assert answer.status_code == 200
        go_on.set()
        assert (await first).status_code == 200

    endpoints.run(talk)
