"""`init`: what is written where, and that nothing a person wrote is lost."""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path

import pytest
from agents import fake_agent

from habanero_py.init import EMBED, Plan, initialise, project_name
from habanero_py.pyproject import appended
from habanero_py.signing import generate, load_signer
from habanero_receiver.config import ReceiverConfig
from habanero_receiver.errors import ConfigError
from habanero_receiver.release.keys import parse_allowed_signers

HAND_WRITTEN = """# the shop
[project]
name = "My_Shop"    # aligned
dependencies = [
    "fastapi",      # web
]

[tool.ruff]
line-length = 100
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "shop").mkdir(parents=True)
    (root / "shop/__init__.py").write_text("")
    (root / "pyproject.toml").write_text(HAND_WRITTEN)
    return root


def plan(root: Path, **changes: object) -> Plan:
    facts = {
        "name": "production", "app": "shop", "url": "https://shop.example.com/_habanero", "watch": ("shop",),
        "gate": ("pytest", "-q"), "modules": ("shop",),
    }  # fmt: skip
    return Plan(root=root, **(facts | changes))  # type: ignore[arg-type]


def run(root: Path, **changes: object):
    return initialise(plan(root, **changes), {"XDG_CONFIG_HOME": str(root.parent / "config")})


def test_what_was_there_stays_byte_for_byte(root: Path) -> None:
    """The tables are added behind it, and mean what was asked for."""
    run(root)
    text = (root / "pyproject.toml").read_text()
    assert text.startswith(HAND_WRITTEN)
    table = tomllib.loads(text)["tool"]["habanero"]
    assert table["watch"] == ["shop"]
    assert table["gate"] == ["pytest", "-q"]
    assert table["targets"]["production"]["url"] == "https://shop.example.com/_habanero"


def test_the_servers_lines_are_a_working_configuration(root: Path) -> None:
    """The receiver reads them, and trusts exactly the key that was made."""
    done = run(root)
    environ = dict(done.server) | {"HABANERO_ROOT": str(root)}
    config = ReceiverConfig.from_env(environ, root)
    assert config is not None
    assert config.target == done.target
    signer = load_signer(root.parent / "config/habanero/shop-production.key")
    assert [trusted.key.raw for trusted in config.keys] == [signer.public.raw]
    assert config.top_level == ("shop",)
    assert tuple(done.embed) == EMBED


def test_no_part_of_the_private_key_is_in_what_is_told(root: Path) -> None:
    """Not in the event, so not on the terminal and not in --json."""
    done = run(root)
    body = (root.parent / "config/habanero/shop-production.key").read_text().splitlines()[1:-1]
    told = json.dumps(done.to_json())
    assert not any(line in told for line in body)
    assert "PRIVATE" not in told


def test_a_second_target_is_added(root: Path) -> None:
    """[tool.habanero] is not written again; each target has an id of its own."""
    first = run(root)
    second = run(root, name="staging", url="https://staging.example.com/_habanero", confirm=True)
    table = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["habanero"]
    assert table["targets"]["production"]["target"] == first.target
    assert table["targets"]["staging"]["target"] == second.target
    assert table["targets"]["staging"]["confirm"] is True
    assert first.target != second.target


def test_a_target_that_exists_is_not_touched(root: Path) -> None:
    """No table, no key."""
    run(root)
    before = (root / "pyproject.toml").read_bytes()
    keys = sorted((root.parent / "config/habanero").iterdir())
    with pytest.raises(ConfigError) as error:
        run(root)
    assert error.value.code == "target-exists"
    assert (root / "pyproject.toml").read_bytes() == before
    assert sorted((root.parent / "config/habanero").iterdir()) == keys


def test_the_users_own_key_is_taken(root: Path, tmp_path: Path) -> None:
    """It is named in the settings and not copied; no key is made."""
    public = generate(tmp_path / "mine", "ana@desk")
    done = run(root, key=str(tmp_path / "mine"))
    assert not done.made_key
    assert done.keyid == public.keyid
    [trusted] = parse_allowed_signers(done.server["HABANERO_TRUSTED_KEYS"])
    assert trusted.principal == "ana@desk"
    assert not (tmp_path / "config").exists()


def test_a_key_in_the_agent_is_taken(root: Path) -> None:
    """By its fingerprint, which is what the settings then say; nothing of a key is on the disk."""
    with tempfile.TemporaryDirectory(prefix="habanero-") as short, fake_agent(Path(short)) as agent:
        key = agent.add()
        environ = {"XDG_CONFIG_HOME": str(root.parent / "config"), "SSH_AUTH_SOCK": str(agent.path)}
        done = initialise(plan(root, key=key.keyid), environ)
    assert (done.key, done.keyid, done.made_key) == (key.keyid, key.keyid, False)
    assert f'key = "{key.keyid}"' in (root / "pyproject.toml").read_text()
    assert done.server["HABANERO_TRUSTED_KEYS"].startswith("ana@agent ssh-ed25519 ")
    assert not (root.parent / "config").exists()


def test_what_is_wrong_is_found_before_anything_is_written(root: Path, tmp_path: Path) -> None:
    """Address, names, key: the project is as before and no key was made."""
    for changes, code in (
        ({"url": "http://shop.example.com"}, "insecure-url"),
        ({"name": "Bad Name"}, "bad-name"),
        ({"app": "../x"}, "bad-name"),
        ({"key": str(tmp_path / "missing")}, "key-missing"),
    ):
        with pytest.raises(ConfigError) as error:
            run(root, **changes)
        assert error.value.code == code
    assert (root / "pyproject.toml").read_text() == HAND_WRITTEN
    assert not (tmp_path / "config").exists()


def test_a_project_without_pyproject_gets_one(tmp_path: Path) -> None:
    """With our tables alone."""
    run(tmp_path)
    assert set(tomllib.loads((tmp_path / "pyproject.toml").read_text())) == {"tool"}


@pytest.mark.parametrize(
    "text", ["[tool]\nhabanero = {watch = []}\n", "tool = {}\n", "[tool.habanero]\ntargets = {}\n", "[tool.habanero"]
)
def test_a_form_that_cannot_be_added_to_is_left_alone(text: str) -> None:
    """Refused with help, since the text that would come of it means something else."""
    with pytest.raises(ConfigError):
        appended(text, {("tool", "habanero", "targets", "a"): {"url": "x"}})


@pytest.mark.parametrize(
    "before", ["", "x = 1", "x = 1\n", "x = 1\r\n", "[tool.habanero]\nwatch = []\n", "[[a]]\nb = 1\n"]
)
def test_every_other_form_can_be_added_to(before: str) -> None:
    """The values survive quoting, and line ends are the file's own."""
    values = {"url": 'a"b\\c\n\x7f é', "on": True, "list": ["x", "y z"]}
    text = appended(before, {("tool", "habanero", "targets", "a.b"): values})
    assert text.startswith(before)
    assert tomllib.loads(text)["tool"]["habanero"]["targets"]["a.b"] == values
    assert ("\r\n" in text) == ("\r\n" in before)


def test_the_name_of_the_project_becomes_that_of_the_app(root: Path, tmp_path: Path) -> None:
    """In letters that a target can hold; without a name, the folder's."""
    assert project_name(root) == "my-shop"
    (tmp_path / "Some Folder").mkdir()
    assert project_name(tmp_path / "Some Folder") == "some-folder"
