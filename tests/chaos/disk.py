"""A disk that is full, or takes no writes any more, under the running service; see `faults` for single calls that fail.

The data folder is a small file system of its own, filled and emptied, or write-protected, while the service polls.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.house import House
from pipeline.simulator import Fault, SimulatedPump
from pipeline.simulator_answers import Journal
from tests.chaos import faults
from tests.chaos.examine import examine, only_reads
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import NOON, open_shards, reading
from tests.running import fast_service, numbered
from tests.small_disk import fill, small_disk, write_protected

_SIZE = "8m"
_INTERVAL_S = 0.05
_DAY_S = 86_400
#: Seconds that anything may take here on a busy machine.
_PATIENCE_S = 30.0
#: Lines of a kind that one trouble may take: one when it begins and one when it is over bear different words.
_LINES = 1
#: Readings that may wait in memory where some are to be refused.
_FEW = 10
#: Bytes left free on a disk that is all but full: none, or enough for one small file or a header.
_LEFT = (0, 0, 4096, 20_000, 70_000, 150_000)
#: Share of a core that a service whose disk is full and whose pump is away may use: an idle one uses a hundredth.
_MOST_CPU = 0.3
#: Open files that may come and go: a connection to the pump, a file being read.
_FILES = 4


@dataclass
class Round:
    """One round on a disk of its own; `events` is the log of the services that were stopped, `troubles` its causes."""

    number: int
    pump: SimulatedPump
    data: Path
    events: list[dict[str, Any]] = field(default_factory=list)
    troubles: int = 0
    stops: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)

    @contextmanager
    def service(self, *options: str, code: int = 0) -> Iterator[subprocess.Popen[str]]:
        """A service that is stopped at the end and must say so by this exit code."""
        with fast_service(self.data, self.pump, *options, interval_s=_INTERVAL_S) as process:
            yield process
            process.send_signal(signal.SIGTERM)
            _, log = process.communicate(timeout=_PATIENCE_S)
        self.stops += 1
        self.events += _events(log)
        if process.returncode != code:
            raise BrokenError(f"exit code {process.returncode} in place of {code}: {log[-2000:]}")

    def wait(self, answers: int) -> None:
        """Wait until the pump has sent so many more."""
        if not self.pump.wait_for(self.pump.answers + answers, _PATIENCE_S):
            raise BrokenError("polling stopped")

    @contextmanager
    def full(self) -> Iterator[None]:
        """Let the disk be full, now and then all but full."""
        ballast = self.data / "ballast"
        self.troubles += 1
        fill(ballast)
        os.truncate(ballast, max(ballast.stat().st_size - self.chance.choice(_LEFT), 0))
        try:
            yield
        finally:
            ballast.unlink()

    def told(self, event: str, fact: str) -> int:
        """The sum of a number over all log lines of an event."""
        return sum(each[fact] for each in self.events if each["event"] == event)

    def tally(self, journal: Path, *, reported: int) -> Tally:
        """What is stored when the disk serves again; the logger must have told exactly what is not."""
        self._check_log()
        tally = examine(self.data, journal, rounds=1, kills=self.stops, reported=reported)
        if tally.reported != reported:
            raise BrokenError(f"{reported} readings were told as lost, {tally.reported} are missing")
        return tally

    def _check_log(self) -> None:
        """A trouble of the disk is told in a line when it begins and one when it is over, and never by a traceback."""
        if raised := [each for each in self.events if "traceback" in each]:
            raise BrokenError(f"a traceback in the log: {raised[0]}")
        told = Counter(each["event"] for each in self.events if each["level"] in ("warning", "error"))
        del told["slots skipped"]
        most = _LINES * (self.troubles + self.stops)
        if flood := {event: count for event, count in told.items() if count > most}:
            raise BrokenError(f"more lines than {most}: {flood}")


def _events(log: str) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in log.splitlines()]
    except ValueError as error:
        raise BrokenError(f"not a line of the log: {log[-2000:]}") from error


def _rounds(play: Callable[[Round, Path], int]) -> Callable[[Path, range], Tally]:
    """The attack whose rounds are played so; `play` gives how many readings the logger told as lost."""

    def run(folder: Path, rounds: range) -> Tally:
        return sum((_round(folder / str(number), number, play) for number in rounds), Tally())

    return run


def _round(folder: Path, number: int, play: Callable[[Round, Path], int]) -> Tally:
    folder.mkdir()
    journal = folder / "journal"
    with small_disk(folder / "disk", _SIZE) as data:
        with SimulatedPump(numbered(House().answer_at), journal=journal) as pump:
            one = Round(number, pump, data)
            reported = play(one, journal)
        return replace(one.tally(journal, reported=reported), connections=only_reads(pump))


def _fills_and_is_freed(one: Round, journal: Path) -> int:
    """Several times while the service polls, with rollups due that fit or do not."""
    ago_s = (datetime.now(UTC) - NOON).total_seconds()
    before = [reading(ago_s - _DAY_S * days, days) for days in (4, 3, 2)]
    open_shards(one.data).append(before)
    with closing(Journal(journal)) as sent:
        for each in before:
            sent.add(each.answer, each.time_ms)
    with one.service(f"reserve={one.chance.choice((1, 7_000_000))}"):
        one.wait(one.chance.randrange(5))
        for _ in range(one.chance.randrange(2, 4)):
            with one.full():
                one.wait(one.chance.randrange(5, 25))
                _until(lambda: not list(one.data.glob("*/*.part")), "a rollup keeps space on a full disk")
            one.wait(one.chance.randrange(1, 10))
        one.wait(2)
    return 0


def _until(condition: Callable[[], bool], broken: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise BrokenError(broken)
        time.sleep(0.01)


def _refuses(one: Round, _: Path) -> int:
    """More readings come than may wait in memory."""
    with one.service(f"waiting={_FEW}"):
        one.wait(one.chance.randrange(1, 5))
        with one.full():
            one.wait(_FEW + one.chance.randrange(10, 30))
        one.wait(3)
    return one.told("queue works again", "refused")


def _starts_and_stops_full(one: Round, _: Path) -> int:
    """A service that starts and stops on a full disk, then one whose disk is freed while it runs."""
    if one.number % 2:
        with one.service():
            one.wait(3)
    with one.full():
        with one.service(code=4) as process:
            one.wait(3)
            files = _open_files(process)
            one.wait(15)
            if (more := _open_files(process) - files) > _FILES:
                raise BrokenError(f"{more} more files are open than 15 failures ago")
            one.pump.fault = Fault("refused")
            _check_cpu(process)
        one.pump.fault = None
        unsaved = one.told("stopped", "unsaved")
    one.troubles += 1
    with one.full(), one.service() as process:
        one.wait(5)
        (one.data / "ballast").write_bytes(b"")
        one.wait(3)
    return unsaved


def _open_files(process: subprocess.Popen[str]) -> int:
    return sum(1 for _ in Path(f"/proc/{process.pid}/fd").iterdir())


def _check_cpu(process: subprocess.Popen[str]) -> None:
    """Hold the processor time of one second against what waiting takes."""
    began, used = time.monotonic(), _cpu_s(process)
    time.sleep(1.0)
    if (share := (_cpu_s(process) - used) / (time.monotonic() - began)) > _MOST_CPU:
        raise BrokenError(f"{share:.0%} of a core while the disk is full and the pump away")


def _cpu_s(process: subprocess.Popen[str]) -> float:
    ticks = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


def _is_write_protected(one: Round, _: Path) -> int:
    """Under the running service, for a while; then once more, and the service is stopped meanwhile."""
    strictly = bool(one.number % 2 == 0)
    with ExitStack() as until_it_ended, one.service(code=4 if strictly else 0) as process:
        one.wait(one.chance.randrange(1, 8))
        with _protected(one, process, strictly):
            one.wait(one.chance.randrange(5, 20))
        one.wait(one.chance.randrange(2, 8))
        until_it_ended.enter_context(_protected(one, process, strictly))
        one.wait(one.chance.randrange(3, 8))
    return one.told("stopped", "unsaved")


@contextmanager
def _protected(one: Round, process: subprocess.Popen[str], strictly: bool) -> Iterator[None]:
    """A read-only disk; `strictly` keeps the service from writing the queue too, which it holds open."""
    one.troubles += 1
    most = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    with write_protected(one.data):
        if strictly:
            resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, most[1]))
        yield
    if process.poll() is None:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, most)


ATTACKS = (
    Attack(3, "full", "the disk fills and is freed while it polls", _rounds(_fills_and_is_freed), share=0.03),
    Attack(3, "refused", "more readings than may wait on a full disk", _rounds(_refuses), share=0.02),
    Attack(3, "full-start", "start and stop on a full disk", _rounds(_starts_and_stops_full), share=0.02),
    Attack(3, "readonly", "the disk takes no writes any more, then again", _rounds(_is_write_protected), share=0.02),
    *faults.ATTACKS,
)
