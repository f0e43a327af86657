"""Trusted keys: which lines are taken, and which stop the start."""

from __future__ import annotations

import base64
import struct
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from forging import ANA, BEN
from hypothesis import given
from hypothesis import strategies as st

from habanero_receiver.errors import CODES, ConfigError
from habanero_receiver.release.keys import PublicKey, parse_allowed_signers, parse_authorized, verify

# Made by ssh-keygen (OpenSSH 9): a key, its fingerprint by `ssh-keygen -lf`, and its certificate's first fields.
LINE = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMuAxxA6d/CbyMDVUuzWpXagKGx8/8TnSV028ADCHmru ana@laptop"
KEYID = "SHA256:zGrv5H8wxghijyjX9Zk1ActbowsP3TWjGB3Y8CE5lM0"
RAW = base64.b64decode(LINE.split()[1])[-32:]
ECDSA = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBG4lcmgDzAtVPnAkBBE5rqHX e"


def wire(*fields: bytes) -> str:
    return base64.b64encode(b"".join(struct.pack(">I", len(each)) + each for each in fields)).decode()


SK_TYPE = "sk-ssh-ed25519@openssh.com"
SK = f"{SK_TYPE} {wire(SK_TYPE.encode(), RAW, b'ssh:')}"


def code_of(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_allowed_signers(text)
    assert caught.value.message.startswith("line ")
    return caught.value.code


def test_a_key_has_openssh_s_fingerprint() -> None:
    """The keyid is what `ssh-keygen -l` prints, so people can compare it."""
    key = parse_authorized(LINE)
    assert (key.raw, key.comment, key.keyid) == (RAW, "ana@laptop", KEYID)
    assert key.openssh() == LINE
    assert PublicKey(RAW).openssh() == LINE.removesuffix(" ana@laptop")


@given(st.binary(min_size=32, max_size=32), st.text("abc@-.", max_size=10))
def test_a_key_is_read_as_it_was_written(raw: bytes, comment: str) -> None:
    """Any 32 bytes and any comment."""
    key = PublicKey(raw, comment)
    assert parse_authorized(key.openssh()) == key


def test_a_signature_of_rfc_8032_verifies() -> None:
    """Test 2 of RFC 8032, and nothing near it."""
    key = PublicKey(bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"))
    sig = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert verify(key, sig, b"\x72")
    assert not verify(key, sig, b"\x73")
    assert not verify(PublicKey(RAW), sig, b"\x72")
    assert not any(verify(key, bad, b"\x72") for bad in (b"", sig[:-1], sig + b"\0", bytes(64), b"\xff" * 64))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=70))
def test_no_bytes_make_verification_raise(raw: bytes, sig: bytes) -> None:
    """Keys that are no points and signatures of any length are just not right."""
    assert verify(PublicKey(raw), sig, b"message") is False


def test_the_library_would_take_a_security_key_for_a_plain_one() -> None:
    """The trap for which the type word is read first; when this fails, the trap is gone."""
    loaded = load_ssh_public_key(SK.encode())
    assert loaded.public_bytes_raw() == RAW  # type: ignore[union-attr]  # an Ed25519PublicKey: that is the trap


@pytest.mark.parametrize(
    "line",
    [
        SK,
        f"ssh-ed25519-cert-v01@openssh.com {wire(b'ssh-ed25519-cert-v01@openssh.com', b'n', RAW)}",
        ECDSA,
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ",
        "ssh-dss AAAA",
        "rsa-sha2-512 AAAA",
    ],
)
def test_other_kinds_of_keys_are_refused_by_their_type_word(line: str) -> None:
    """Security keys and certificates too, although they hold an ed25519 key; the help says what to do."""
    for text in (line, f'namespaces="habanero" {line}'):
        assert code_of(f"ana {text}") == "key-type"
    with pytest.raises(ConfigError) as caught:
        parse_authorized(line)
    assert (caught.value.code, "ssh-keygen -t ed25519" in caught.value.help) == ("key-type", True)


@pytest.mark.parametrize(
    "encoded",
    [
        wire(SK_TYPE.encode(), RAW, b"ssh:"),
        wire(b"ssh-ed25519", RAW[:31]),
        wire(b"ssh-ed25519", RAW + b"\0"),
        wire(b"ssh-ed25519", RAW, b""),
        wire(b"ssh-ed25519"),
        LINE.split()[1].rstrip("=")[:-1],
        LINE.split()[1] + "\u00e9",
        "",
    ],
)
def test_a_damaged_key_is_refused(encoded: str) -> None:
    """What the base64 holds must be exactly one plain ed25519 key, whatever the word before it says."""
    assert code_of(f"ana ssh-ed25519 {encoded}") == "key-line"


