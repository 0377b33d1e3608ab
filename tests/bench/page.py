"""The service with its page over a year: its memory, how fast it answers, and what a crowd costs the polls.

Most of the year stands in the archive alone, as it does once its shards are older than their retention.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median

import httpx

from pipeline.clock import parse_utc_text
from pipeline.simulator import SimulatedPump, read_journal
from tests.bench import archive, days
from tests.bench.figures import Figure, at_most
from tests.bench.machine import memory_mb
from tests.bench.running import command
from tests.bench.year import Year
from tests.serving import free_port

#: Clients of the crowd, polls for which it stays, and seconds between two polls.
_CROWD, _CROWD_POLLS, _INTERVAL_S = 50, 6, 5
#: Seconds that the service may take to answer, and to be done with its days.
_START_S, _SETTLE_S = 30.0, 300.0
_WARM = 7
_POINTS = 2000


def measure(folder: Path, *, short: bool) -> list[Figure]:
    year = Year(folder, 4, 48, plain=2) if short else Year(folder, 365)
    year.make()
    archive.fill(year)
    for path in year.shards.glob("*.csv.gz"):
        path.unlink()
    journal = folder / "journal"
    with days.simulated_pump(journal) as pump, served(folder, pump) as (pid, client):
        settle(client, year.plain)
        question = {
            "sensors": ",".join(archive.SIX),
            "from": year.first.isoformat(),
            "to": year.end.isoformat(),
            "points": str(_POINTS),
        }
        first_s, size = _timed(client, question)
        warm_s = median(_timed(client, question)[0] for _ in range(1 if short else _WARM))
        quiet_mb, _ = memory_mb(pid)
        late_s, answers, busy = _crowd(client, question, pump, journal, 1 if short else _CROWD_POLLS)
        _, peak_mb = memory_mb(pid)
    return [
        Figure("six sensors over a year by HTTP, the first time", first_s, "s"),
        Figure("six sensors over a year by HTTP, warm", warm_s, "s", at_most(0.5)),
        Figure("the answer on the wire", size / 1e3, "kB"),
        Figure("service with page, memory", quiet_mb, "MB", at_most(120)),
        Figure("service with page, memory at its peak, after a crowd", peak_mb, "MB", at_most(120)),
        Figure("years that a crowd of 50 was given", answers, ""),
        Figure("times that it was told to come again", busy + 0.001, ""),
        Figure("most that a poll was late meanwhile", late_s * 1000, "ms", at_most(500)),
    ]


@contextmanager
def served(folder: Path, pump: SimulatedPump) -> Iterator[tuple[int, httpx.Client]]:
    """The service on what lies in a folder: its process id, and a client for its page."""
    port = free_port()
    settings = {
        "LUX_HOST": pump.address[0],
        "LUX_PORT": str(pump.address[1]),
        "LUX_INTERVAL_SEC": str(_INTERVAL_S),
        "LUX_DATA_DIR": str(folder),
        "LUX_TIMEZONE": "Europe/Berlin",
        "LUX_SHARD_RETENTION_DAYS": "0",
        "LUX_HTTP_PORT": str(port),
    }
    with (
        command(folder / "service.log", "run", settings=settings) as pid,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client,
    ):
        _await(_START_S, lambda: _is_live(client))
        yield pid, client


def _is_live(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").is_success
    except httpx.TransportError:
        return False


def settle(client: httpx.Client, least_days: int) -> None:
    """Wait until the service has nothing left to make."""

    def is_settled() -> bool:
        found = client.get("/api/status").json()
        return bool(found["archive"]["due"] == 0 and found["quality"]["days"] >= least_days)

    _await(_SETTLE_S, is_settled)


def _await(most_s: float, is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + most_s
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"the service is not ready after {most_s} s")
        time.sleep(0.2)


def _timed(client: httpx.Client, question: dict[str, str]) -> tuple[float, int]:
    """Seconds and bytes of an answer."""
    began = time.perf_counter()
    with client.stream("GET", "/api/series", params=question) as answer:
        if answer.status_code != 200:
            raise RuntimeError(answer.read().decode())
        size = sum(len(piece) for piece in answer.iter_raw())
    return time.perf_counter() - began, size


def _crowd(
    client: httpx.Client, question: dict[str, str], pump: SimulatedPump, journal: Path, polls: int
) -> tuple[float, int, int]:
    """How late a poll came at most while a crowd loads, how often it was answered, and how often sent away."""
    codes: list[int] = []
    is_over = threading.Event()
    before = len(read_journal(journal))

    def load() -> None:
        with httpx.Client(base_url=client.base_url, timeout=120) as own:
            while not is_over.is_set():
                codes.append(own.get("/api/series", params=question).status_code)
                if codes[-1] == 503:
                    is_over.wait(0.2)

    threads = [threading.Thread(target=load) for _ in range(_CROWD)]
    for thread in threads:
        thread.start()
    came = pump.wait_for(pump.answers + polls, 3 * polls * _INTERVAL_S)
    is_over.set()
    for thread in threads:
        thread.join()
    if not came:
        raise RuntimeError(f"the service has not polled {polls} times under the crowd")
    times = [parse_utc_text(one.sent) for one in read_journal(journal)][max(before - 1, 0) :]
    late = max(abs(b - a - _INTERVAL_S * 1000) for a, b in pairwise(times)) / 1000
    if set(codes) - {200, 503}:
        raise RuntimeError(f"answers {sorted(set(codes))}")
    return late + 0.001, codes.count(200), codes.count(503)
