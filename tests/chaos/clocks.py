"""Clocks that lie: both nights of the year, steps of hours, days and years, a start in 1970, a clock that stands."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from unittest import mock
from zoneinfo import ZoneInfo

from pipeline.part import list_parts
from pipeline.reading import Answer, Reading
from pipeline.rows import RowWriter
from pipeline.schema import Schema
from pipeline.simulator import SimulatedPump
from pipeline.simulator_answers import Journal
from stages.archive import Archiving
from stages.retain import DAYS_AT_ONCE
from tests.chaos import clocks_live
from tests.chaos.examine import examine, only_reads
from tests.chaos.stepped import Machine, SteppedClock
from tests.chaos.tally import Attack, BrokenError, Tally
from tests.parts import BERLIN, NOON, TurnedClock, answer, open_shards, reading
from tests.rollups import make_rollup
from tests.running import numbered

HOUR, DAY = 3600.0, 86_400.0
#: What a wall clock is put ahead by, or back.
_STEPS_S = (HOUR, -HOUR, DAY, -DAY, 3652 * DAY, -3652 * DAY, 1800.0, -90.0)
#: What a wall clock shows that was never set, or set to nonsense.
_ODD = (
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, tzinfo=UTC),
    datetime(2100, 2, 28, 22, tzinfo=UTC),
)
#: Zones and local days on which their clocks change, by an hour or by half of one.
NIGHTS = (
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
)
#: In the hour that is skipped or comes twice, at its ends, and elsewhere.
_CSV_TIMES = (time(2, 30), time(2, 15), time(2), time(1, 45), time(1, 30), time(3), time(0), time(7))


#: The day before the clocks go back.
_AUTUMN = datetime(2026, 10, 24, 10, tzinfo=UTC)
#: The usual retentions, counted from the third newest day.
_DAYS_KEPT, _DAYS_PLAIN = 365, 8


def small(_: datetime) -> Answer:
    """An answer with few sensors, for rounds that take weeks."""
    return answer()


def _each(one: Callable[[Path, SimulatedPump, random.Random, int], Callable[..., Tally]]) -> Callable[..., Tally]:
    """Rounds that each have their own folder and pump; `one` gives what is left to do once the pump has stopped."""

    def run(folder: Path, rounds: range) -> Tally:
        total = Tally()
        for number in rounds:
            data, journal = folder / str(number), folder / f"{number}.journal"
            with SimulatedPump(numbered(small), journal=journal) as pump:
                look = one(data, pump, random.Random(number), number)
            total += replace(look(data, journal, rounds=1), connections=only_reads(pump))
        return total

    return run


def _options(zone: str, csv_time: time, **others: str) -> dict[str, str]:
    fixed = {"BUFFER_SAMPLES": "5", "SHARD_RETENTION_DAYS": "0"}
    return {"TIMEZONE": zone, "CSV_TIME": f"{csv_time:%H:%M}", **fixed, **others}


def _look(zone: str, csv_time: time, now: datetime) -> Callable[..., Tally]:
    rollup = partial(make_rollup, csv_time=csv_time, zone=ZoneInfo(zone))
    return partial(examine, now=now, rollup=rollup, misled=True)


def _dst(data: Path, pump: SimulatedPump, chance: random.Random, number: int) -> Callable[..., Tally]:
    """Four days around the night; now and then the wall clock is an hour off or the service begins anew."""
    zone, night = NIGHTS[number % len(NIGHTS)]
    csv_time = _CSV_TIMES[number // len(NIGHTS) % len(_CSV_TIMES)]
    clock = SteppedClock(datetime.combine(night - timedelta(days=2), time(chance.randrange(24)), ZoneInfo(zone)))
    options = _options(zone, csv_time)
    machine = Machine(data, pump, clock, chance, interval_s=1800, **options)
    for _ in range(8):
        machine.run(chance.uniform(1, 23) * HOUR)
        if chance.random() < 0.4:
            machine.stop()
            machine = Machine(data, pump, clock, chance, interval_s=chance.choice((1800, 2100)), **options)
        elif chance.random() < 0.3:
            clock.step(wrong := chance.choice((HOUR, -HOUR)))
            machine.run(chance.uniform(0.1, 3) * HOUR)
            clock.step(-wrong)
    machine.roll()
    machine.stop()
    return _look(zone, csv_time, clock.utc())


def _steps(data: Path, pump: SimulatedPump, chance: random.Random, number: int) -> Callable[..., Tally]:
    """Days in which the wall clock steps there and back, stands, was never set, and the zone is another one."""
    truth = TurnedClock(datetime(2026, chance.randrange(1, 13), chance.randrange(1, 29), 5, tzinfo=UTC))
    clock = SteppedClock(_ODD[0] if number % 3 == 0 else truth.utc())
    zone, csv_time = chance.choice(NIGHTS)[0], chance.choice(_CSV_TIMES)
    machine = Machine(data, pump, clock, chance, interval_s=1800, **_options(zone, csv_time))
    for _ in range(8):
        _mislead(clock, truth, chance)
        spent = chance.uniform(0.2, 30) * HOUR
        machine.run(spent)
        truth.turn(spent)
        if chance.random() < 0.3:
            machine.stop()
            zone = chance.choice(NIGHTS)[0]
            machine = Machine(data, pump, clock, chance, interval_s=1800, **_options(zone, csv_time))
    clock.is_frozen = False
    clock.set(truth.utc())
    machine.run(chance.uniform(1, 26) * HOUR)
    machine.roll()
    machine.stop()
    return _look(zone, csv_time, clock.utc())


def _mislead(clock: SteppedClock, truth: TurnedClock, chance: random.Random) -> None:
    """Let the wall clock stand, be set right, step from where it is, or show a year that nobody meant."""
    clock.is_frozen = chance.random() < 0.15
    what = chance.random()
    if what < 0.4:
        clock.set(truth.utc())
    elif what < 0.8:
        clock.step(chance.choice(_STEPS_S))
    elif what < 0.95:
        clock.set(chance.choice(_ODD))


def _archives_nothing(_: Archiving) -> bool:
    """In place of `step`: to take a year into the archive lasts longer than all the rest of a round."""
    return False


@mock.patch.object(Archiving, "step", new=_archives_nothing)
def _retention(data: Path, pump: SimulatedPump, chance: random.Random, number: int) -> Callable[..., Tally]:
    """400 days of shards and the usual retention; then ten years ahead for an hour, or for two days."""
    is_short = number % 2 == 0
    # Where the clock is wrong for an hour, fewer days are past their time than might go at once.
    older = _past(data, _DAYS_KEPT + 4 if is_short else 400)
    clock = SteppedClock(_AUTUMN)
    options = _options("Europe/Berlin", time(7), CSV_RETENTION_DAYS="4", SHARD_RETENTION_DAYS=str(_DAYS_KEPT))
    machine = Machine(data, pump, clock, chance, interval_s=3600, **options)
    starts, begun = 1, clock.monotonic()
    machine.run(chance.uniform(1, 20) * HOUR)
    clock.step(ahead := chance.choice((3652 * DAY, 3653 * DAY, 26_000 * DAY)))
    wrong_s = HOUR if is_short else 2.1 * DAY
    # Up to midnight of the wrong clock, so that an hour falls into two days.
    machine.run(_until_midnight(clock) - HOUR / 2)
    for _ in range(3):
        machine.run(wrong_s / 3)
        machine.roll()
        if chance.random() < 0.5:
            machine.stop()
            machine = Machine(data, pump, clock, chance, interval_s=3600, **options)
            starts += 1
    clock.step(-ahead)
    machine.run(chance.uniform(1, 20) * HOUR)
    machine.roll()
    machine.stop()
    most = DAYS_AT_ONCE * (starts + int((clock.monotonic() - begun) // DAY))
    return partial(_retained, older, clock.utc(), most=most, only_old=is_short)


def _until_midnight(clock: SteppedClock) -> float:
    local = clock.utc().astimezone(BERLIN)
    return (local.replace(hour=23, minute=59, second=59) - local).total_seconds()


def _past(data: Path, days: int) -> list[Reading]:
    """A reading at noon of each of so many days, in shards as they stand after that time: the older ones compressed."""
    readings = [reading((_AUTUMN - NOON).total_seconds() - i * DAY, i) for i in reversed(range(1, days))]
    open_shards(data).append(readings[-2:])
    schema = Schema.of(readings[0].answer)
    for one in readings[:-2]:
        content = schema.header + RowWriter(schema).line(one, one.time_ms)
        path = data / "shards" / f"{one.day}.csv"
        if one.day < readings[-1].day - timedelta(days=9):
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(content))
        else:
            path.write_bytes(content)
    return readings


def _retained(
    older: list[Reading],
    now: datetime,
    data: Path,
    journal: Path,
    *,
    rounds: int,
    most: int,
    only_old: bool,
) -> Tally:
    """Whether only the oldest days went, not too many, and none before its time where the clock was wrong for an hour.

    What went by the rule is no part of the tally; all other days of the past count as served.
    """
    there = {part.day for part in list_parts(data / "shards")}
    gone = [one.day for one in older if one.day not in there]
    # The third newest day, where two days of a wrong clock count as the newest ones: the newest of the right clock.
    counted_from = now.astimezone(BERLIN).date()
    limit = counted_from - timedelta(days=_DAYS_KEPT)
    if gone != [one.day for one in older[: len(gone)]] or len(gone) > most or (only_old and gone and gone[-1] > limit):
        raise BrokenError(f"{len(gone)} days went, {gone[:1]} to {gone[-1:]}, where {most} may, up to {limit}")
    packed = [one.day for one in older if (data / "shards" / f"{one.day}.csv.gz").exists()]
    if only_old and packed[-1] > counted_from - timedelta(days=_DAYS_PLAIN):
        raise BrokenError(f"{packed[-1]} was compressed before its time")
    if not gone:
        raise BrokenError("no day went, though there were days past the retention")
    with closing(Journal(journal)) as sent:
        for one in older[len(gone) :]:
            sent.add(one.answer, one.time_ms)
    rollup = partial(make_rollup, retention_days=4)
    return examine(data, journal, rounds=rounds, now=now, rollup=rollup, misled=True)


ATTACKS = (
    Attack(5, "dst", "both nights on which clocks change, CSV_TIME in the odd hour", _each(_dst), share=0.05),
    Attack(5, "clock-steps", "steps of up to ten years, 1970, a clock that stands", _each(_steps), share=0.05),
    Attack(5, "retention-under-steps", "400 days and a clock ten years ahead", _each(_retention), share=0.02),
    Attack(5, "clocks-live", "a running service whose wall clock runs, stands and steps", clocks_live.run, share=0.02),
)
