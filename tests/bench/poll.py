"""A poll from connecting to durable in the queue: reading the pump, then encoding and putting what it answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from pipeline.clock import SystemClock
from pipeline.pump import Pump
from pipeline.store import Store
from tests.bench import days
from tests.bench.child import in_child
from tests.bench.figures import Figure, at_most, p99

T = TypeVar("T")

#: Seconds that the simulated pump may take for one answer.
_TIMEOUT_S = 10


def measure(folder: Path, *, short: bool) -> list[Figure]:
    with days.simulated_pump() as pump:
        took = in_child(polls, *pump.address, str(folder), 10 if short else 300)
    whole_cpu = [read + put for read, put in zip(took["read_cpu"], took["put_cpu"], strict=True)]
    whole = [read + put for read, put in zip(took["read"], took["put"], strict=True)]
    return [
        *_spread("poll to durable, CPU", whole_cpu, budget_ms=15),
        *_spread("of it reading the pump, CPU", took["read_cpu"]),
        *_spread("of it encode and put, CPU", took["put_cpu"]),
        *_spread("poll to durable, wall", whole),
        *_spread("of it reading the pump, wall", took["read"]),
        *_spread("of it encode and put, wall", took["put"]),
    ]


def polls(host: str, port: int, folder: str, count: int) -> dict[str, list[float]]:
    """Seconds of wall and CPU that each of so many polls took, one after the other."""
    took: dict[str, list[float]] = {"read": [], "read_cpu": [], "put": [], "put_cpu": []}
    clock, pump = SystemClock(), Pump(host, port, timeout_s=_TIMEOUT_S)
    with closing(days.queue_in(folder)) as queue:
        store = Store(queue, lambda _start_ms, _end_ms: iter(()), zone=days.ZONE, clock=clock)
        for _ in range(count):
            answer = _timed(took, "read", pump.read)
            _timed(took, "put", partial(store.add, clock.utc(), answer))
        if store.close():
            raise RuntimeError("the queue did not take the readings")
    return took


def _timed(took: dict[str, list[float]], what: str, work: Callable[[], T]) -> T:
    began, cpu_began = time.perf_counter(), time.process_time()
    done = work()
    took[f"{what}_cpu"].append(time.process_time() - cpu_began)
    took[what].append(time.perf_counter() - began)
    return done


def _spread(name: str, took_s: list[float], budget_ms: float | None = None) -> list[Figure]:
    budget = at_most(budget_ms) if budget_ms else None
    return [
        Figure(f"{name}, median", median(took_s) * 1000, "ms", budget),
        Figure(f"{name}, p99", p99(took_s) * 1000, "ms"),
    ]
