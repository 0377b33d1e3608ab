"""The real server, as the service starts it, beside a service whose parts a test works by hand."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from pipeline import history, service, settings
from pipeline.clock import SystemClock
from pipeline.house import House
from pipeline.settings import Settings
from pipeline.simulator import Source
from pipeline.supervisor import Service
from tests.running import environment

FLOW, COMPRESSOR = "ID_WEB_Temperatur_TVL", "ID_WEB_VD1out"


@dataclass(frozen=True)
class Served:
    """A service whose stages stand still, its page's address, and a client for it."""

    built: Service
    chosen: Settings
    url: str
    client: httpx.Client

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return self.client.get(path, params=parameters)


def free_port() -> int:
    """A port that nothing listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        return int(listening.getsockname()[1])


@contextmanager
def serving(
    folder: Path, hours: int = 3, *, source: Source | None = None, step_s: int = 30, **variables: str
) -> Iterator[Served]:
    """A service with some hours of a simulated house, or another source, behind it up to now, and its web part."""
    port = free_port()
    env = environment(folder / "data", ("127.0.0.1", 1), HTTP_PORT=str(port), **variables)
    chosen = settings.load(env, needs_host=True)
    built = service.build(chosen)
    built.lock.acquire()
    try:
        now = datetime.now(UTC)
        history.fill(
            built,
            chosen,
            source or House().answer_at,
            since=now - timedelta(hours=hours),
            until=now,
            progress=lambda _done, _total: None,
            interval_s=step_s,
        )
        built.watch.step(SystemClock().monotonic())
        assert built.web
        built.web.start()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=8, headers=_bearer(chosen)) as client:
            _wait(client)
            yield Served(built, chosen, f"http://127.0.0.1:{port}", client)
    finally:
        if built.web:
            built.web.stop()
            built.web.join(3)
        built.queue.close()
        built.lock.release()


def _bearer(chosen: Settings) -> dict[str, str]:
    return {"Authorization": f"Bearer {chosen.http_token}"} if chosen.http_token else {}


def _wait(client: httpx.Client) -> None:
    end = SystemClock().monotonic() + 8
    while SystemClock().monotonic() < end:
        try:
            client.get("/health/live")
        except httpx.ConnectError:
            continue
        return
    raise TimeoutError("the page does not answer")
