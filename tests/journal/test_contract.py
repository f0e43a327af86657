"""One contract, every kind of bucket: a directory, and an S3 over real HTTP from this process and from one aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bucket_contract import PROMISES
from objectstores import ObjectStore

from habanero_receiver.journal.bucket import Bucket, open_bucket


@pytest.fixture(params=["directory", "s3", "s3 aside"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path, s3: ObjectStore) -> Iterator[Bucket]:
    """An empty bucket of one kind."""
    if request.param == "directory":
        yield open_bucket(f"file://{tmp_path}/deep/bucket")
        return
    opened = s3.open(s3.make_bucket())
    if request.param == "s3":
        yield opened
    else:
        with opened.aside() as aside:
            yield aside


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
def test_a_bucket_keeps_its_promises(bucket: Bucket, promise: Callable[[Bucket], None]) -> None:
    """Whatever a bucket is made of, whoever uses it need not know."""
    promise(bucket)
