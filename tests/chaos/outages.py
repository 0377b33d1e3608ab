"""The logger off for 1, 7 and 40 hours, and killed while it fills what was missing from the controller's own log."""

from __future__ import annotations

import csv
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

from pipeline.clock import from_ms, parse_utc_text, to_ms
from pipeline.gap import LOGGER_OFF, Gap, between, filled
from pipeline.gap_book import NAME, GapBook
from pipeline.quarantine import Quarantine
from pipeline.reading import Reading
from pipeline.simulator_log import TICK_S, LogFault, encode_log
from tests.chaos.filling_process import fill
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.filling import HOUSE, Bench, bench, log_rows
from tests.parts import open_shards, stored
from tests.rollups import make_all, make_rollup
from tests.running import ROOT
from tests.test_log_import import live

#: Hours without the logger; the controller's log reaches 48 back.
_HOURS = (1, 7, 40)
#: Seconds between two polls, and between two records, which stand at whole minutes.
_POLL_S, _RECORD_S = 30, 60
#: What may be wrong with the web server for a while; nothing most often.
_TROUBLES = ("", "", "", "refused", "close", "garbage", "torn")
#: The calls in which a process dies, and how many of them, or bytes, there are to choose from.
_DEATHS = (("replace", 6), ("fsync", 10), ("unlink", 2), ("pwrite", 60_000))


@dataclass(frozen=True)
class Outage:
    """Readings before and after a time in which there were none, and the gap as the next start finds it."""

    before: Sequence[Reading]
    after: Sequence[Reading]
    gap: Gap

    @property
    def on(self) -> datetime:
        return self.after[0].time


def _by_chance(chance: random.Random, hours: int) -> Outage:
    off = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(seconds=chance.randrange(20 * 86_400))
    on = off + timedelta(hours=hours, seconds=chance.randrange(600))
    before = live(HOUSE.answer_at, off - timedelta(hours=2), off, _POLL_S)
    after = live(HOUSE.answer_at, on, on + timedelta(hours=4, minutes=10), _POLL_S)
    gap = between(before[-1].time_ms, after[0].time_ms, _POLL_S, LOGGER_OFF)
    if gap is None:
        raise BrokenError(f"an outage of {hours} h leaves no gap")
    return Outage(before, after, gap)


def _outage(folder: Path, chance: random.Random, number: int) -> Tally:
    """The stage looks while readings come again; its server fails now and then, it begins anew, a log comes twice."""
    one = _by_chance(chance, _HOURS[number % len(_HOURS)])
    open_shards(folder).append(one.before)
    with bench(folder, now=one.on) as desk:
        desk.book.add([one.gap])
        _live_on(desk, one, chance)
    return _checked(folder, one)


def _live_on(desk: Bench, one: Outage, chance: random.Random) -> None:
    waiting = list(one.after)
    while waiting:
        count = chance.randrange(1, 41)
        open_shards(desk.folder).append(waiting[:count])
        moment = waiting[:count][-1].time
        del waiting[:count]
        # In the last two hours all is well, so that one more writing of the log is met.
        trouble = chance.choice(_TROUBLES) if len(waiting) > 260 else ""
        desk.log.fault = LogFault(trouble) if trouble else None
        if chance.random() < 0.2:
            desk.begin_anew()
        if chance.random() < 0.1:
            fill(desk.folder, moment, desk.log.file())
        desk.turn(moment, by_s=60)


def _checked(folder: Path, one: Outage) -> Tally:
    """Whether live rows are untouched, and every minute of the gap stands there once with what the controller had."""
    if stored(folder) != [*one.before, *one.after]:
        raise BrokenError("live rows are not what was read")
    rows = log_rows(folder)
    times = [row.time_ms for row, _ in rows]
    wanted = set(_minutes(one))
    for row, values in rows:
        answer = HOUSE.answer_at(from_ms(row.time_ms)).calculations
        if not values or any(answer[index] != raw for index, raw in values.items()):
            raise BrokenError(f"the row of {from_ms(row.time_ms)} is not what the controller had")
    _check_book(folder, one, times)
    _check_files(folder, one, times)
    found = set(times)
    doubled = len(times) - len(found) + sum(b - a < 1000 * _RECORD_S for a, b in pairwise(sorted(found)))
    served = len(one.before) + len(one.after) + len(wanted)
    return Tally(1, served, served - len(wanted - found), lost=len(wanted ^ found), doubled=doubled)


