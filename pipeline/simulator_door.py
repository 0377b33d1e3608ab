"""Where clients of the simulated pump come in: a listening socket that can be closed and opened again at once, and what
its servers share."""

from __future__ import annotations

import select
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from typing import Generic, Protocol, Self, TypeVar

#: The fault with which a server takes no connection at all.
REFUSED = "refused"


class Named(Protocol):
    """A fault, known by its name."""

    @property
    def name(self) -> str: ...


F = TypeVar("F", bound=Named)


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


class Served(ABC, Generic[F]):
    """A server behind a door; `fault` may be set at any time, by any thread. `address` has the port once it listened,
    also after a stop; `stopping` is set while it does not run.
    """

    def __init__(self, address: tuple[str, int], fault: F | None) -> None:
        self.address = address
        self.stopping = threading.Event()
        self.stopping.set()
        self._fault = fault
        self._door: Door | None = None
        # Two locks: opening and closing the door waits for the accepting thread, which itself takes the second.
        self._doorway = threading.RLock()
        self._shared = threading.Condition()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def start(self) -> None:
        """Listen."""

    @abstractmethod
    def stop(self) -> None:
        """Close everything and wait for the threads."""

    @abstractmethod
    def _welcome(self, connection: socket.socket) -> None:
        """Take a client in."""

    @property
    def fault(self) -> F | None:
        return self._fault

    @fault.setter
    def fault(self, fault: F | None) -> None:
        with self._doorway:
            self._fault = fault
            self._apply()

    def _apply(self) -> None:
        """Open or close the door as it should be now."""
        self._set_door(not self.stopping.is_set() and not (self._fault and self._fault.name == REFUSED))

    def _set_door(self, wanted: bool) -> None:
        if wanted and not self._door:
            self._door = Door(self.address, self._welcome)
            self.address = self._door.address
        elif not wanted and self._door:
            self._door.close()
            self._door = None
