"""Where settings come from, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from habanero_py.config import Flags, check_url, load
from habanero_receiver.errors import ConfigError
from habanero_receiver.release.statement import NEVER, Withdraw

PYPROJECT = """
[tool.habanero]
watch = ["src/shop"]
gate = ["pytest", "-q"]
[tool.habanero.targets.production]
url = "https://shop.example.com/_habanero/"
key = "~/ana.key"
target = "shop/production#1"
confirm = true
[tool.habanero.targets.staging]
url = "https://staging.example.com/_habanero"
key = "~/ana.key"
target = "shop/staging#2"
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def refused(root: Path, text: str | None = None, flags: Flags | None = None, **environ: str) -> ConfigError:
    if text is not None:
        (root / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError) as error:
        load(flags or Flags(), environ, root)
    return error.value


def test_pyproject_is_enough(root: Path) -> None:
    """Settings alone say where to push; a folder below the project finds them."""
    (root / "src/shop").mkdir(parents=True)
    config = load(Flags(to="production"), {}, root / "src/shop")
    assert config.root == root
    assert (config.watch, config.gate, config.gate_timeout_s) == (("src/shop",), ("pytest", "-q"), 60.0)
    assert (config.to.name, config.to.url) == ("production", "https://shop.example.com/_habanero")
    assert config.to.key == str(Path("~/ana.key").expanduser())
    assert config.to.confirm
    assert config.app == "shop"


def test_flags_go_before_environment_before_pyproject_before_defaults(root: Path) -> None:
    """And the origin of each is kept."""
    environ = {"HABANERO_URL": "http://127.0.0.1:1/e", "HABANERO_KEY": "/e.key", "HABANERO_GATE_TIMEOUT_S": "5"}
    config = load(Flags(to="production", key="/f.key", gate="make 'all tests'"), environ, root)
    assert config.to.key == "/f.key"
    assert config.to.url == "http://127.0.0.1:1/e"
    assert config.gate == ("make", "all tests")
    assert config.gate_timeout_s == 5.0
    origins = {name: config.origins[name] for name in ("key", "url", "gate", "target", "gate_timeout_s")}
    assert origins == {
        "key": "--key",
        "url": "HABANERO_URL",
        "gate": "--gate",
        "target": "pyproject.toml",
        "gate_timeout_s": "HABANERO_GATE_TIMEOUT_S",
    }


def test_another_target_is_chosen_by_name(root: Path) -> None:
    """By flag, or by HABANERO_TO."""
    assert load(Flags(to="staging"), {}, root).to.target == "shop/staging#2"
    assert load(Flags(), {"HABANERO_TO": "staging"}, root).to.target == "shop/staging#2"


def test_of_several_targets_none_is_the_default(root: Path) -> None:
    """Production is pushed to by its name, as soon as there is something else that could be meant."""
    error = refused(root)
    assert (error.code, "--to production" in error.help) == ("no-target", True)
    only = PYPROJECT.partition("[tool.habanero.targets.staging]")[0]
    (root / "pyproject.toml").write_text(only)
    assert load(Flags(), {}, root).to.name == "production"


@pytest.mark.parametrize("key", ["SHA256:" + "a//b" + "A" * 39, "/home/ana/.ssh/id.pub"])
def test_a_key_in_the_agent_is_named_as_it_is_written(root: Path, key: str) -> None:
    """A fingerprint is no path, whatever slashes are in it."""
    assert load(Flags(to="production", key=key), {}, root).to.key == key


def test_flags_alone_can_name_a_target(tmp_path: Path) -> None:
    """A pyproject.toml without our tables, in CI for example."""
    (tmp_path / "pyproject.toml").write_text("")
    config = load(Flags(url="http://localhost:1", key="/k", target="a/b#c"), {}, tmp_path)
    assert (config.to.name, config.watch, config.gate) == ("production", (), ())


