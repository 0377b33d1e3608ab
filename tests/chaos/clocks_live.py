"""A real service process while its wall clock runs thousands of times too fast, stands, or steps by hours and years."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from datetime import time as wall_time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.reading import Answer
from pipeline.simulator import SimulatedPump
from tests.chaos.examine import examine, only_reads
from tests.chaos.tally import BrokenError, Tally
from tests.parts import answer
from tests.rollups import make_rollup
from tests.running import ROOT, environment, numbered

_INTERVAL_S = 0.05
#: Whole answers that a round waits for, and seconds that it waits.
_ANSWERS, _PATIENCE_S = 40, 60.0
#: Seconds by which the first or the last poll may come late on a busy machine.
_LATE_S = 1.0
_NOW = datetime(2026, 10, 24, 20, tzinfo=UTC)
#: Two hours before the clocks change.
_NIGHTS = (
    ("Europe/Berlin", datetime(2026, 10, 24, 23, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 13, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 13, 30, tzinfo=UTC)),
)
#: It comes twice in one of these nights, and in the other one never.
_CSV_TIME = wall_time(2, 15)
_NEVER_SET = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = timedelta(days=3652)

_Script = list[tuple[float, str, float]]


def run(folder: Path, rounds: range) -> Tally:
    """Rounds that each have their own folder, script and pump."""
    total = Tally()
    for number in rounds:
        data, journal = folder / str(number), folder / f"{number}.journal"
        zone, script = _script(number)
        asked: list[float] = []
        with (
            SimulatedPump(numbered(partial(_answer, asked)), journal=journal) as pump,
            _service(data, pump, zone, script) as process,
        ):
            if not pump.wait_for(_ANSWERS, _PATIENCE_S):
                raise BrokenError(f"{pump.answers} answers of {_ANSWERS} in {_PATIENCE_S} s")
            process.terminate()
            if code := process.wait(10):
                raise BrokenError(f"the service ended with {code}")
        skipped = _skipped(data.with_suffix(".log"))
        _check_grid(asked, skipped)
        now = datetime.fromisoformat(script[-1][1]) + timedelta(days=2)
        rollup = partial(make_rollup, zone=ZoneInfo(zone), csv_time=_CSV_TIME)
        found = examine(data, journal, rounds=1, kills=1, now=now, rollup=rollup, misled=True)
        total += replace(found, connections=only_reads(pump))
    return total


def _answer(asked: list[float], _: datetime) -> Answer:
    asked.append(time.monotonic())
    return answer()


def _script(number: int) -> tuple[str, _Script]:
    """Zone and wall clock of a round: a night at high speed, then what a round's number brings."""
    chance = random.Random(number)
    kind = number % 5
    if kind == 0:
        zone, night = _NIGHTS[number // 5 % len(_NIGHTS)]
        return zone, [(0.0, night.isoformat(), chance.choice((14_400.0, 18_000.0)))]
    walls: list[tuple[datetime, float]] = {
        1: [(_NEVER_SET, 1.0), (_NOW, 1.0)],
        2: [(_NOW, 0.0), (_NOW, 600.0)],
        3: [
            (_NOW + timedelta(hours=chance.choice((-24, -1, 1, 24))), 1.0),
            (_NOW, 1.0),
            (_NOW + _YEARS, 1.0),
            (_NOW, 1.0),
        ],
        4: [
            (datetime(2038, 1, 19, 3, 14, 7, tzinfo=UTC), 1.0),
            (datetime(2100, 2, 28, 23, tzinfo=UTC), 7200.0),
            (_NOW, 1.0),
        ],
    }[kind]
    apart_s = chance.uniform(0.3, 0.6)
    return "Europe/Berlin", [(i * apart_s, wall.isoformat(), speed) for i, (wall, speed) in enumerate(walls)]


@contextmanager
def _service(data: Path, pump: SimulatedPump, zone: str, script: _Script) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "tests.chaos.clocked_service", str(_INTERVAL_S), json.dumps(script)]
    env = environment(data, pump.address, TIMEZONE=zone, CSV_TIME=f"{_CSV_TIME:%H:%M}", SHARD_RETENTION_DAYS="0")
    with (
        data.with_suffix(".log").open("wb") as log,
        subprocess.Popen(command, cwd=ROOT, env=env, stderr=log) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def _skipped(log: Path) -> int:
    """Slots that the service itself told as skipped.

    Raises:
        BrokenError: it told of an error, or something else wrote to its log.
    """
    lines = log.read_text().splitlines()
    try:
        told = [json.loads(line) for line in lines]
    except ValueError:
        raise BrokenError(f"{log}: not only lines of the log") from None
    if wrong := [line for line in told if line["level"] in ("error", "critical")]:
        raise BrokenError(f"errors were told: {wrong[:3]}")
    return sum(line["slots"] for line in told if line["event"] == "slots skipped")


def _check_grid(asked: list[float], skipped: int) -> None:
    """A poll for each slot between the first and the last, but for those told as skipped."""
    passed = (asked[-1] - asked[0]) / _INTERVAL_S
    if abs(passed - (len(asked) - 1 + skipped)) > _LATE_S / _INTERVAL_S:
        raise BrokenError(f"{len(asked)} polls and {skipped} skipped slots where {passed:.0f} slots went by")
