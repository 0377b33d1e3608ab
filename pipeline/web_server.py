"""The HTTP server in a thread of its own: tried again where it fails, and never in the way of the logging."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipeline import endpoint
from pipeline.clock import Clock
from pipeline.log import event
from pipeline.outage import Outage

log = logging.getLogger("web")

#: Seconds between two looks at the server, and until a port that could not be had is tried again.
_LOOK_S, RETRY_S = 5.0, 15.0
#: Seconds between two looks of the server at the clock: it is asked to stop so late at most.
_TICK_S = 1.0
#: Connections at the same time; further ones are told to come again.
_MOST_CONNECTIONS = 100
#: Seconds that a connection may be idle, take for its request's head, and get at a stop.
_IDLE_S, _PATIENCE_S, _STOP_S = 15, 20.0, 1
#: Bytes of a request's head.
_MOST_HEAD = 16_384


class WebServer:
    """Serves what `build` makes on a host and port, a look at it a step."""

    def __init__(
        self,
        build: Callable[[], Any],
        host: str,
        port: int,
        clock: Clock,
        *,
        has_token: bool,
        look: Callable[[float], object],
    ) -> None:
        self._build = build
        self._host = host
        self._port = port
        self._has_token = has_token
        self._look = look
        self._outage = Outage(log, "web", clock)
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    def step(self, now: float) -> float:
        """Serve where nothing does; gives the seconds until the next look."""
        self._look(now)
        if self._thread and self._thread.is_alive():
            return _LOOK_S
        try:
            bound = endpoint.bound(self._host, self._port)
        except OSError as error:
            facts = {"host": self._host, "port": self._port, "error": error.strerror or error}
            hint = "end what listens there, or set LUX_HTTP_PORT to another port, 0 for no page"
            self._outage.seen("page not served, logging goes on", **facts, hint=hint, next_try_s=RETRY_S)
            return RETRY_S
        self._serve(bound)
        self._outage.over()
        return _LOOK_S

    def stop(self) -> None:
        """Let go of every connection soon."""
        if self._server:
            self._server.should_exit = True

    def join(self, timeout_s: float) -> None:
        """Wait for the end, at most so many seconds."""
        if self._thread:
            self._thread.join(max(timeout_s, 0.0))

    def _serve(self, bound: socket.socket) -> None:
        config = uvicorn.Config(
            self._build(),
            http=_Impatient,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_keep_alive=_IDLE_S,
            timeout_graceful_shutdown=_STOP_S,
            h11_max_incomplete_event_size=_MOST_HEAD,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([bound],), name="http", daemon=True)
        self._thread.start()
        self._announce()

    def _announce(self) -> None:
        is_local = endpoint.is_local(self._host)
        more = {"hint": "LUX_HTTP_HOST=0.0.0.0 opens it to the whole network"} if is_local else {}
        event(log, logging.INFO, "page served", url=endpoint.address(self._host, self._port), **more)
        if not is_local and not self._has_token:
            event(
                log, logging.WARNING, "anybody in the network can see the page", hint="LUX_HTTP_TOKEN asks for a secret"
            )


class _Server(uvicorn.Server):
    """Looks around once a second and not ten times: nothing else runs while nobody asks."""

    async def main_loop(self) -> None:
        # What comes with a count of 0 is done at each look: the date in the headers.
        while not await self.on_tick(0):
            await asyncio.sleep(_TICK_S)


class _Impatient(H11Protocol):
    """Closes a connection that does not get its request's head across: a crowd of those would keep everybody out."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(_PATIENCE_S, self._give_up)

    def _give_up(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()
