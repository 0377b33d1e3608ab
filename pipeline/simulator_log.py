"""The simulated controller's web server, which serves its own log of 48 hours, and misbehaves on demand.

Only `GET /NewProc` is answered, as the file that was written at the last tick: every two hours, at a phase that holds
as long as the server lives. The file is worked out when it is first asked for.
"""

from __future__ import annotations

import socket
import threading
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from pipeline.clock import Clock, SystemClock, to_ms
from pipeline.simulator_answers import Source
from pipeline.simulator_door import Served
from pipeline.simulator_log_answers import LOG_FAULTS, LogAnswer, LogFault
from pipeline.simulator_records import Dialect, Writer, encode_log

__all__ = ["LOG_FAULTS", "PATH", "TICK_S", "Dialect", "LogFault", "SimulatedLog", "encode_log"]

#: The one path that is served.
PATH = "/NewProc"

#: Seconds from one writing of the file to the next.
TICK_S = 7200


class SimulatedLog(Served[LogFault]):
    """The server; `fault` may be set at any time, by any thread, and holds from the next request on.

    Files are written where seconds since 1970 of the clock, less `phase_s`, are a multiple of `TICK_S`. `requests`
    counts all requests that were understood, `paths` each method and path, such as `GET /NewProc`.
    """

    def __init__(
        self,
        source: Source,
        *,
        dialect: Dialect = "V3",
        host: str = "127.0.0.1",
        port: int = 0,
        phase_s: int = 0,
        fault: LogFault | None = None,
        clock: Clock | None = None,
    ) -> None:
        super().__init__((host, port), fault)
        self.paths: Counter[str] = Counter()
        self._source = source
        self._dialect: Dialect = dialect
        self._phase_s = phase_s
        self._clock = clock or SystemClock()
        self._writers: dict[int | None, Writer] = {}
        # A lock of its own, since files take long.
        self._writing = threading.Lock()
        self._visits: dict[socket.socket, threading.Thread] = {}

    def start(self) -> None:
        """Listen; `address` has the port from now on, also after a stop.

        Raises:
            OSError: the port is in use.
        """
        with self._doorway:
            self.stopping.clear()
            self._apply()

    def stop(self) -> None:
        """Close everything and wait for the threads; a connection that drips is shut down."""
        with self._doorway:
            self.stopping.set()
            self._apply()
            with self._shared:
                visits = dict(self._visits)
            for connection, thread in visits.items():
                with suppress(OSError):  # it has ended meanwhile
                    connection.shutdown(socket.SHUT_RDWR)
                thread.join()

    @property
    def url(self) -> str:
        """Where the file is served."""
        return f"http://{self.address[0]}:{self.address[1]}{PATH}"

    @property
    def requests(self) -> int:
        with self._shared:
            return self.paths.total()

    def wait_for(self, requests: int, timeout_s: float) -> bool:
        """Whether so many requests came before the time was up."""
        with self._shared:
            return self._shared.wait_for(lambda: self.paths.total() >= requests, timeout_s)

    def file(self, fault: LogFault | None = None) -> bytes:
        """The file as it stands now; of the faults only those show that are in the file itself."""
        with self._writing:
            now_s = to_ms(self._clock.utc()) // 1000
            end_s = now_s - (now_s - self._phase_s) % TICK_S
            lying = fault.calculation if fault and fault.name == "lies" else None
            if lying not in self._writers:
                self._writers[lying] = Writer(self._source, self._dialect, () if lying is None else (lying,))
            return self._writers[lying].file(end_s, torn=bool(fault and fault.name == "torn"))

    def note(self, request: str) -> None:
        """Count a request."""
        with self._shared:
            self.paths[request] += 1
            self._shared.notify_all()

    def _welcome(self, connection: socket.socket) -> None:
        thread = threading.Thread(target=self._serve, args=(connection,), name="simulated log's client", daemon=True)
        with self._shared:
            self._visits[connection] = thread
        thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):  # the client left, or `stop` shut the connection down
                _Visit(connection, self)
        finally:
            with self._shared:
                self._visits.pop(connection)


class _Visit(BaseHTTPRequestHandler):
    """One client's request."""

    def __init__(self, connection: socket.socket, log: SimulatedLog) -> None:
        self._log = log
        super().__init__(connection, connection.getpeername(), cast("Any", log))  # of a server it uses nothing

    def parse_request(self) -> bool:
        understood = super().parse_request()
        if understood:
            self._log.note(f"{self.command} {self.path}")
        return understood

    def do_GET(self) -> None:
        fault = self._log.fault
        if self.path != PATH or (fault and fault.name == "missing"):
            self.send_error(404)
            return
        answer = LogAnswer(self._log.file(fault), fault)
        if answer.status:
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.end_headers()
        for piece in answer.pieces():
            self.wfile.write(piece)
            if fault and fault.name == "drip":
                self._log.stopping.wait(len(piece) / fault.rate)
        if fault and fault.name in ("silent", "stall"):
            self.rfile.read(1)  # until the client leaves

    def log_message(self, *_: object) -> None:
        """Say nothing: what came is counted."""
