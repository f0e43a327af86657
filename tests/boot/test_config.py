"""The receiver's settings: what each may be, and that nothing is guessed about trust."""

from __future__ import annotations

import sys

import pytest
from deployment import TARGET, Deployment, Key

from habanero_receiver.config import ReceiverConfig, child_environment
from habanero_receiver.errors import CODES, ConfigError


@pytest.fixture
def app(tmp_path):
    return Deployment(tmp_path, {"shop/__init__.py": "", "lib.py": ""})


def config(app: Deployment, **settings: str) -> ReceiverConfig:
    found = ReceiverConfig.from_env(app.environ(**settings), app.root)
    assert found is not None
    return found


def refused(app: Deployment, **settings: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        ReceiverConfig.from_env(app.environ(**settings), app.root)
    assert caught.value.code in CODES
    assert CODES[caught.value.code].exit == 2
    return caught.value


def test_the_defaults(app):
    """What nobody sets: one signature, the folder's own bucket, start on the base, this machine's name."""
    found = config(app, HABANERO_BUCKET="", FLY_MACHINE_ID="")
    assert (found.app, found.environment, found.target) == ("shop", "test", TARGET)
    assert (found.threshold, found.revoked, found.boot) == (1, frozenset(), "base")
    assert found.bucket == f"file://{app.root}/.habanero/bucket"
    assert found.root == app.root
    assert found.top_level == ("shop",)
    assert found.instance
    policy = found.policy()
    assert (policy.keys, policy.target, policy.allowed_modules) == (found.keys, TARGET, {"shop"})


@pytest.mark.parametrize("keys", [{}, {"HABANERO_TRUSTED_KEYS": "  \n"}])
def test_without_trusted_keys_there_is_no_configuration(app, keys):
    """Off; whatever else is set, right or wrong, is not even looked at."""
    environ = {"HABANERO_TARGET": "nonsense", "HABANERO_BOOT": "nonsense", **keys}
    assert ReceiverConfig.from_env(environ, app.root) is None


@pytest.mark.parametrize(
    "target",
    ["", "shop", "shop/production", "shop#1", "/x#1", "shop/../etc#1", "a/b#c/d", "shop/test#1\n", "shóp/test#1"],
)
def test_a_target_names_app_environment_and_deployment(app, target):
    """Two of the three become folders of the bucket: nothing else than plain words."""
    assert refused(app, HABANERO_TARGET=target).subject == "HABANERO_TARGET"


def test_trusted_keys_from_a_file(app):
    """The file is found relative to the folder of the start."""
    app.write("keys", app.key.line).chmod(0o600)
    found = config(app, HABANERO_TRUSTED_KEYS="", HABANERO_TRUSTED_KEYS_FILE="keys")
    assert [key.key.keyid for key in found.keys] == [app.key.public.keyid]


def test_a_trust_file_that_anybody_can_write_is_refused(app):
    """Writable for others, or in a folder where others can put another in its place: no start."""
    file = app.write("trust/keys", app.key.line)
    only_file = {"HABANERO_TRUSTED_KEYS": "", "HABANERO_TRUSTED_KEYS_FILE": str(file)}
    file.chmod(0o602)
    assert "chmod go-w" in refused(app, **only_file).help
    file.chmod(0o620)
    assert "chmod go-w" in refused(app, **only_file).help
    file.chmod(0o600)
    file.parent.chmod(0o707)
    assert refused(app, **only_file).code == "trust-file"
    file.parent.chmod(0o1707)  # sticky, as /tmp is: others cannot replace what is not theirs
    assert config(app, **only_file)


def test_a_trust_file_that_cannot_be_read_is_refused(app):
    """Named and not there, a folder, or not text: never the same as naming none."""
    app.write("keys", "")
    (app.root / "keys").write_bytes(b"\xff\xfe")
    for name in ("nowhere", "shop", "keys"):
        assert refused(app, HABANERO_TRUSTED_KEYS="", HABANERO_TRUSTED_KEYS_FILE=name).code == "trust-file"


def test_a_trust_file_without_a_key_is_refused(app):
    """An empty list where a list is named is a mistake, not a wish to be off."""
    app.write("keys", "# nobody yet\n").chmod(0o600)
    assert refused(app, HABANERO_TRUSTED_KEYS="", HABANERO_TRUSTED_KEYS_FILE="keys").code == "bad-setting"


def test_two_sources_of_trust_are_refused(app):
    """Which of them counts is not for us to choose."""
    app.write("keys", app.key.line)
    assert "both" in refused(app, HABANERO_TRUSTED_KEYS_FILE="keys").message


def test_a_key_listed_twice_is_refused(app):
    """It would count twice in a reader's mind, and once here."""
    refused(app, HABANERO_TRUSTED_KEYS=f"{app.key.line}\nben {app.key.public.openssh()}")


@pytest.mark.parametrize("threshold", ["0", "-1", "2", "one", "1.0", "١", "9999"])
def test_a_threshold_that_cannot_be_met_is_refused(app, threshold):
    """Nothing could ever be pushed; that is found out now and not at the first push."""
    assert refused(app, HABANERO_THRESHOLD=threshold).code == "threshold"


def test_revoked_keys_do_not_count_for_the_threshold(app):
    """Two keys, one of them revoked: two signatures cannot come together."""
    keys = f"{app.key.line}\n{Key('ben').line}"
    assert config(app, HABANERO_TRUSTED_KEYS=keys, HABANERO_THRESHOLD="2").threshold == 2
    revoked = {"HABANERO_REVOKED_KEYS": f" {app.key.public.keyid}, "}
    assert config(app, HABANERO_TRUSTED_KEYS=keys, **revoked).revoked == {app.key.public.keyid}
    assert refused(app, HABANERO_TRUSTED_KEYS=keys, HABANERO_THRESHOLD="2", **revoked).code == "threshold"


@pytest.mark.parametrize("word", ["ana", "SHA256:short", "sha256:" + "A" * 43])
def test_a_revoked_key_that_is_no_fingerprint_is_refused(app, word):
    """A misspelt revocation revokes nothing, silently; so it is not accepted."""
    assert refused(app, HABANERO_REVOKED_KEYS=word).subject == "HABANERO_REVOKED_KEYS"


def test_packages_come_from_pyproject(app):
    """`watch` holds folders and single modules; where they lie is the root."""
    app.write("src/shop/__init__.py", "")
    app.write("src/extra.py", "")
    app.write("pyproject.toml", '[tool.habanero]\nwatch = ["src/shop/", "./src/extra.py"]\n')
    found = config(app, HABANERO_MODULES="")
    assert found.top_level == ("extra", "shop")
    assert found.root == app.root / "src"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[tool.habanero]\nwatch = []",
        "[tool]\nhabanero = 1",
        "[tool.habanero]\nwatch = 'shop'",
        "[tool.habanero]\nwatch = [1]",
        "not toml",
        "[tool.habanero]\nwatch = ['src/a-b']",
    ],
)
def test_without_packages_there_is_no_start(app, text):
    """What a release may replace is listed, and never everything."""
    app.write("pyproject.toml", text)
    refused(app, HABANERO_MODULES="")
    (app.root / "pyproject.toml").unlink()
    refused(app, HABANERO_MODULES="")


