"""Load: a week of readings that waits on the queue when the service starts, and a month at full speed.

Round 0 of each is small enough for the tests, with fewer and smaller readings; every later one is full: 20,160 readings
of a whole controller wait, and the month has 30 days.
"""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import islice
from pathlib import Path

from pipeline import queue_view
from pipeline.clock import local_label, parse_utc_text, to_ms
from pipeline.files import make_folder
from pipeline.part import list_parts
from pipeline.queue import Queue
from pipeline.reading import Reading
from pipeline.simulator import Sent, SimulatedPump, Source, read_journal
from pipeline.simulator_answers import Journal
from stages.write import BATCH
from tests.bench.machine import memory_mb
from tests.chaos import month
from tests.chaos.examine import examine, only_reads
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import BERLIN, each_stored
from tests.running import fast_service

#: Readings of the backlog, spread evenly over the week before now: one every 30 s, in round 0 one every 5 minutes.
_WEEK = timedelta(days=7)
_WAITING, _WAITING_SHORT = 20_160, 2_016

#: Seconds between two polls while the backlog drains; in the service's own interval a poll has all of 30 s.
_INTERVAL_S = 0.5
#: Slots that may be missed, the higher of a share and a number: both allow for a machine that does much else besides.
_MOST_MISSED = 0.1
_MAY_MISS = 5
#: Polls that are waited for where the backlog is stored sooner.
_LEAST_POLLS = 3

#: MB at the service's peak, of which 56 were seen: a batch of rows and the row times of the writer's open days.
_MOST_MB = 80
#: Open files, of which 21 were seen: streams, six locks, the queue's database and log on two connections, the wake-up
#: pipe. The rest is for a poll's socket, a shard, and a rollup's file with its source.
_MOST_FILES = 28
#: Threads: main, poller, writer, rollup, backfill, watch, one that looks up a name, one that flushes at the stop.
_MOST_THREADS = 8

#: Seconds between two looks at the service.
_LOOK_S = 0.05
#: Seconds that the service may take for a backlog and for its stop: many times what an idle machine takes.
_DRAIN_S = 300.0
_STOP_S = 10.0


@dataclass
class Extent:
    """The most that a process was seen to hold: files and threads."""

    files: int = 0
    threads: int = 0

    def look(self, pid: int) -> None:
        files, threads = month.held(pid)
        self.files, self.threads = max(self.files, files), max(self.threads, threads)


def _backlog(folder: Path, rounds: range) -> Tally:
    return sum((_drained(folder / str(number), number) for number in rounds), Tally())


def _drained(folder: Path, number: int) -> Tally:
    data, journal = folder / "data", folder / "journal"
    source = month.source(number)
    waiting = _WAITING if number else _WAITING_SHORT
    _fill(data, journal, source, waiting)
    with SimulatedPump(source, journal=journal) as pump:
        polled = _serve(data, pump)
    _check_polls(read_journal(journal)[waiting:][:polled])
    tally = examine(data, journal, rounds=1, kills=1)
    if tally.holds:
        _check_order(data, read_journal(journal)[:waiting])
    return replace(tally, connections=only_reads(pump))


def _serve(data: Path, pump: SimulatedPump) -> int:
    """Let the service work until the backlog is stored and stop it; gives how many answers the pump sent meanwhile."""
    with fast_service(data, pump, interval_s=_INTERVAL_S, LOG_LEVEL="warning") as process:
        polled = _watch(process, data, pump)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=_STOP_S)
    if process.returncode or "Traceback" in errors:
        raise BrokenError(f"the service ended with {process.returncode} and said: {errors}")
    return polled


def _fill(data: Path, journal: Path, source: Source, count: int) -> None:
    """Put readings of the week before now on the queue, each told to the journal as if a pump had sent it."""
    path = data / "queue" / "queue.db"
    make_folder(path.parent)
    with closing(Queue(path)) as queue, closing(Journal(journal)) as told:
        readings = _readings(source, count, told)
        while batch := [reading.encode() for reading in islice(readings, BATCH)]:
            queue.put(batch)


def _readings(source: Source, count: int, told: Journal) -> Iterator[Reading]:
    begun = datetime.now(UTC) - _WEEK
    for n in range(count):
        moment = begun + _WEEK * n / count
        reading = Reading(to_ms(moment), *local_label(moment, BERLIN), source(moment))
        told.add(reading.answer, reading.time_ms)
        yield reading


def _watch(process: subprocess.Popen[str], data: Path, pump: SimulatedPump) -> int:
    """Wait until the backlog is stored; gives how many answers the pump sent meanwhile.

    Raises:
        BrokenError: it takes too long, or the service holds more than it may.
    """
    extent, deadline = Extent(), time.monotonic() + _DRAIN_S
    while queue_view.look(data / "queue" / "queue.db", data / "quarantine").depth > 1:
        if time.monotonic() > deadline or process.poll() is not None:
            raise BrokenError(f"the backlog was not stored in {_DRAIN_S} s, exit code {process.returncode}")
        extent.look(process.pid)
        time.sleep(_LOOK_S)
    assert pump.wait_for(_LEAST_POLLS, _STOP_S)
    polled = pump.answers
    _, peak_mb = memory_mb(process.pid)
    if peak_mb > _MOST_MB or extent.files > _MOST_FILES or extent.threads > _MOST_THREADS:
        raise BrokenError(f"the service took {peak_mb:.0f} MB and {extent}")
    return polled


def _check_polls(answered: list[Sent]) -> None:
    """Hold what the pump answered while the backlog drained against the grid of its polls."""
    times = [parse_utc_text(entry.sent) for entry in answered]
    slots = round((times[-1] - times[0]) / 1000 / _INTERVAL_S) + 1
    if slots - len(times) > max(slots * _MOST_MISSED, _MAY_MISS):
        raise BrokenError(f"{len(times)} polls in {slots} slots while the backlog drained")


def _check_order(data: Path, waited: list[Sent]) -> None:
    """Hold the oldest stored readings against those that waited: the same ones in the same order, in one part a day."""
    found = [
        (reading.time_ms, sha256(reading.answer.pack()).hexdigest())
        for reading in islice(each_stored(data), len(waited))
    ]
    if found != [(parse_utc_text(entry.sent), entry.sha256) for entry in waited]:
        raise BrokenError("the readings of the backlog are not stored as they waited")
    if further := [part.name for part in list_parts(data / "shards") if part.number > 1]:
        raise BrokenError(f"days of the backlog have further parts: {further}")


ATTACKS = (
    Attack(7, "backlog", "a week waits on the queue while polls go on", _backlog, share=0.002, batch=1),
    Attack(7, "month", "30 days of all scheduled work at full speed", month.run, share=0.002, batch=1),
)
