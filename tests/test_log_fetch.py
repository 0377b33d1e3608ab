"""Fetching the controller's log from real servers that do what servers can do."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.errors import LogFetchError
from pipeline.log_fetch import LogServer
from pipeline.processlog import MOST_BYTES
from tests.serving import free_port

CONTENT = bytes(range(256)) * 1000


@contextmanager
def web(answer: Callable[[BaseHTTPRequestHandler], object]) -> Iterator[tuple[int, list[str]]]:
    """A web server, its port and the paths that it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
        thread.start()
        try:
            yield server.server_address[1], paths
        finally:
            server.shutdown()
            thread.join()


def whole(handler: BaseHTTPRequestHandler, content: bytes = CONTENT) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    handler.wfile.write(content)


def test_whole_file_is_fetched_and_only_that_path() -> None:
    with web(whole) as (port, paths):
        assert LogServer("127.0.0.1", port).fetch() == CONTENT
    assert paths == ["/NewProc"]


def test_file_without_a_length_ends_with_the_connection() -> None:
    def until_closed(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + CONTENT)

    with web(until_closed) as (port, _):
        assert LogServer("127.0.0.1", port).fetch() == CONTENT


def test_server_that_is_off_is_told_with_the_remedy() -> None:
    with pytest.raises(LogFetchError, match=r"connection refused .*switched on"):
        LogServer("127.0.0.1", free_port()).fetch()


@pytest.mark.parametrize("status", [302, 301, 404, 401, 500])
def test_every_other_answer_is_refused_and_no_redirect_is_followed(status: int) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Location", f"http://127.0.0.1:{port}/other")
        handler.end_headers()

    with web(elsewhere) as (port, paths), pytest.raises(LogFetchError, match=f"answers {status}"):
        LogServer("127.0.0.1", port).fetch()
    assert paths == ["/NewProc"]


def test_torn_file_is_no_file() -> None:
    def torn(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(CONTENT)))
        handler.end_headers()
        handler.wfile.write(CONTENT[:-1])

    with web(torn) as (port, _), pytest.raises(LogFetchError, match="broke off with 1 bytes to come"):
        LogServer("127.0.0.1", port).fetch()


def test_file_that_never_ends_is_given_up_at_its_limit() -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + bytes(2 * MOST_BYTES))

    with web(endless) as (port, _), pytest.raises(LogFetchError, match=f"more than {MOST_BYTES} bytes"):
        LogServer("127.0.0.1", port).fetch()


@contextmanager
def dripping(answer: bytes) -> Iterator[int]:
    """A peer that sends a byte at a time for ever, faster than any limit between two of them."""
    ended = threading.Event()

    def drip(listener: socket.socket) -> None:
        with closing(listener.accept()[0]) as connection:
            at = 0
            while not ended.wait(0.01):
                try:
                    connection.send(answer[at : at + 1] or b"x")
                except OSError:
                    return
                at += 1

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        thread = threading.Thread(target=drip, args=[listener], daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_slow_peer_is_given_up_in_all(answer: bytes) -> None:
    begun = time.monotonic()
    with dripping(answer) as port, pytest.raises(LogFetchError, match=r"no whole file within 0\.5 s"):
        LogServer("127.0.0.1", port, whole_s=0.5).fetch()
    assert time.monotonic() - begun < 3


def test_silent_peer_is_given_up_at_the_limit_of_a_connection() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener, pytest.raises(LogFetchError, match="timed out"):
        LogServer("127.0.0.1", listener.getsockname()[1], connect_s=0.2).fetch()


def test_stop_ends_a_fetch_at_once_and_refuses_later_ones() -> None:
    with dripping(b"HTTP/1.0 200 OK\r\n\r\n") as port:
        server = LogServer("127.0.0.1", port)
        threading.Timer(0.3, server.stop).start()
        begun = time.monotonic()
        with pytest.raises(LogFetchError, match="the logger stops"):
            server.fetch()
        assert time.monotonic() - begun < 3
    with web(whole) as (port, paths):
        server = LogServer("127.0.0.1", port)
        server.stop()
        with pytest.raises(LogFetchError, match="the logger stops"):
            server.fetch()
    assert paths == []