@pytest.mark.parametrize(
    ("text", "code", "subject"),
    [
        ("[tool.habanero]\nwhatch = []\n", "unknown-setting", "whatch"),
        (PYPROJECT + "confrim = true\n", "unknown-setting", "confrim"),
        ("[tool.habanero]\n", "no-target", "tool.habanero.targets"),
        ("[tool.habanero", "bad-toml", None),
        ("[tool]\nhabanero = 3\n", "bad-setting", None),
        ('[tool.habanero]\ngate = "pytest -q"\n', "bad-setting", "gate"),
        ("[tool.habanero]\ngate = [1]\n", "bad-setting", "gate"),
        ("[tool.habanero]\ngate_timeout_s = true\n", "bad-setting", "gate_timeout_s"),
        ("[tool.habanero]\ngate_timeout_s = 0\n", "bad-setting", "gate_timeout_s"),
        ("[tool.habanero]\ntargets = []\n", "bad-setting", "tool.habanero.targets"),
        ("[tool.habanero.targets]\nproduction = 1\n", "bad-setting", None),
        ('[tool.habanero.targets.production]\nurl = "https://x"\n', "missing-setting", "key"),
        ('[tool.habanero.targets.a]\nurl=""\n[tool.habanero.targets.b]\nurl=""\n', "no-target", None),
        (PYPROJECT.partition("[tool.habanero.targets.staging]")[0].replace("true", "1"), "bad-setting", "confirm"),
    ],
)
def test_what_is_wrong_is_named(root: Path, text: str, code: str, subject: str | None) -> None:
    """A setting that cannot be used stops the command with its name."""
    error = refused(root, text)
    assert error.code == code
    assert subject is None or error.subject == subject


def test_the_nearest_name_is_offered(root: Path) -> None:
    """For settings and for targets."""
    assert refused(root, "[tool.habanero]\nwhatch = []\n").help == "did you mean watch?"
    assert refused(root, PYPROJECT, Flags(to="stagin")).help == "did you mean staging?"


def test_a_folder_without_a_project_is_told_what_to_do(tmp_path: Path) -> None:
    """`/` has no pyproject.toml above it."""
    assert refused(tmp_path).code == "no-project"


@pytest.mark.parametrize(
    "url",
    ["https://x.example/_habanero", "http://127.0.0.1:8", "http://localhost", "http://[::1]:8", "http://127.9.9.9"],
)
def test_an_address_that_nobody_can_read_along_is_taken(url: str) -> None:
    """TLS, or this machine."""
    check_url(url)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://shop.example.com", "insecure-url"),
        ("http://10.0.0.1/_habanero", "insecure-url"),
        ("http://127.0.0.1.example.com", "insecure-url"),
        ("http://localhost.example.com", "insecure-url"),
        ("http://0.0.0.0:80", "insecure-url"),
        ("ftp://x", "bad-url"),
        ("shop.example.com", "bad-url"),
        ("https://user:secret@shop.example.com", "bad-url"),
        ("http://[::1", "bad-url"),
        ("", "bad-url"),
    ],
)
def test_an_address_in_the_clear_is_refused(url: str, code: str) -> None:
    """Source code is never sent where others can read it."""
    with pytest.raises(ConfigError) as error:
        check_url(url)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("line", "environ", "policy"),
    [
        ("", "", Withdraw()), ("withdraw = true", "", Withdraw()), ("withdraw = false", "", NEVER),
        ("withdraw = { errors_per_minute = 2 }", "", Withdraw(2)),
        ("withdraw = { window_s = 60 }", "", Withdraw(5, 60)),
        ("withdraw = false", "3/40", Withdraw(3, 40)), ("", "off", NEVER),
    ],
)  # fmt: skip
def test_when_a_release_may_be_taken_back(root: Path, line: str, environ: str, policy: Withdraw) -> None:
    """On without a word; either number alone; off; and from the environment."""
    (root / "pyproject.toml").write_text(PYPROJECT.replace("[tool.habanero]", f"[tool.habanero]\n{line}"))
    assert load(Flags(to="staging"), {"HABANERO_WITHDRAW": environ}, root).withdraw == policy


@pytest.mark.parametrize(
    "line",
    ["5", '"5"', "{ errors_per_minute = 0 }", "{ window_s = 0.5 }", "{ errors = 5 }", "[5, 60]", '{ window_s = "1" }'],
)
def test_a_policy_that_cannot_be_used_is_refused(root: Path, line: str) -> None:
    """It names the setting: a policy that is silently another one is found out in production."""
    text = PYPROJECT.replace("[tool.habanero]", f"[tool.habanero]\nwithdraw = {line}")
    error = refused(root, text, Flags(to="staging"))
    assert error.code in ("bad-setting", "unknown-setting") and "withdraw" in error.message
