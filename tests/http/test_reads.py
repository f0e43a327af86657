"""Signed reads: what they show to whom."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from asking import Endpoints
from authoring import Author

from habanero_receiver.http.throttle import MAX_FAILURES

PATHS = [
    "/v1/state", "/v1/base", "/v1/journal?after=0", "/v1/journal?after=0&details=1", "/v1/blobs/" + "0" * 64,
    "/v1/base/" + "0" * 64, "/v1/running", "/v1/listing", "/v1/prune?days=1&keep=2",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_reads_nothing(endpoints: Endpoints, path: str) -> None:
    """Without a signature, or with one of an unknown key, every read is the same 401, found or not."""
    unsigned = endpoints.send("GET", path)
    foreign = endpoints.send("GET", path, headers=Author("mallory").read(path))
    bearer = endpoints.send("GET", path, headers={"Authorization": "Bearer abc"})
    assert [answer.status_code for answer in (unsigned, foreign, bearer)] == [401] * 3
    assert unsigned.content == foreign.content == bearer.content
    assert unsigned.headers["www-authenticate"] == "Habanero"


def test_a_signature_is_for_one_path_and_some_minutes(endpoints: Endpoints) -> None:
    """A signed read cannot be turned into another, nor kept for later."""
    author = endpoints.world.author
    other = endpoints.send("GET", "/v1/base", headers=author.read("/v1/state"))
    assert (other.status_code, other.json()["code"]) == (403, "wrong-request")
    past = datetime.now(UTC) - timedelta(hours=1)
    late = endpoints.get("/v1/state", issued=past, accept_until=past + timedelta(minutes=1))
    assert (late.status_code, late.json()["code"]) == (403, "expired")


def test_the_state_tells_head_and_running_apart(endpoints: Endpoints) -> None:
    """The state shows the head with its author, what this process runs, and every live worker."""
    empty = endpoints.get("/v1/state").json()
    base = endpoints.world.base.digest
    assert (empty["head"]["seq"], empty["head"]["digest"]) == (0, base)
    push = endpoints.world.push()
    endpoints.push(push)
    state = endpoints.get("/v1/state").json()
    assert state["v"] == 1 and state["base"] == base and state["modules"] == ["shop"]
    assert state["head"]["digest"] == state["running"]["digest"] == push.digest
    assert state["head"]["author"] == "ana@laptop"
    assert state["python"]["implementation"] == "cpython"
    [machine] = state["machines"]
    assert machine["machine"] == "box" and machine["workers"][0]["running"] == 1


def test_the_base_is_told_by_digest(endpoints: Endpoints) -> None:
    """Each deployed module with its path and digest, so that a laptop can take the difference."""
    base = endpoints.get("/v1/base").json()
    assert set(base["modules"]) == {"shop", "shop.pricing"}
    assert base["modules"]["shop"]["package"] is True
    assert base["modules"]["shop.pricing"]["path"] == "shop/pricing.py"


def test_the_journal_is_read_from_a_number_on(endpoints: Endpoints) -> None:
    """Entries come as the very bytes that were signed."""
    first = endpoints.world.push("RATE = 1\n")
    endpoints.push(first)
    second = endpoints.world.push("RATE = 2\n")
    endpoints.push(second)
    entries = endpoints.get("/v1/journal?after=1").json()["entries"]
    assert [(entry["seq"], base64.b64decode(entry["envelope"])) for entry in entries] == [(2, second.envelope.encode())]
    assert endpoints.get("/v1/journal?after=x").json()["code"] == "bad-query"


def test_a_blob_is_given_by_its_digest(endpoints: Endpoints) -> None:
    """Bytes for a digest that is there, 404 for one that is not, or is not a digest."""
    push = endpoints.world.push()
    endpoints.push(push)
    for sha256, data in push.blobs.items():
        assert endpoints.get(f"/v1/blobs/{sha256}").content == data
    assert endpoints.get("/v1/blobs/" + "0" * 64).status_code == 404
    assert endpoints.get("/v1/blobs/..%2f..%2fetc").status_code == 404


def test_a_source_of_the_base_is_given_by_its_digest_and_no_other_file(endpoints: Endpoints) -> None:
    """Modules of the app's packages alone; another file of the server, by name or by digest, is 404."""
    base = endpoints.world.base
    for file in base.modules.values():
        assert endpoints.get(f"/v1/base/{file.sha256}").content == file.file.read_bytes()
    secret = base.root / "secret.py"
    secret.write_text("KEY = 1\n")
    for name in (hashlib.sha256(secret.read_bytes()).hexdigest(), "secret.py", "..%2fsecret.py", "shop.pricing"):
        assert endpoints.get(f"/v1/base/{name}").status_code == 404
    changed = base.modules["shop.pricing"]
    changed.file.write_text("KEY = 1\n")
    answer = endpoints.get(f"/v1/base/{changed.sha256}")
    assert (answer.status_code, answer.json()["code"]) == (409, "base-changed")


def test_details_of_the_journal_say_what_the_bucket_has(endpoints: Endpoints) -> None:
    """The manifest beside each entry, nothing for one that is gone; who confirmed; an entry too large is empty."""
    push = endpoints.world.push()
    endpoints.push(push)
    [entry] = endpoints.get("/v1/journal?after=0&details=1").json()["entries"]
    assert base64.b64decode(entry["manifest"]) == push.manifest
    journal, name = endpoints.world.make_journal(), push.statement.manifest_digest.removeprefix("sha256:")
    journal.bucket.remove(f"v1/blobs/sha256/{name[:2]}/{name}")
    journal.bucket.remove(f"{journal.prefix}/journal/00000001.json")
    journal.bucket.create(f"{journal.prefix}/journal/00000001.json", push.envelope.encode())
    journal.bucket.create(f"{journal.prefix}/journal/00000002.json", b"x" * 100_000)
    journal.put_confirmed(1, b"[")
    first, second = endpoints.get("/v1/journal?after=0&details=1").json()["entries"]
    assert (first["manifest"], first["confirmed"]) == (None, None)
    assert (second["envelope"], second["manifest"]) == ("", None)
    assert endpoints.get("/v1/listing").json() == {"numbers": [1, 2], "prunings": []}


def test_strangers_cannot_fill_the_log_with_reads(
    endpoints: Endpoints, caplog: pytest.LogCaptureFixture
) -> None:
    """After too many failures from an address they are no longer recorded, while a signed read from it is served."""
    for _ in range(MAX_FAILURES):
        assert endpoints.send("GET", "/v1/state").status_code == 401
    caplog.clear()
    assert endpoints.send("GET", "/v1/state").status_code == 429
    assert caplog.text == ""
    for _ in range(MAX_FAILURES):
        assert endpoints.get("/v1/blobs/" + "0" * 64).status_code == 404
    assert endpoints.get("/v1/state").status_code == 200


def test_reads_answer_while_a_push_is_staged(endpoints: Endpoints) -> None:
    """A slow swap does not make the state unreachable."""
    world = endpoints.world
    push = world.push()

    async def talk(client: httpx.AsyncClient) -> int:
        loop, staging, go_on = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        world.swapper.on_stage = lambda: (
            loop.call_soon_threadsafe(staging.set),
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10),
        )
        running = asyncio.ensure_future(
            client.post("/v1/push", content=push.encode(), headers={"Content-Type": "application/vnd.habanero.push"})
        )
        await staging.wait()
        status = (await client.get("/v1/state", headers=world.author.read("/v1/state"))).status_code
        go_on.set()
        assert (await running).status_code == 200
        return status

    assert endpoints.run(talk) == 200
