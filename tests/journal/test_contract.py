"""One contract, every kind of bucket: a directory, and stores over real HTTP from this process and from one aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from bucket_contract import PROMISES
from objectstores import GoogleStore, ObjectStore

from habanero_receiver.journal.bucket import Bucket, open_bucket


@pytest.fixture(params=["directory", "s3", "s3 aside", "gs", "gs aside"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bucket]:
    """An empty bucket of one kind."""
    kind, _, aside = request.param.partition(" ")
    if kind == "directory":
        yield open_bucket(f"file://{tmp_path}/deep/bucket")
        return
    store: ObjectStore | GoogleStore = request.getfixturevalue(kind)
    opened = store.open(store.make_bucket())
    with opened.aside() if aside else nullcontext(opened) as bucket:
        yield bucket


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_bucket_keeps_its_promises(bucket: Bucket, promise: Callable[[Bucket], None]) -> None:
    """Whatever a bucket is made of, whoever uses it need not know."""
    promise(bucket)