def _minutes(one: Outage) -> list[int]:
    """The moments (ms) of the records that belong into a gap: none within the interval of a reading."""
    first_ms, last_ms = one.gap.from_ms + 1000 * _POLL_S, one.gap.to_ms - 1000 * _POLL_S
    minute = 1000 * _RECORD_S
    return list(range(-(-first_ms // minute) * minute, last_ms + 1, minute))


def _check_book(folder: Path, one: Outage, times: Sequence[int]) -> None:
    gaps = GapBook(folder / NAME, Quarantine(folder / "quarantine").keep).gaps()
    given = filled(one.gap, sorted(times))
    if [(gap.from_ms, gap.to_ms, gap.filled, gap.source) for gap in gaps] != [
        (one.gap.from_ms, one.gap.to_ms, given, "log")
    ]:
        raise BrokenError(f"the gap book has {gaps}, where {given} are filled")


def _check_files(folder: Path, one: Outage, times: Sequence[int]) -> None:
    """Whether weekly files have every row of their days once, in order."""
    now = one.after[-1].time + timedelta(days=2)
    make_all(make_rollup(folder, now=now))
    *_, newest = sorted((folder / "weekly").glob("*.csv"))
    with newest.open(newline="") as file:
        rows = [(parse_utc_text(row["time"]), row["source"]) for row in csv.DictReader(file)]
    expected = {(time_ms, "log") for time_ms in times} | {
        (reading.time_ms, "live") for reading in (*one.before, *one.after)
    }
    if rows != sorted(rows) or set(rows) != expected or len(rows) != len(expected):
        raise BrokenError(f"{newest.name} has {len(rows)} rows where {len(expected)} belong")


def _killed(folder: Path, chance: random.Random, number: int) -> Tally:
    """A process that dies while it fills a gap leaves whole files, and the next one makes what one at rest makes."""
    one = _by_chance(chance, chance.choice(_HOURS))
    now = one.after[-1].time
    open_shards(folder).append([*one.before, *one.after])
    GapBook(folder / NAME, Quarantine(folder / "quarantine").keep).add([one.gap])
    end_s = to_ms(now) // 1000
    content = encode_log(HOUSE.answer_at, end_s - end_s % TICK_S)
    log = folder / "NewProc"
    log.write_bytes(content)
    at_rest = folder.with_name(f"{folder.name}-at-rest")
    shutil.copytree(folder, at_rest)
    fill(at_rest, now, content)
    what, most = _DEATHS[number % len(_DEATHS)]
    _die(folder, now, log, what, chance.randrange(most))
    known = {row.time_ms for row, _ in log_rows(at_rest)}
    left = {row.time_ms for row, _ in log_rows(folder)}
    if not left <= known or stored(folder) != [*one.before, *one.after]:
        raise BrokenError(f"a death in {what} left other rows than there are")
    fill(folder, now, content)
    if _files(folder) != _files(at_rest):
        raise BrokenError(f"after a death in {what} the files are others than without it")
    shutil.rmtree(at_rest)
    return _checked(folder, one)


def _die(folder: Path, now: datetime, log: Path, what: str, nth: int) -> None:
    words = ["-m", "tests.chaos.filling_process", str(folder), now.isoformat(), str(log), what, str(nth)]
    done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    # Where there were fewer calls than that it ended by itself.
    if done.returncode not in (-signal.SIGKILL, 0):
        raise BrokenError(f"exit code {done.returncode}: {done.stderr[-2000:]}")


def _files(folder: Path) -> dict[str, bytes]:
    """What filling gaps makes, by name."""
    return {path.name: path.read_bytes() for path in (folder / NAME, *(folder / "shards").glob("*")) if path.is_file()}


def _run(folder: Path, rounds: range, *, one: Callable[[Path, random.Random, int], Tally]) -> Tally:
    total = Tally()
    for number in rounds:
        here = folder / str(number)
        here.mkdir(parents=True)
        total += one(here, random.Random(number), number)
        shutil.rmtree(here)
    return total


ATTACKS = (
    Attack(8, "outage", "off for 1, 7 and 40 hours, a web server that fails", partial(_run, one=_outage), share=0.05),
    Attack(8, "kill-filling", "SIGKILL while a gap is filled", partial(_run, one=_killed), share=0.1),
)
