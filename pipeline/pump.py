"""The pump as the logger sees it: one framed read of everything the controller answers, whole or not at all.

One connection a read, always closed; every length is exact; echo, status and count are checked; one deadline holds for
name look-up, connection and all three answers. Only the three reading commands exist here.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress

from pipeline import sensors
from pipeline.errors import (
    PumpAnswerError,
    PumpBusyError,
    PumpClosedError,
    PumpError,
    PumpStoppedError,
    PumpTimeoutError,
    PumpUnreachableError,
)
from pipeline.reading import MAX_COUNT, Answer

PARAMETERS = 3003
CALCULATIONS = 3004
VISIBILITIES = 3005

_INT = struct.Struct(">i")
_REQUEST = struct.Struct(">ii")

_REFUSED_HINT = (
    "after an update to firmware 3.90 or later switch the network interface on again at the controller; "
    "firmware before 1.76 listens on port 8888; another program may hold the only connection"
)


class Pump:
    """One controller at an address; `read` may be called from one thread, `abort` from any other."""

    def __init__(
        self, host: str, port: int, *, timeout_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.host = host
        self.port = port
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._lookup: _Lookup | None = None
        self._socket: socket.socket | None = None
        self._aborted = False

    def get_all_sensors(self) -> dict[str, float]:
        """Every sensor the controller answers, by name, known to the tables or not.

        Raises:
            PumpError: no whole answer came before the deadline.
        """
        return sensors.values(self.read())

    def read(self) -> Answer:
        """One whole answer of the controller.

        Raises:
            PumpError: no whole answer came before the deadline; its class and fields say why.
            PumpStoppedError: `abort` was called.
        """
        try:
            return self._read()
        except (PumpError, OSError) as error:
            if self._aborted:
                raise PumpStoppedError("the logger stops") from error
            raise

    def _read(self) -> Answer:
        deadline = self._monotonic() + self._timeout_s
        try:
            with closing(self._connect(deadline)) as connection:
                wire = _Wire(connection, deadline, self._monotonic)
                parameters = wire.ask(PARAMETERS, "parameters")
                calculations = wire.ask(CALCULATIONS, "calculations")
                return Answer(parameters, calculations, wire.ask(VISIBILITIES, "visibilities"))
        finally:
            self._socket = None

    def abort(self) -> None:
        """End a read in progress and refuse later ones: closing a socket does not wake `recv`, shutting down does."""
        self._aborted = True
        if lookup := self._lookup:
            lookup.done.set()
        if connection := self._socket:
            # It may be closed by the reading thread in this moment: then that read has ended, which is what we want.
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _connect(self, deadline: float) -> socket.socket:
        addresses = self._resolve(deadline)
        failure = OSError("the name has no address")
        for i, info in enumerate(addresses):
            share_s = (deadline - self._monotonic()) / (len(addresses) - i)
            try:
                return self._open(info, share_s)
            except OSError as error:
                failure = error
        raise self._unreachable(failure) from failure

    def _open(self, info: _AddressInfo, timeout_s: float) -> socket.socket:
        family, kind, protocol, _, address = info
        connection = self._socket = socket.socket(family, kind, protocol)
        try:
            if self._aborted:
                raise ConnectionAbortedError("the logger stops")
            connection.settimeout(max(timeout_s, 0.001))
            connection.connect(address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            connection.close()
            raise
        return connection

    def _unreachable(self, error: OSError) -> PumpError:
        if isinstance(error, TimeoutError):
            return PumpTimeoutError("no connection before the deadline", reading="connection")
        hint = _REFUSED_HINT if isinstance(error, ConnectionRefusedError) else ""
        return PumpUnreachableError(f"no connection: {error}", reading="connection", hint=hint)

    def _resolve(self, deadline: float) -> list[_AddressInfo]:
        lookup = self._lookup = self._lookup or _Lookup(self.host, self.port)
        if not self._aborted and not lookup.done.wait(deadline - self._monotonic()):
            raise PumpTimeoutError(f"the name {self.host} did not resolve before the deadline", reading="name look-up")
        if self._aborted:
            raise PumpStoppedError("the logger stops")
        self._lookup = None
        if lookup.error:
            hint = "check HOST; an address such as 192.168.1.20 needs no name server"
            raise PumpUnreachableError(f"name look-up: {lookup.error}", reading="name look-up", hint=hint)
        return lookup.addresses


_AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[object, ...]]


class _Lookup:
    """A name look-up in a thread of its own: nothing can end one that hangs, so the next read waits for the same."""

    def __init__(self, host: str, port: int) -> None:
        self.done = threading.Event()
        self.error: OSError | UnicodeError | None = None
        self.addresses: list[_AddressInfo] = []
        threading.Thread(target=self._run, args=(host, port), name="lookup", daemon=True).start()

    def _run(self, host: str, port: int) -> None:
        try:
            self.addresses = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            self.error = error
        finally:
            self.done.set()


class _Wire:
    """A connection under a deadline that gives exact lengths or raises."""

    def __init__(self, connection: socket.socket, deadline: float, monotonic: Callable[[], float]) -> None:
        self._connection = connection
        self._deadline = deadline
        self._monotonic = monotonic

    def ask(self, command: int, reading: str) -> tuple[int, ...]:
        """The integers that answer a command."""
        self._send(_REQUEST.pack(command, 0), reading)
        self._check_echo(command, reading)
        if command == CALCULATIONS:
            self._check_status(reading)
        count = self._int(reading)
        if not 0 < count <= MAX_COUNT:
            raise PumpAnswerError(f"a count of {count}, outside 1 to {MAX_COUNT}", reading=reading)
        width, code = (1, "b") if command == VISIBILITIES else (4, "i")
        return struct.unpack(f">{count}{code}", self._exactly(count * width, reading))

    def _check_echo(self, command: int, reading: str) -> None:
        echo = self._int(reading)
        if echo != command:
            hint = (
                f"it began with {_INT.pack(echo)!r}; if this stays, check HOST and PORT: no Luxtronik may answer there"
            )
            raise PumpAnswerError(f"an answer to {echo} where {command} was asked", reading=reading, hint=hint)

    def _check_status(self, reading: str) -> None:
        status = self._int(reading)
        if status > 0:
            raise PumpBusyError(f"the controller is busy (status {status})", reading=reading)
        if status < 0:
            raise PumpAnswerError(f"a status of {status}", reading=reading)

    def _int(self, reading: str) -> int:
        return int(_INT.unpack(self._exactly(_INT.size, reading))[0])

    def _send(self, request: bytes, reading: str) -> None:
        try:
            self._connection.settimeout(self._left_s())
            self._connection.sendall(request)
        except OSError as error:
            raise self._broken(error, reading, 0, 0) from error

    def _exactly(self, wanted: int, reading: str) -> bytes:
        data = bytearray(wanted)
        view, got = memoryview(data), 0
        while got < wanted:
            try:
                self._connection.settimeout(self._left_s())
                received = self._connection.recv_into(view[got:])
            except OSError as error:
                raise self._broken(error, reading, got, wanted) from error
            if not received:
                raise PumpClosedError("the pump closed the connection", reading=reading, got=got, wanted=wanted)
            got += received
        return bytes(data)

    def _left_s(self) -> float:
        left_s = self._deadline - self._monotonic()
        if left_s <= 0:
            raise TimeoutError
        return left_s

    def _broken(self, error: OSError, reading: str, got: int, wanted: int) -> PumpError:
        if isinstance(error, TimeoutError):
            return PumpTimeoutError("no whole answer before the deadline", reading=reading, got=got, wanted=wanted)
        return PumpClosedError(f"the connection broke: {error}", reading=reading, got=got, wanted=wanted)
