"""Keys that stay in an ssh-agent: found, used, and every way in which an agent says no."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from agents import FakeAgent, fake_agent, string

from habanero_py import agent as agents
from habanero_py.agent import Agent, AgentSigner
from habanero_py.signing import FileSigner, generate, open_signer
from habanero_receiver.errors import ConfigError
from habanero_receiver.release.keys import PublicKey, verify

SK = b"sk-ssh-ed25519@openssh.com"
CERT = b"ssh-ed25519-cert-v01@openssh.com"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a socket's may have about a hundred letters."""
    with tempfile.TemporaryDirectory(prefix="habanero-") as made:
        yield Path(made)


@pytest.fixture
def agent(folder: Path) -> Iterator[FakeAgent]:
    with fake_agent(folder) as served:
        yield served


def opened(agent: FakeAgent, word: str) -> AgentSigner:
    signer = open_signer(word, {"SSH_AUTH_SOCK": str(agent.path)})
    assert isinstance(signer, AgentSigner)
    return signer


def refused(word: str, **environ: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        open_signer(word, environ)
    assert caught.value.help
    return caught.value


def pub(folder: Path, text: str) -> str:
    (folder / "ana.pub").write_text(text)
    return str(folder / "ana.pub")


def test_a_fingerprint_or_a_public_file_names_a_key_in_the_agent(agent: FakeAgent, folder: Path) -> None:
    """Both sign by the key in the agent, with the comment that is there; the private key is nowhere here."""
    agent.add()
    key = agent.add()
    for word in (key.keyid, pub(folder, key.openssh() + "\n")):
        signer = opened(agent, word)
        assert signer.public == key
        assert verify(key, signer.sign(b"release"), b"release")


def test_a_path_to_a_private_key_needs_no_agent(tmp_path: Path) -> None:
    """The agent is asked only when it is named."""
    key = generate(tmp_path / "k", "ana@laptop")
    signer = open_signer(str(tmp_path / "k"), {})
    assert isinstance(signer, FileSigner)
    assert signer.public == key


def test_without_an_agent_the_error_says_how_to_start_one(folder: Path) -> None:
    """No variable, a socket that is gone, a path that is no socket, or one that is too long for one."""
    word = "SHA256:" + "A" * 43
    assert refused(word).code == "agent-missing"
    assert refused(word, SSH_AUTH_SOCK=str(folder / "gone")).code == "agent-missing"
    (folder / "file").write_text("")
    assert refused(word, SSH_AUTH_SOCK=str(folder / "file")).code == "agent-missing"
    assert refused(word, SSH_AUTH_SOCK="/" + "x" * 300).code == "agent-missing"


def test_a_key_that_the_agent_does_not_hold_is_told_with_what_it_holds(agent: FakeAgent, folder: Path) -> None:
    """So is a locked agent, which says of itself that it is empty."""
    key = agent.add()
    other = generate(folder / "other", "ana@laptop")
    error = refused(str(folder / "other.pub"), SSH_AUTH_SOCK=str(agent.path))
    assert (error.code, error.subject) == ("agent-key", other.keyid)
    assert key.keyid in error.message
    assert f"ssh-add {folder / 'other'}" in error.help
    agent.locked = True
    error = refused(key.keyid, SSH_AUTH_SOCK=str(agent.path))
    assert "locked" in error.message and "ssh-add -X" in error.help


def test_a_person_who_says_no_and_a_lock_are_a_refusal(agent: FakeAgent) -> None:
    """An agent that asks before it signs is waited for; its no is an error, and nothing was signed."""
    signer = opened(agent, agent.add().keyid)
    agent.confirms = False
    with pytest.raises(ConfigError) as caught:
        signer.sign(b"release")
    assert caught.value.code == "agent-refused"
    agent.confirms, agent.locked = True, True
    with pytest.raises(ConfigError) as caught:
        signer.sign(b"release")
    assert caught.value.code == "agent-refused"


def test_a_signature_of_something_else_is_not_believed(agent: FakeAgent) -> None:
    """What comes out of the socket is verified before it goes anywhere."""
    signer = opened(agent, agent.add().keyid)
    agent.lies = True
    with pytest.raises(ConfigError) as caught:
        signer.sign(b"release")
    assert caught.value.code == "agent-answer"


@pytest.mark.parametrize(
    "raw",
    [
        string(b"\x0d"),
        string(b"\x0c"),
        string(b"\x0c\0\0\0\x01"),
        string(b"\x0c\0\0\0\x01\xff\xff\xff\xff"),
        string(b"\x0c\xff\xff\xff\xff"),
        string(b"\x0c\0\0\0\x01" + string(b"\0\0") + string(b"")),
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
    ],
)
def test_an_answer_that_is_none_is_an_error(agent: FakeAgent, raw: bytes) -> None:
    """Another message, a cut one, lengths that lie: told, never a crash and never endless memory."""
    agent.raw = [raw]
    assert refused("SHA256:" + "A" * 43, SSH_AUTH_SOCK=str(agent.path)).code == "agent-answer"


@pytest.mark.parametrize("raw", [b"", b"\0\0", b"\0\0\1\0\x0c"])
def test_an_agent_that_hangs_up_is_told(agent: FakeAgent, raw: bytes) -> None:
    """In the middle of an answer, or before it."""
    agent.raw = [raw]
    assert refused("SHA256:" + "A" * 43, SSH_AUTH_SOCK=str(agent.path)).code == "agent-missing"


def test_an_agent_that_does_not_answer_is_not_waited_for_for_ever(
    agent: FakeAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both requests have their time."""
    key = agent.add()
    agent.silent = threading.Event()
    monkeypatch.setattr(agents, "ASK_TIMEOUT_S", 0.05)
    assert refused(key.keyid, SSH_AUTH_SOCK=str(agent.path)).code == "agent-answer"
    signer = AgentSigner(key, Agent(str(agent.path), sign_timeout_s=0.05))
    with pytest.raises(ConfigError, match=r"0\.05 s"):
        signer.sign(b"release")


@pytest.mark.parametrize("kind", [SK, CERT, b"ssh-rsa", b"ecdsa-sha2-nistp256"])
def test_security_keys_and_certificates_in_the_agent_are_never_plain_keys(agent: FakeAgent, kind: bytes) -> None:
    """Recognised by the type inside, also beside the plain key that a certificate certifies; refused with help."""
    raw = bytes(range(32))
    blob = string(kind) + string(raw) + string(b"ssh:")
    agent.others.append((blob, b"token"))
    identity = agents.Identity(kind.decode(), blob, "token")
    error = refused(identity.keyid, SSH_AUTH_SOCK=str(agent.path))
    assert error.code == "key-type"
    assert "ssh-keygen -t ed25519" in error.help
    plain = PublicKey(raw)
    error = refused(plain.keyid, SSH_AUTH_SOCK=str(agent.path))
    assert error.code == "agent-key"
    assert kind.decode() in error.message
    assert agent.asked.count(13) == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{SK.decode()} AAAA ana", "key-type"),
        (f"{CERT.decode()} AAAA ana", "key-type"),
        ("ssh-ed25519 AAAA ana", "key-line"),
        ("", "key-type"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----", "key-type"),
    ],
)
def test_a_public_file_that_names_no_plain_key_is_refused(
    agent: FakeAgent, folder: Path, text: str, code: str
) -> None:
    """Before the agent is asked for anything."""
    assert refused(pub(folder, text), SSH_AUTH_SOCK=str(agent.path)).code == code
    assert agent.asked == []


def test_a_name_that_is_nothing_is_told(agent: FakeAgent, folder: Path) -> None:
    """A .pub file that is not there, a fingerprint with a letter missing."""
    assert refused(str(folder / "none.pub"), SSH_AUTH_SOCK=str(agent.path)).code == "key-missing"
    assert refused("SHA256:short", SSH_AUTH_SOCK=str(agent.path)).code == "bad-setting"


@pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("ssh-agent", "ssh-add", "ssh-keygen")),
    reason="openssh-client is not installed here; the agent in this process was tested",
)
def test_the_agent_of_openssh(folder: Path) -> None:
    """The real one: a key with a passphrase is added once, signs, is locked, unlocked and taken out again."""
    path, sock = folder / "id", folder / "sock"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ana@desk", "-f", path], check=True)
    environ = {"PATH": os.environ["PATH"], "SSH_AUTH_SOCK": str(sock)}
    process = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
    try:
        _until_listening(sock)
        error = refused(f"{path}.pub", **environ)
        assert error.code == "agent-key" and "empty" in error.message
        subprocess.run(["ssh-add", "-q", path], env=environ, check=True)
        path.unlink()
        signer = open_signer(f"{path}.pub", environ)
        assert signer.public.comment == "ana@desk"
        assert verify(signer.public, signer.sign(b"release"), b"release")
        assert open_signer(signer.public.keyid, environ).public == signer.public
        subprocess.run(["ssh-add", "-q", "-D"], env=environ, check=True, stderr=subprocess.DEVNULL)
        with pytest.raises(ConfigError) as caught:
            signer.sign(b"release")
        assert caught.value.code == "agent-refused"
    finally:
        process.terminate()
        process.wait(10)
    assert refused(f"{path}.pub", **environ).code == "agent-missing"


def _until_listening(path: Path) -> None:
    for _ in range(1000):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(5)
            try:
                probe.connect(str(path))
            except OSError:
                threading.Event().wait(0.01)
            else:
                return
    raise AssertionError("the agent did not start")


def test_the_public_half_says_who_signs(agent: FakeAgent) -> None:
    """The comment becomes the author's name, in letters that a line of trusted keys can hold."""
    key = agent.add()
    agent.others.append((string(b"ssh-ed25519") + string(bytes(32)), b"ana \x1b[2J of the \xff hills"))
    held = Agent(str(agent.path)).identities()
    assert held[1].public() == key._replace(comment="ana@agent")
    assert held[0].comment.isprintable() and " " not in held[0].comment
