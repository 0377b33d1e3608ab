"""The service as a person runs it, against a simulated pump: start, CPU and memory.

CPU of a poll is told from CPU of waiting, so that the share at another interval can be stated: what waiting costs
always, and what each interval brings, a poll, its row and a look at the service's own state, as often as it comes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.simulator import SimulatedPump
from tests.bench import days
from tests.bench.figures import Figure, at_most
from tests.bench.machine import cpu_s, memory_mb
from tests.bench.running import command
from tests.serving import free_port

#: Seconds between two polls: the shortest that the settings allow.
_INTERVAL_S = 5
#: Seconds that the service may take to read the pump for the first time.
_START_S = 30
#: Seconds after an answer by which its reading stands in a shard, and how long only waiting goes on from then.
_SETTLED_S, _WAITING_S = 0.5, 3.0
#: Pieces of the waiting; the busiest one may hold a look, which belongs to the interval.
_SLICES = 6
#: Seconds between two polls by default, for which the budget holds.
_USUAL_S = 30


@dataclass(frozen=True)
class _Used:
    """CPU over a while: seconds of CPU, seconds that passed, polls in them."""

    cpu_s: float
    wall_s: float
    polls: int


def measure(folder: Path, *, short: bool) -> list[Figure]:
    with days.simulated_pump() as pump:
        settings = {
            "LUX_HOST": pump.address[0],
            "LUX_PORT": str(pump.address[1]),
            "LUX_INTERVAL_SEC": str(_INTERVAL_S),
            "LUX_DATA_DIR": str(folder / "data"),
            "LUX_TIMEZONE": "Europe/Berlin",
            "LUX_HTTP_PORT": str(free_port()),
        }
        began = time.perf_counter()
        with command(folder / "service.log", "run", settings=settings) as pid:
            _await_answer(pump)
            start_s = time.perf_counter() - began
            start_cpu_s = cpu_s(pid)
            waiting, whole = _watched(pid, pump, 1 if short else 12)
            now_mb, peak_mb = memory_mb(pid)
    idle = waiting.cpu_s / waiting.wall_s
    poll_s = (whole.cpu_s - idle * whole.wall_s) / whole.polls
    return [
        Figure("start to the first answer read", start_s, "s"),
        Figure("start to the first answer read, CPU", start_cpu_s, "s"),
        Figure("a poll until it is in its shard, CPU", poll_s * 1000, "ms", at_most(15)),
        Figure("waiting, of one core", idle * 100, "%"),
        Figure(f"at {_INTERVAL_S} s, of one core", whole.cpu_s / whole.wall_s * 100, "%"),
        Figure(f"at {_USUAL_S} s, of one core", (idle + poll_s / _USUAL_S) * 100, "%", at_most(0.5)),
        Figure("memory", now_mb, "MB", at_most(120)),
        Figure("memory at its peak", peak_mb, "MB", at_most(120)),
    ]


def _await_answer(pump: SimulatedPump) -> None:
    if not pump.wait_for(1, _START_S):
        raise RuntimeError(f"the service has not read the pump in {_START_S} s")


def _slice(pid: int, length_s: float) -> _Used:
    from_s, cpu_from_s = time.perf_counter(), cpu_s(pid)
    time.sleep(length_s)
    return _Used(cpu_s(pid) - cpu_from_s, time.perf_counter() - from_s, 0)


def _watched(pid: int, pump: SimulatedPump, polls: int) -> tuple[_Used, _Used]:
    """CPU while only waiting goes on between polls, and over as many whole intervals as `polls`."""
    time.sleep(_SETTLED_S)
    began, cpu_began, answers = time.perf_counter(), cpu_s(pid), pump.answers
    waiting_cpu = waiting_wall = 0.0
    for n in range(1, polls + 1):
        slices = [_slice(pid, _WAITING_S / _SLICES) for _ in range(_SLICES)]
        quiet = sorted(slices, key=lambda each: each.cpu_s / each.wall_s)[:-1]
        waiting_cpu += sum(each.cpu_s for each in quiet)
        waiting_wall += sum(each.wall_s for each in quiet)
        time.sleep(max(began + n * _INTERVAL_S - time.perf_counter(), 0.0))
    wall_s, whole_cpu = time.perf_counter() - began, cpu_s(pid) - cpu_began
    return _Used(waiting_cpu, waiting_wall, 0), _Used(whole_cpu, wall_s, pump.answers - answers)
