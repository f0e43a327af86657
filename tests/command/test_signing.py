"""Private keys: what is taken, what is refused, and that they stay where they are."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from habanero_py.signing import generate, load_signer, whoami
from habanero_receiver.errors import ConfigError
from habanero_receiver.release.keys import verify

needs_ssh_keygen = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="no ssh-keygen")


def refused(path: Path, ask=None) -> ConfigError:
    with pytest.raises(ConfigError) as error:
        load_signer(path, ask)
    return error.value


def keygen(path: Path, *words: str) -> Path:
    subprocess.run(["ssh-keygen", "-q", "-f", path, "-C", "ana@desk", *words], check=True, stdin=subprocess.DEVNULL)
    return path


def test_a_made_key_signs_what_its_public_half_verifies(tmp_path: Path) -> None:
    """Mode 0600 from the first moment, .pub beside it with the comment."""
    public = generate(tmp_path / "new" / "k", "ana@laptop")
    signer = load_signer(tmp_path / "new" / "k")
    assert signer.public == public
    assert verify(public, signer.sign(b"text"), b"text")
    assert stat.S_IMODE((tmp_path / "new" / "k").stat().st_mode) == 0o600
    assert (tmp_path / "new" / "k.pub").read_text() == public.openssh() + "\n"
    assert public.openssh().endswith(" ana@laptop")


def test_a_key_is_never_replaced(tmp_path: Path) -> None:
    """The old bytes stay; a link that is in the way is not followed either."""
    generate(tmp_path / "k", "one")
    before = (tmp_path / "k").read_bytes()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for path in (tmp_path / "k", tmp_path / "link"):
        with pytest.raises(ConfigError) as error:
            generate(path, "two")
        assert error.value.code == "key-exists"
    assert (tmp_path / "k").read_bytes() == before
    assert not (tmp_path / "elsewhere").exists()


@needs_ssh_keygen
def test_a_key_of_ssh_keygen_is_taken(tmp_path: Path) -> None:
    """With the fingerprint that ssh-keygen shows for it."""
    path = keygen(tmp_path / "k", "-t", "ed25519", "-N", "")
    signer = load_signer(path)
    shown = subprocess.run(["ssh-keygen", "-l", "-f", path], check=True, capture_output=True, text=True).stdout
    assert signer.public.keyid in shown
    assert signer.public.comment == "ana@desk"


@needs_ssh_keygen
def test_a_passphrase_is_asked_for(tmp_path: Path) -> None:
    """Up to three times; a right one opens the key."""
    path = keygen(tmp_path / "k", "-t", "ed25519", "-N", "open sesame", "-a", "1")
    answers = iter(["", "wrong", "open sesame"])
    assert load_signer(path, lambda asked: next(answers)).public.comment == "ana@desk"
    assert refused(path, lambda asked: "wrong").code == "key-encrypted"


def test_without_a_terminal_a_passphrase_is_an_error(tmp_path: Path) -> None:
    """Nobody is asked where nobody is."""
    generate(tmp_path / "k", "x", passphrase="secret")
    error = refused(tmp_path / "k")
    assert error.code == "key-encrypted"
    assert error.help


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_a_key_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    """As ssh does, with the command that mends it."""
    generate(tmp_path / "k", "x")
    (tmp_path / "k").chmod(mode)
    error = refused(tmp_path / "k")
    assert (error.code, error.help) == ("key-permissions", f"chmod 600 {tmp_path / 'k'}")


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    """RSA in OpenSSH's format, named by its type."""
    key = rsa.generate_private_key(65537, 2048)
    path = tmp_path / "k"
    path.touch(0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    error = refused(path)
    assert error.code == "key-type"
    assert "ssh-rsa" in error.message


def test_a_security_key_is_not_taken_for_a_plain_one(tmp_path: Path) -> None:
    """The type word inside the file decides before the library is asked."""
    kind = b"sk-ssh-ed25519@openssh.com"
    path = write_blob(tmp_path, kind, b"none")
    error = refused(path)
    assert error.code == "key-type"
    assert "sk-ssh-ed25519@openssh.com" in error.message


def test_files_that_are_no_keys(tmp_path: Path) -> None:
    """Each says what is wrong: missing, a folder, a pipe, text, the public half, cut short."""
    assert refused(tmp_path / "missing").code == "key-missing"
    assert refused(tmp_path).code == "key-unreadable"
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert refused(tmp_path / "pipe").code == "key-unreadable"
    generate(tmp_path / "k", "x")
    (tmp_path / "k.pub").chmod(0o600)
    assert refused(tmp_path / "k.pub").code == "key-type"
    text = (tmp_path / "k").read_text().splitlines()
    (tmp_path / "k").write_text("\n".join([text[0], text[1][:40], text[-1]]))
    assert refused(tmp_path / "k").code == "key-unreadable"


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    """A right header over a wrong body."""
    error = refused(write_blob(tmp_path, b"ssh-ed25519", b"none"))
    assert error.code == "key-unreadable"


def test_a_signer_does_not_show_its_key(tmp_path: Path) -> None:
    """Not in a traceback, not in a log."""
    generate(tmp_path / "k", "x")
    signer = load_signer(tmp_path / "k")
    assert repr(signer) == f"FileSigner({signer.public.keyid})"


def test_whoami_is_one_word() -> None:
    """It stands in a line of trusted keys."""
    assert len(whoami().split()) == 1
    assert whoami().isprintable()


def write_blob(folder: Path, kind: bytes, cipher: bytes) -> Path:
    """An OpenSSH private key file with a right header and nothing behind it."""
    import base64

    def string(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    blob = b"openssh-key-v1\0" + string(cipher) + string(b"none") + string(b"") + b"\0\0\0\1"
    blob += string(string(kind) + string(bytes(32))) + string(bytes(64))
    path = folder / "blob"
    path.touch(0o600)
    path.write_bytes(
        b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + base64.encodebytes(blob) + b"-----END OPENSSH PRIVATE KEY-----\n"
    )
    return path
