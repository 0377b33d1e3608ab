"""A year of full-size shards, made from a few days: each stands for the days up to the next one, its times moved.

The days are those of the simulated house from winter to winter, with as many changing cells a row as a real controller
has. All have one offset from UTC. The newest are plain, the others compressed, as the service leaves them.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from random import Random

import numpy as np

from pipeline import day_columns
from pipeline.catalog import Catalog
from pipeline.columns import Columns
from pipeline.part import Part, list_parts
from pipeline.reading import Reading
from tests.bench import days

#: The first local day.
FIRST = days.MIDNIGHT.date()
#: The offset from UTC that all days have.
_OFFSET_S = 3600
_ZONE = timezone(timedelta(seconds=_OFFSET_S))
#: Days between two that are made.
_STRIDE = 61
#: Calculations that rest in the simulated house and here differ from poll to poll: a row of a real controller has about
#: 35 cells that are not those of the row before, one of the house 22.
_RESTLESS = range(183, 197)
#: Where `time` and `local_time` stand in a row.
_TIME, _LOCAL_TIME = slice(0, 10), slice(25, 35)


@dataclass(frozen=True)
class Year:
    """So many days of shards in a folder, `a_day` readings in each, the newest ones `plain`: by default as many as
    `COMPRESS_AFTER_DAYS` says.
    """

    folder: Path
    length: int
    a_day: int = days.A_DAY
    plain: int = 8

    @property
    def shards(self) -> Path:
        return self.folder / "shards"

    @property
    def first(self) -> datetime:
        """When it begins."""
        return datetime.combine(FIRST, time(), _ZONE)

    @property
    def end(self) -> datetime:
        return self.first + timedelta(days=self.length)

    def days(self) -> list[date]:
        return [FIRST + timedelta(days=n) for n in range(self.length)]

    def make(self) -> None:
        """Write the shards."""
        days.write(str(self._made), self._readings())
        self.shards.mkdir()
        for schema in self._made_shards.glob("schema-*.json"):
            shutil.copy(schema, self.shards)
        plain = {part.day: path.read_bytes() for part, path in list_parts(self._made_shards).items()}
        for n, day in enumerate(self.days()):
            made = _made_for(day)
            content = _moved(plain[made], day - made)
            path = self.shards / Part(day, 1).name
            if n < self.length - self.plain:
                # Level 1 is seven times as fast; readers of it take as long.
                path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 1, mtime=0))
            else:
                path.write_bytes(content)

    def begin_next(self) -> None:
        """Write the shard of half a day more, the open one."""
        made, day = _made_for(self.days()[-1]), self.end.date()
        rows = (self._made_shards / Part(made, 1).name).read_bytes().splitlines(keepends=True)
        (self.shards / Part(day, 1).name).write_bytes(_moved(b"".join(rows[: 1 + self.a_day // 2]), day - made))

    def columns(self) -> dict[date, tuple[Columns, list[str]]]:
        """The columns of every day, as `day_columns.read` would give them, each made day read but once."""
        made = {day: day_columns.read(self._made_shards, Catalog(self._made_shards), day) for day in self._made_days()}
        return {day: _moved_columns(*made[_made_for(day)], day - _made_for(day)) for day in self.days()}

    @property
    def _made(self) -> Path:
        return self.folder / "made"

    @property
    def _made_shards(self) -> Path:
        return self._made / "shards"

    def _made_days(self) -> list[date]:
        return sorted({_made_for(day) for day in self.days()})

    def _readings(self) -> Iterator[Reading]:
        chance = Random(1)
        for day in self._made_days():
            for reading in days.readings((day - FIRST).days * self.a_day, self.a_day, self.a_day):
                yield _restless(_at_offset(reading), chance)


def _made_for(day: date) -> date:
    return day - timedelta(days=(day - FIRST).days % _STRIDE)


def _at_offset(reading: Reading) -> Reading:
    """The same wall time where summer has no time of its own."""
    time_ms = reading.time_ms + (reading.offset_s - _OFFSET_S) * 1000
    return replace(reading, time_ms=time_ms, offset_s=_OFFSET_S)


def _restless(reading: Reading, chance: Random) -> Reading:
    raws = list(reading.answer.calculations)
    for place in _RESTLESS:
        raws[place] = 200 + chance.randrange(10)
    return replace(reading, answer=replace(reading.answer, calculations=tuple(raws)))


def _moved(plain: bytes, by: timedelta) -> bytes:
    """A shard whose rows are so many days later."""
    later: dict[bytes, bytes] = {}
    header, *rows = plain.splitlines(keepends=True)
    moved = [header]
    for row in rows:
        dates = row[_TIME], row[_LOCAL_TIME]
        for text in dates:
            if text not in later:
                later[text] = (date.fromisoformat(text.decode()) + by).isoformat().encode()
        utc, local = (later[text] for text in dates)
        moved += [utc, row[_TIME.stop : _LOCAL_TIME.start], local, row[_LOCAL_TIME.stop :]]
    return b"".join(moved)


def _moved_columns(columns: Columns, schemas: list[str], by: timedelta) -> tuple[Columns, list[str]]:
    times_ms = columns.times_ms + np.int64(by / timedelta(milliseconds=1))
    return replace(columns, times_ms=times_ms), schemas
