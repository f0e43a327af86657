"""Answers in two parts, over real sockets."""

from __future__ import annotations

import socket
import threading

import httpx
import pytest

from habanero_py.acknowledge import QUICK, Acknowledging

ANSWER = (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"ok")


@pytest.fixture
def address():
    """A server for one connection that sends head and body of each answer by themselves."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                while connection.recv(65_536):
                    for part in ANSWER:
                        connection.sendall(part)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        thread.join(10)
    assert not thread.is_alive()


@pytest.mark.skipif(QUICK is None, reason="this system has no TCP_QUICKACK")
def test_each_answer_is_acknowledged_at_once(address, monkeypatch):
    """The kernel is told before every answer of a connection, since it forgets: the first, and those that follow."""
    told: list[tuple[object, ...]] = []
    real = socket.socket.setsockopt

    def setsockopt(self: socket.socket, *words: int) -> None:
        told.append(words)
        real(self, *words)

    trace = Acknowledging()
    with httpx.Client(trust_env=False) as client:
        monkeypatch.setattr(socket.socket, "setsockopt", setsockopt)
        for count in (1, 2, 3):
            assert client.get(address, extensions={"trace": trace}).content == b"ok"
            assert told.count((socket.IPPROTO_TCP, QUICK, 1)) == count


def test_what_has_no_socket_or_has_lost_it_is_no_error():
    """Another transport, an unknown event, a closed socket: a request must not fail for the sake of speed."""
    trace = Acknowledging()
    trace("http11.receive_response_headers.started", {})
    trace("connection.connect_tcp.complete", {"return_value": object()})
    trace("http11.receive_response_headers.started", {})

    class Stream:
        def get_extra_info(self, _: str) -> socket.socket:
            closed = socket.socket()
            closed.close()
            return closed

    trace("connection.start_tls.complete", {"return_value": Stream()})
    trace("http11.receive_response_headers.started", {})
