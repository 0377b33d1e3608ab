"""A simulated pump: a TCP server that answers as a Luxtronik 2.x controller does, and misbehaves on demand.

The groups asked for on one connection belong to one answer, fixed at the first request. An answer is whole when the
last of its three groups was handed to the kernel; only then is it counted and told to the journal. So the journal may
lack the answer that was in flight when the simulator died, and never has one that was not sent.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path

from pipeline.clock import Clock, SystemClock, to_ms
from pipeline.simulator_answers import COMMANDS, FAULTS, Dump, Fault, Journal, Read, Sent, Source, grown, read_journal
from pipeline.simulator_door import Served

__all__ = ["FAULTS", "Dump", "Fault", "Sent", "SimulatedPump", "Source", "read_journal"]

#: Connections whose requests are remembered.
_REMEMBERED = 1000

#: Bytes of a request: the command and a zero.
_REQUEST = 8


class SimulatedPump(Served[Fault]):
    """The server; `fault` may be set at any time, by any thread, and holds from the next read on."""

    def __init__(
        self,
        source: Source,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        journal: Path | None = None,
        fault: Fault | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__((host, port), fault)
        self.answers = 0
        self.refused_commands = 0
        self._source = source
        self._journal_path = journal
        self._journal: Journal | None = None
        self._clock = clock or SystemClock()
        self._visits: set[_Visit] = set()
        self._requests: deque[bytearray] = deque(maxlen=_REMEMBERED)
        #: All that every ended connection's client ever sent, each different conversation with how often it came.
        self.conversations: Counter[bytes] = Counter()

    def start(self) -> None:
        """Listen; `address` has the port from now on, also after a stop.

        Raises:
            OSError: the port is in use, or the journal cannot be written.
        """
        with self._doorway:
            try:
                self._journal = Journal(self._journal_path) if self._journal_path else None
                self.stopping.clear()
                self._set_door(True)
            except OSError:
                self.stop()
                raise
            self._apply()

    def stop(self) -> None:
        """Close everything and wait for the threads; a connection that stalls is shut down."""
        with self._doorway:
            self.stopping.set()
            self._apply()
            with self._shared:
                visits = list(self._visits)
            for visit in visits:
                visit.end()
            if self._journal:
                self._journal.close()
                self._journal = None

    @property
    def requests(self) -> list[bytes]:
        """What each of the last thousand connections has sent so far, byte for byte, in order."""
        with self._shared:
            return [bytes(request) for request in self._requests]

    def wait_for(self, answers: int, timeout_s: float) -> bool:
        """Whether so many whole answers were sent, and told to the journal, before the time was up."""
        with self._shared:
            return self._shared.wait_for(lambda: self.answers >= answers, timeout_s)

    def wait_until_alone(self, timeout_s: float) -> bool:
        """Whether all clients had gone, their answers counted and in the journal, before the time was up."""
        with self._shared:
            return self._shared.wait_for(lambda: not self._visits, timeout_s)

    def _welcome(self, connection: socket.socket) -> None:
        visit = _Visit(connection, self)
        with self._shared:
            self._visits.add(visit)
            self._requests.append(visit.requests)
        visit.thread.start()

    def part(self, visit: _Visit) -> None:
        """Forget a connection that has ended."""
        with self._shared:
            self.refused_commands += visit.refused
            self.conversations[bytes(visit.requests)] += 1
            self._visits.discard(visit)
            self._shared.notify_all()

    def begin_read(self) -> Read:
        """What a client that asks now is answered."""
        with self._shared:
            fault, answer = self._fault, self._source(self._clock.utc())
            if fault and fault.name == "grown" and self.answers >= fault.after:
                answer = grown(answer, fault.counts)
            return Read(answer, fault)

    def finish_read(self, read: Read) -> None:
        """Count a read of which everything was sent, after the journal has it."""
        with self._shared:
            if self._journal:
                self._journal.add(read.answer, to_ms(self._clock.utc()))
            self.answers += 1
            self._shared.notify_all()


class _Visit:
    """One client's connection and the thread that serves it."""

    def __init__(self, connection: socket.socket, pump: SimulatedPump) -> None:
        self.requests = bytearray()
        self.refused = False
        self._connection = connection
        self._pump = pump
        self._read: Read | None = None
        self.thread = threading.Thread(target=self._serve, name="simulated pump's client", daemon=True)

    def end(self) -> None:
        """Shut the connection down, which wakes its thread whatever it waits for, and wait for the thread."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self.thread.join()

    def _serve(self) -> None:
        try:
            with self._connection, suppress(OSError):  # the client left, or `end` shut the connection down
                self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each piece a segment
                while self._answer(self._request()):
                    pass
        finally:
            self._pump.part(self)

    def _request(self) -> int:
        got = b""
        while len(got) < _REQUEST:
            got += self._receive(_REQUEST - len(got))
        return int.from_bytes(got[:4], "big", signed=True)

    def _receive(self, most: int) -> bytes:
        piece = self._connection.recv(most)
        if not piece:
            raise ConnectionError("the client left")
        self.requests += piece
        return piece

    def _answer(self, command: int) -> bool:
        """Send the group that was asked for; whether the connection goes on."""
        if command not in COMMANDS:
            self.refused = True
            return False
        if self._read is None or command in self._read.told:
            self._read = self._pump.begin_read()
        read = self._read
        for piece in read.pieces(command):
            self._connection.sendall(piece)
            if read.fault and read.fault.name == "drip":
                self._pump.stopping.wait(len(piece) / read.fault.rate)
        if read.broken and read.fault:
            self._break_off(read.fault.name)
            return False
        if read.whole:
            self._pump.finish_read(read)
        return True

    def _break_off(self, fault: str) -> None:
        if fault == "reset":  # which is what closing with a linger time of 0 s does
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if fault == "close":
            self._connection.shutdown(socket.SHUT_WR)
        while True:  # until the client leaves: closing with requests unread would reset the connection
            self._receive(_REQUEST)