def test_a_list_is_read_with_all_that_it_says() -> None:
    """Comments and empty lines are skipped; names, options and comments are kept."""
    first, second = parse_allowed_signers(
        f"# who may push\n\n  ana@laptop {LINE}\r\n"
        f'"ben@desk,ben@train" namespaces="git,habanero",valid-after="20260101Z",valid-before="202701011230Z" '
        f"{BEN.public.openssh()}\n"
    )
    assert (first.principal, first.key.keyid, first.namespaces) == ("ana@laptop", KEYID, ())
    assert (second.principal, second.namespaces) == ("ben@desk,ben@train", ("git", "habanero"))
    assert second.valid_after == datetime(2026, 1, 1, tzinfo=UTC)
    assert second.valid_before == datetime(2027, 1, 1, 12, 30, tzinfo=UTC)
    assert parse_allowed_signers("") == ()


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (LINE, "key-line"),
        ("ana", "key-line"),
        ("ana ssh-ed25519", "key-line"),
        (f"ana one two {LINE}", "key-line"),
        (f'ana namespaces="habanero {LINE}', "key-line"),
        (f'ana namespaces="habanero" " {LINE}', "key-line"),
        (f"ana cert-authority {LINE}", "key-options"),
        (f'ana namespaces="habanero",cert-authority {LINE}', "key-options"),
        (f"ana no-such-option {LINE}", "key-options"),
        (f"ana namespaces {LINE}", "key-options"),
        (f'ana namespaces="" {LINE}', "key-options"),
        (f'ana namespaces="haba*" {LINE}', "key-options"),
        (f'ana namespaces="!git,habanero" {LINE}', "key-options"),
        (f'ana namespaces="git",namespaces="habanero" {LINE}', "key-options"),
        (f'ana valid-before="2027010" {LINE}', "key-options"),
        (f'ana valid-before="2027010112z" {LINE}', "key-options"),
        (f'ana valid-after="20270101Z",valid-before="20270101Z" {LINE}', "key-options"),
        (f"*@laptop {LINE}", "key-line"),
        (f"ana,,ben {LINE}", "key-line"),
        (f'ana valid-before="20271301Z" {LINE}', "key-options"),
        (f'ana valid-before="soon" {LINE}', "key-options"),
        (f"ana {LINE}\nben {LINE} under another name", "key-twice"),
    ],
)
def test_a_line_that_is_not_understood_in_full_stops_the_start(line: str, code: str) -> None:
    """Half of a key's conditions would be a wider key."""
    assert code_of(line) == code


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_a_time_without_z_is_in_the_zone_of_the_machine(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As OpenSSH reads it: with a Z it is UTC, without one local time; a day begins at midnight."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        try:
            [key] = parse_allowed_signers(f'ana valid-after="20260701",valid-before="20260701120000Z" {LINE}')
        finally:
            patch.undo()
            time.tzset()
    assert key.valid_after == datetime(2026, 7, 1, tzinfo=ZoneInfo(zone))
    assert key.valid_before == datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_a_key_is_good_for_its_namespace_and_its_time() -> None:
    """Both ends of a time are exact: the first moment counts, the last does not."""
    start, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    key = ANA.trusted(valid_after=start, valid_before=end)
    assert [key.usable(each) for each in (datetime(2025, 12, 31, tzinfo=UTC), start, end)] == [False, True, False]
    assert ANA.trusted(namespaces=("git", "habanero")).usable(start)
    assert not ANA.trusted(namespaces=("git", "HABANERO")).usable(start)


@given(
    st.text(max_size=200)
    | st.lists(
        st.sampled_from(["ana", " ", '"', LINE, "ssh-ed25519", 'namespaces="', "habanero", ",", "\n", "20260101Z", SK]),
        max_size=8,
    ).map("".join)
)  # fmt: skip
def test_no_text_raises_anything_but_config_errors(text: str) -> None:
    """Whatever is in the environment, the start ends with a message."""
    try:
        keys = parse_allowed_signers(text)
    except ConfigError as error:
        assert error.code in CODES
    else:
        assert len({trusted.key.keyid for trusted in keys}) == len(keys)
