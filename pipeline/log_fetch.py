"""The controller's own log as its web server hands it out: one file, whole or not at all.

The server stands apart from the port that is polled, so fetching does not compete with a poll. It has other files too;
only this one is ever asked for.
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipeline.errors import LogFetchError
from pipeline.processlog import MOST_BYTES

#: The one path that is asked for.
PATH = "/NewProc"
#: Seconds to connect, and for all of it.
CONNECT_S, WHOLE_S = 15.0, 60.0
_PIECE = 1 << 16
_OFF = (
    "the controller's web server is off: an update to firmware 3.90 or later switches it off until it is switched on "
    "again at the controller (system control, web server); live readings are not touched by it"
)


class LogServer:
    """The web server of one controller; `fetch` for one thread, `stop` for any other."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        connect_s: float = CONNECT_S,
        whole_s: float = WHOLE_S,
    ) -> None:
        self.address = f"{host}:{port}"
        self._host, self._port = host, port
        self._connect_s, self._whole_s = connect_s, whole_s
        self._socket: socket.socket | None = None
        self._is_stopped = self._is_late = False

    def fetch(self) -> bytes:
        """The file as it is now.

        Raises:
            LogFetchError: no whole file came in time, or it is another answer than the file.
        """
        self._is_late = False
        connection = http.client.HTTPConnection(self._host, self._port, timeout=self._connect_s)
        try:
            with self._deadline():
                connection.connect()
                self._socket = connection.sock
                self._go_on()
                return self._file(connection)
        except ConnectionRefusedError as error:
            raise self._failed("connection refused", _OFF) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._failed(self._why_ended or str(error) or type(error).__name__) from error
        finally:
            self._socket = None
            connection.close()

    def stop(self) -> None:
        """End a fetch in progress, and refuse later ones."""
        self._is_stopped = True
        self._shut_down()

    def _failed(self, what: str, hint: str = "") -> LogFetchError:
        return LogFetchError(f"http://{self.address}{PATH}: {what}", hint=hint)

    @property
    def _why_ended(self) -> str:
        if self._is_stopped:
            return "the logger stops"
        return f"no whole file within {self._whole_s:g} s" if self._is_late else ""

    def _go_on(self) -> None:
        """Raises OSError where the fetch is to end: a shut down socket may look as if the peer had closed it."""
        if self._why_ended:
            raise OSError(self._why_ended)

    def _shut_down(self) -> None:
        if connection := self._socket:
            # It may be closed by the fetching thread in this moment: then that has ended, which is what we want.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _be_late(self) -> None:
        self._is_late = True
        self._shut_down()

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """A peer that sends a byte now and then never lets a socket's own limit pass; this one does."""
        timer = threading.Timer(self._whole_s, self._be_late)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _file(self, connection: http.client.HTTPConnection) -> bytes:
        connection.request("GET", PATH, headers={"Connection": "close"})
        with connection.getresponse() as answer:
            if answer.status != http.client.OK:
                what = f"answers {answer.status} {answer.reason}"
                raise self._failed(what, "this controller may have no log; BACKFILL=off leaves it alone")
            content = b"".join(self._pieces(answer))
        self._go_on()
        return content

    def _pieces(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        size = 0
        while piece := answer.read(_PIECE):
            size += len(piece)
            if size > MOST_BYTES:
                raise self._failed(f"more than {MOST_BYTES} bytes")
            yield piece
        if answer.length:  # a read of a piece does not tell it
            raise OSError(f"broke off with {answer.length} bytes to come")
