"""Where clients of the simulated pump come in: a listening socket that can be closed and opened again at once."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Door:
    """A listening socket and the thread that accepts from it."""

    def __init__(self, address: tuple[str, int], welcome: Callable[[socket.socket], None]) -> None:
        self._listener = socket.create_server(address)
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self._welcome = welcome
        # Closing a socket does not wake the thread that waits on it; a byte on this pair does.
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._accept, name="simulated pump", daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while self._woken not in select.select([self._listener, self._woken], [], [])[0]:
            with suppress(OSError):  # the client may have left again
                self._welcome(self._listener.accept()[0])

    def close(self) -> None:
        self._wake.send(b"x")
        self._thread.join()
        for each in (self._listener, self._wake, self._woken):
            each.close()
