"""One round on a small disk of its own: the pump, the services that run there, their log, and the count at the end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline.house import House
from pipeline.simulator import SimulatedPump
from tests.chaos.examine import examine, only_reads
from tests.chaos.tally import BrokenError, Tally
from tests.running import fast_service, numbered
from tests.small_disk import fill, small_disk

_SIZE = "8m"
_INTERVAL_S = 0.05
#: Seconds that anything may take here on a busy machine.
PATIENCE_S = 30.0
#: Bytes left free on a disk that is all but full: none, or enough for one small file or a header.
_LEFT = (0, 0, 4096, 20_000, 70_000, 150_000)


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
            _, log = process.communicate(timeout=PATIENCE_S)
        self.stops += 1
        self.events += _events(log)
        if process.returncode != code:
            raise BrokenError(f"exit code {process.returncode} in place of {code}: {log[-2000:]}")

    def wait(self, answers: int) -> None:
        """Wait until the pump has sent so many more."""
        if not self.pump.wait_for(self.pump.answers + answers, PATIENCE_S):
            raise BrokenError("polling stopped")

    @contextmanager
    def full(self, *, wholly: bool = False) -> Iterator[None]:
        """Let the disk be full, or, where it need not be so wholly, now and then all but full."""
        ballast = self.data / "ballast"
        self.troubles += 1
        fill(ballast)
        if not wholly:
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
        most = self.troubles + self.stops
        if flood := {event: count for event, count in told.items() if count > most}:
            raise BrokenError(f"more lines than {most}: {flood}")


def _events(log: str) -> list[dict[str, Any]]:
    try:
        return [json.loads(line) for line in log.splitlines()]
    except ValueError as error:
        raise BrokenError(f"not a line of the log: {log[-2000:]}") from error


def rounds(play: Callable[[Round, Path], int]) -> Callable[[Path, range], Tally]:
    """The attack whose rounds are played so; `play` gives how many readings the logger told as lost."""

    def run(folder: Path, numbers: range) -> Tally:
        return sum((_round(folder / str(number), number, play) for number in numbers), Tally())

    return run


def _round(folder: Path, number: int, play: Callable[[Round, Path], int]) -> Tally:
    folder.mkdir()
    journal = folder / "journal"
    with small_disk(folder / "disk", _SIZE) as data:
        with SimulatedPump(numbered(House().answer_at), journal=journal) as pump:
            one = Round(number, pump, data)
            reported = play(one, journal)
        return replace(one.tally(journal, reported=reported), connections=only_reads(pump))
