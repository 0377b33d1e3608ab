"""The server of the page as a stage: what it does where it cannot serve, and with clients that mean no good."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager

import httpx
import pytest

from pipeline import web_server
from pipeline.access import Access, Message, Receive, Scope, Send
from pipeline.clock import SystemClock
from pipeline.web_server import RETRY_S, WebServer
from tests.serving import free_port


async def hello(_: Scope, __: Receive, send: Send) -> None:
    head: Message = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]}
    await send(head)
    await send({"type": "http.response.body", "body": b"hello"})


def server(port: int, host: str = "127.0.0.1", *, has_token: bool = False) -> WebServer:
    looks: list[float] = []
    return WebServer(lambda: Access(hello), host, port, SystemClock(), has_token=has_token, look=looks.append)


@contextmanager
def stopped(one: WebServer) -> Iterator[WebServer]:
    try:
        yield one
    finally:
        one.stop()
        one.join(5)


def test_port_in_use_is_told_with_its_remedy_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    with stopped(server(port)) as one:
        with closing(socket.create_server(("127.0.0.1", port))):
            assert one.step(0) == RETRY_S
            assert one.step(RETRY_S) == RETRY_S
        (told,) = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert told.getMessage() == "page not served, logging goes on"
        assert told.facts["port"] == port  # type: ignore[attr-defined]
        assert "LUX_HTTP_PORT" in told.facts["hint"]  # type: ignore[attr-defined]
        assert one.step(2 * RETRY_S) < RETRY_S
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "hello"
    assert "web works again" in caplog.text


def test_address_is_told_and_how_to_open_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    port = free_port()
    with stopped(server(port)) as one:
        one.step(0)
    (told,) = caplog.records
    assert told.facts["url"] == f"http://127.0.0.1:{port}/"  # type: ignore[attr-defined]
    assert "LUX_HTTP_HOST=0.0.0.0" in told.facts["hint"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("has_token", [False, True])
def test_page_that_all_can_see_is_warned_of(caplog: pytest.LogCaptureFixture, has_token: bool) -> None:
    with stopped(server(free_port(), "0.0.0.0", has_token=has_token)) as one:
        one.step(0)
    assert ("anybody in the network can see the page" in caplog.text) is not has_token


def test_server_that_ended_is_started_again() -> None:
    port = free_port()
    with stopped(server(port)) as one:
        one.step(0)
        one.stop()
        one.join(5)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/")
        one.step(1)
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "hello"


def test_client_that_does_not_get_its_request_across_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "_PATIENCE_S", 0.3)
    port = free_port()
    with stopped(server(port)) as one:
        one.step(0)
        with socket.create_connection(("127.0.0.1", port), timeout=8) as silent:
            silent.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ")
            assert silent.recv(100) == b""
        assert httpx.get(f"http://127.0.0.1:{port}/").text == "hello"


def test_head_of_a_request_without_end_is_refused() -> None:
    port = free_port()
    with stopped(server(port)) as one:
        one.step(0)
        with socket.create_connection(("127.0.0.1", port), timeout=8) as endless:
            endless.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: " + b"x" * 100_000)
            assert endless.recv(4096).startswith(b"HTTP/1.1 400")
