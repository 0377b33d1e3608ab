"""A disk that is full, or takes no writes any more, under the running service; see `faults` for single calls that fail.

The data folder is a small file system of its own. It is filled and emptied while the service polls.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
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
from tests.small_disk import fill, small_disk

_SIZE = "8m"
_DAY_S = 86_400
#: Seconds that anything may take here on a busy machine.
_PATIENCE_S = 8.0
#: Lines of a kind that one trouble may take: when it begins and when it is over.
_LINES = 2
#: Bytes left free on a disk that is all but full: none, or enough for one small file or a header.
_LEFT = (0, 0, 4096, 20_000, 70_000, 150_000)


@dataclass
class Round:
    """One round on a disk of its own: the pump, the data folder, and what the services that were stopped logged."""

    number: int
    chance: random.Random
    pump: SimulatedPump
    data: Path
    events: list[dict[str, Any]]

    def wait(self, answers: int) -> None:
        """Wait until the pump has sent so many more."""
        if not self.pump.wait_for(self.pump.answers + answers, _PATIENCE_S):
            raise BrokenError("polling stopped")

    def fill(self) -> None:
        ballast = self.data / "ballast"
        fill(ballast)
        os.truncate(ballast, max(ballast.stat().st_size - self.chance.choice(_LEFT), 0))

    def free(self) -> None:
        (self.data / "ballast").unlink()

    def stop(self, process: subprocess.Popen[str], *, code: int = 0) -> None:
        """SIGTERM; the service must end in time with this exit code."""
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=_PATIENCE_S)
        self.events += [json.loads(line) for line in log.splitlines()]
        if process.returncode != code:
            raise BrokenError(f"exit code {process.returncode} in place of {code}: {log[-2000:]}")

    def told(self, event: str, fact: str) -> int:
        """The sum of a number over all log lines of an event."""
        return sum(each[fact] for each in self.events if each["event"] == event)


def _check_log(events: list[dict[str, Any]], troubles: int) -> None:
    """A trouble that is the disk's is told in a line when it begins and when it is over, and never by a traceback."""
    if raised := [each for each in events if "traceback" in each]:
        raise BrokenError(f"a traceback in the log: {raised[0]}")
    told = Counter(each["event"] for each in events if each["event"] != "slots skipped")
    if flood := {event: count for event, count in told.items() if count > _LINES * troubles}:
        raise BrokenError(f"more lines than troubles ({troubles}): {flood}")