@pytest.mark.parametrize("words", ["../shop", "src/shop", "shop.cart", "a-b"])
def test_packages_are_top_level_names(app, words):
    """Names, not paths and not parts of packages."""
    refused(app, HABANERO_MODULES=words)


def test_the_root_is_where_an_import_would_look(app, tmp_path, monkeypatch):
    """Said, else on sys.path, else in the folder; a root without the packages is refused."""
    installed = Deployment(tmp_path / "installed", {"shop/__init__.py": ""})
    monkeypatch.setattr(sys, "path", [str(tmp_path / "nowhere"), str(installed.root), *sys.path])
    assert config(app).root == installed.root
    assert config(app, HABANERO_ROOT=".").root == app.root
    assert config(app, HABANERO_ROOT=str(app.root)).root == app.root
    assert refused(app, HABANERO_ROOT=str(tmp_path)).subject == "HABANERO_ROOT"
    assert refused(app, HABANERO_MODULES="shop,not_there_at_all").subject == "HABANERO_ROOT"


@pytest.mark.parametrize(
    ("name", "value"), [("HABANERO_BOOT", "yes"), ("HABANERO_INSTANCE", "../x"), ("HABANERO_INSTANCE", "a b")]
)
def test_words_that_mean_nothing_are_refused(app, name, value):
    """A setting that is ignored is a setting that somebody relies on."""
    assert refused(app, **{name: value}).subject == name


def test_the_machine_has_a_name(app):
    """Said, else Fly's, else the host's."""
    assert config(app, HABANERO_INSTANCE="web-1", FLY_MACHINE_ID="e784").instance == "web-1"
    assert config(app, FLY_MACHINE_ID="e784").instance == "e784"


def test_the_environment_of_a_child_gives_the_same_configuration(app, tmp_path):
    """Wherever the child starts: same keys, base, bucket and packages."""
    app.write("keys", app.key.line).chmod(0o600)
    environ = app.environ(
        HABANERO_TRUSTED_KEYS="", HABANERO_TRUSTED_KEYS_FILE=str(app.root / "keys"), HABANERO_BUCKET=""
    )
    ours = ReceiverConfig.from_env(environ, app.root)
    assert ours is not None
    assert ReceiverConfig.from_env({**environ, **child_environment(ours, environ)}, tmp_path) == ours
