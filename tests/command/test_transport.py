"""How the command talks to a server: no redirect is followed, and no certificate is taken on trust."""

from __future__ import annotations

import ast
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import habanero_py
import habanero_receiver
from habanero_py.client import Server
from habanero_py.signing import generate, load_signer
from habanero_receiver.errors import HabaneroError


@contextmanager
def serving(status: int, location: str, context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[str]]]:
    """A server that answers everything so; gives its port, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    generate(tmp_path / "ana.key", "ana@laptop")
    return tmp_path / "ana.key"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(key: Path, status: int) -> None:
    """Neither a push nor a signed header is carried to another place, on this host or on another."""
    with serving(200, "") as (elsewhere, reached), serving(status, f"http://127.0.0.1:{elsewhere}/x") as (port, asked):
        with Server(f"http://127.0.0.1:{port}/_habanero", "shop/test#1", load_signer(key, None)) as server:
            for ask in (server.state, lambda: server.push(b"HABPUSH1")):
                with pytest.raises(HabaneroError):
                    ask()
        assert len(asked) == 2 and reached == []


def test_an_unknown_certificate_is_refused(key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate that nobody vouches for ends the connection, whatever the environment says; nothing was sent."""
    for name in ("PYTHONHTTPSVERIFY", "SSL_NO_VERIFY", "NODE_TLS_REJECT_UNAUTHORIZED", "GIT_SSL_NO_VERIFY"):
        monkeypatch.setenv(name, "0")
    for name in ("CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
    certificate, private = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, private)
    with serving(404, "", context) as (port, asked):
        url = f"https://127.0.0.1:{port}/_habanero"
        with Server(url, "shop/test#1", load_signer(key, None)) as server, pytest.raises(HabaneroError) as caught:
            server.state()
        assert caught.value.code == "unreachable" and "certificate" in caught.value.message.lower() and asked == []


def self_signed(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that nobody signed but itself."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    builder = builder.add_extension(names, critical=False)
    made = builder.sign(private, hashes.SHA256())
    (folder / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "cert.pem", folder / "key.pem"


def test_nothing_in_the_sources_turns_the_check_off() -> None:
    """No `verify=False`, no context without a check, no following of redirects, in either package."""
    for package in (habanero_py, habanero_receiver):
        for file in Path(package.__path__[0]).rglob("*.py"):
            text = file.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.keyword) and node.arg in ("verify", "verify_ssl", "follow_redirects"):
                    raise AssertionError(f"{file}: {ast.unparse(node)}")
            for word in ("_create_unverified_context", "CERT_NONE", "check_hostname", "allow_invalid_certificates"):
                assert word not in text, f"{file}: {word}"
