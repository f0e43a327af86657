"""What is started once for all tests that need it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

# The same examples in every run, and on a busy machine a slow one is no failure; `make fuzz` throws new dice.
settings.register_profile("habanero", deadline=None, derandomize=True, database=None)
settings.load_profile("habanero")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """An S3 store on loopback, for the session; its credentials are in the environment, as on a server."""
    from objectstores import moto

    with moto(tmp_path_factory.mktemp("moto")) as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environ().items():
            if name != "AWS_ENDPOINT_URL_S3":
                patch.setenv(name, value)
        yield store


@pytest.fixture(scope="session")
def gs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    """A stand-in for Google's store on loopback, for the session; its account is in the environment."""
    from objectstores import google

    with google(tmp_path_factory.mktemp("google")) as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environ().items():
            if name != "GOOGLE_BASE_URL":
                patch.setenv(name, value)
        yield store
