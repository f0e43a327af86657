"""`doctor --bucket`: what it finds, on real stores, as a server would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faulty import Asked, always, faulty
from objectstores import ObjectStore

from habanero_receiver.doctor import examine

CHECKS = ["bucket", "reach", "write", "read", "create-only", "race", "replace", "list", "remove", "speed", "cost"]


def doctor(*words: str, module: str = "habanero_receiver", **environ: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, as on a server."""
    command = [sys.executable, "-m", module, "doctor", *words]
    return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60)


def found(output: str) -> dict[str, dict[str, Any]]:
    return {line["check"]: line for line in map(json.loads, output.splitlines())}


def test_a_good_bucket_passes_every_check_and_is_left_as_it_was(s3: ObjectStore) -> None:
    """All that a receiver needs was tried on the store itself, and nothing of it stays there."""
    url = s3.make_bucket()
    done = doctor("--json", HABANERO_BUCKET=url, **s3.environ())
    assert done.returncode == 0, done.stdout + done.stderr
    lines = found(done.stdout)
    assert list(lines) == CHECKS and all(line["ok"] for line in lines.values())
    assert s3.keys(url) == []


def test_the_command_of_the_laptop_knows_it_too(tmp_path: Path) -> None:
    """`habanero-py doctor --bucket URL` is the same examination; a directory passes it."""
    (tmp_path / "bucket").mkdir(mode=0o700)
    done = doctor("--bucket", f"file://{tmp_path}/bucket", module="habanero_py")
    assert done.returncode == 0 and "FAIL" not in done.stdout, done.stdout + done.stderr
    assert list((tmp_path / "bucket").rglob("doctor/*/*")) == []


def test_a_directory_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """It would belong to whoever examines it, and the server would then refuse it."""
    done = doctor(f"file://{tmp_path}/bucket")
    assert done.returncode == 0 and "not there yet" in done.stdout
    assert not (tmp_path / "bucket").exists()


def is_conditional(asked: Asked) -> bool:
    return "if-none-match" in {name.lower() for name in asked.headers}


DENIED = "answer:403:<Error><Code>AccessDenied</Code></Error>"


@pytest.mark.parametrize(
    ("fault", "when", "check", "code"),
    [
        ("unconditional", is_conditional, "create-only", "store-not-exclusive"),
        ("answer:501:", is_conditional, "write", "store-not-exclusive"),
        (DENIED, lambda asked: True, "reach", "store-denied"),
        (DENIED, lambda asked: asked.method == "PUT", "write", "store-denied"),
        (DENIED, lambda asked: "list-type" in asked.path, "list", "store-denied"),
        (DENIED, lambda asked: asked.method == "DELETE", "remove", "store-denied"),
        ("answer:200:<html>hello</html>", lambda asked: True, "reach", "store-endpoint"),
    ],
)
def test_each_thing_that_is_wrong_fails_its_own_check(s3: ObjectStore, fault: str, when, check: str, code: str) -> None:
    """The check that fails names what the store does wrong; those before it passed, none comes after it."""
    with faulty(s3.endpoint, always(fault, when)) as proxy:
        findings = list(examine(s3.make_bucket(), {**os.environ, **s3.environ(proxy.endpoint)}))
    last = findings[-1]
    assert last.check == check and last.error is not None and last.error.code == code, last
    assert last.error.help and all(finding.error is None for finding in findings[:-1])


def test_settings_that_cannot_be_used_are_said_to_be_those() -> None:
    """A plain http endpoint elsewhere, before anything is sent there; no secret of the URL is shown."""
    done = doctor("s3://my-bucket", AWS_ENDPOINT_URL_S3="http://storage.example.com")
    assert done.returncode == 2 and "bucket-insecure" in done.stdout
    done = doctor("s3://key:secret@my-bucket")
    assert done.returncode == 2 and "bucket-url" in done.stdout and "secret" not in done.stdout


def test_without_the_library_it_says_what_to_install(tmp_path: Path) -> None:
    """A server that was installed without the extra is told its name."""
    (tmp_path / "obstore").mkdir()
    (tmp_path / "obstore" / "__init__.py").write_text("raise ImportError('no library here')\n")
    done = doctor("s3://my-bucket", PYTHONPATH=str(tmp_path))
    assert done.returncode == 2 and "habanero-py[stores]" in done.stdout, done.stdout + done.stderr
