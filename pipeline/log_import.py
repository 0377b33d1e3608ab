"""What a log of the controller gives: the minutes that are missing in the shards, as log parts of the days they touch.

A minute counts once however often it is imported: what an earlier log gave of it keeps its time, and takes what a later
one adds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipeline.clock import from_ms, local_label, utc_text
from pipeline.columns import SOURCES, Columns, inside, merged
from pipeline.errors import ProcessLogError
from pipeline.gap import Gap
from pipeline.log_part import LogDay, LogRow
from pipeline.log_proof import Times
from pipeline.log_trust import Judged, behind_s, judge
from pipeline.processlog import ProcessLog, calculation_of
from pipeline.schema import LIVE
from pipeline.sensors import CLOCK, Sensor

#: Two records so near to each other are one minute of the controller's, milliseconds.
_SAME_MS = 30_000

Minutes = dict[int, dict[Sensor, int]]


@dataclass(frozen=True)
class Finding:
    """What a log says: its times by our clock, seconds that the controller's is behind it, a verdict on each field, how
    many missing minutes it has, and the days that they change.
    """

    from_ms: int
    to_ms: int
    records: int
    behind_s: int | None
    fields: Sequence[Judged]
    times_ms: Sequence[int] = field(repr=False)
    days: Sequence[LogDay] = field(repr=False)

    def report(self, source: str) -> dict[str, Any]:
        """What was accepted and rejected, and why, as a JSON object; `source` says from where the log came."""
        times = {"from": utc_text(self.from_ms), "to": utc_text(self.to_ms)}
        return {
            "log": {"source": source, **times, "records": self.records},
            "clock_behind_s": self.behind_s,
            "fields": [one.document() for one in self.fields],
        }


class LogImport:
    """Looks logs through; `read` gives the columns of a local day, `known` what earlier logs gave of it.

    `interval_s` is the time between two polls: no log row stands nearer to a live one.
    """

    def __init__(
        self,
        read: Callable[[date], Columns],
        known: Callable[[date], LogDay | None],
        *,
        zone: ZoneInfo,
        interval_s: float,
    ) -> None:
        self._read = read
        self._known = known
        self._zone = zone
        self._interval_ms = round(interval_s * 1000)

    def look(self, log: ProcessLog, gaps: Sequence[Gap], now: datetime) -> Finding:
        """What a log gives for the minutes inside some gaps; nothing is changed.

        Raises:
            ProcessLogError: the log cannot be placed in time.
            OSError: the shards cannot be read.
        """
        if not log.times_s:
            raise ProcessLogError("the process log has no records")
        live = self._live(log)
        behind = behind_s(log, live, now)
        times = (np.array(log.times_s, np.int64) + (behind or 0)) * 1000
        fields = tuple(judge(log, times, live))
        wanted = np.flatnonzero(inside(times, gaps) & ~self._is_near(times, live.times_ms))
        minutes = _minutes(log, fields, times, wanted)
        return Finding(
            int(times[0]),
            int(times[-1]),
            len(times),
            behind,
            fields,
            tuple(minutes),
            tuple(self._days(minutes, _refuted(fields))),
        )

    def _live(self, log: ProcessLog) -> Columns:
        """The live rows of a log's days, of the sensors that it has: clock and zone are off by hours at most."""
        wanted = {CLOCK, *map(calculation_of, log.fields)}
        first, last = (from_ms(time_s * 1000).date() for time_s in (log.times_s[0], log.times_s[-1]))
        days = (first + timedelta(days=n) for n in range(-1, (last - first).days + 2))
        return merged([_of_calculations(self._read(day), wanted) for day in days])

    def _is_near(self, times: Times, live_times: Times) -> NDArray[np.bool_]:
        """Which times have a live row within the interval."""
        first = np.searchsorted(live_times, times - self._interval_ms, "right")
        return first < np.searchsorted(live_times, times + self._interval_ms, "left")

    def _days(self, minutes: Minutes, refuted: frozenset[Sensor]) -> Iterator[LogDay]:
        """The days that change: all that is known of them, with some minutes."""
        by_day: dict[date, Minutes] = {}
        for time_ms, values in minutes.items():
            day, _ = local_label(from_ms(time_ms), self._zone)
            by_day.setdefault(day, {})[time_ms] = values
        for day, found in by_day.items():
            known = self._known(day)
            whole = _union(_of(known), found, refuted)
            one = self._day(day, whole)
            if one != known:
                yield one

    def _day(self, day: date, minutes: Minutes) -> LogDay:
        trusted = sorted({sensor for values in minutes.values() for sensor in values}, key=lambda each: each.place)
        rows = (
            LogRow(
                time_ms,
                local_label(from_ms(time_ms), self._zone)[1],
                tuple(values.get(sensor) for sensor in trusted),
            )
            for time_ms, values in sorted(minutes.items())
        )
        return LogDay(day, tuple(trusted), tuple(rows), self._interval_ms)


def _of_calculations(columns: Columns, wanted: Collection[int | None]) -> Columns:
    """The live rows of some calculations' columns."""
    few = {sensor: column for sensor, column in columns.columns.items() if _is_one(sensor, wanted)}
    found = replace(columns, columns=few)
    is_live = found.sources.spread(len(found.times_ms)) == SOURCES.index(LIVE)
    return found if is_live.all() else found.cut(is_live)


def _is_one(sensor: Sensor, wanted: Collection[int | None]) -> bool:
    return sensor.group == "calculations" and sensor.index in wanted


def _minutes(log: ProcessLog, fields: Sequence[Judged], times: Times, wanted: NDArray[np.intp]) -> Minutes:
    """The trusted values of some records, by time; of two fields for one sensor the first counts."""
    found: Minutes = {int(times[at]): {} for at in wanted}
    for one in reversed(fields):
        if one.is_trusted:
            values = log.column(one.field)
            for at in wanted:
                found[int(times[at])][one.sensor] = values[at]
    return {time_ms: values for time_ms, values in found.items() if values}


def _refuted(fields: Sequence[Judged]) -> frozenset[Sensor]:
    """The sensors of which a field said something else than the pump."""
    return frozenset(one.sensor for one in fields if one.verdict.is_refuted)


def _of(known: LogDay | None) -> Minutes:
    if known is None:
        return {}
    pairs = (zip(known.sensors, row.raws, strict=True) for row in known.rows)
    cells = ({sensor: raw for sensor, raw in pair if raw is not None} for pair in pairs)
    return {row.time_ms: values for row, values in zip(known.rows, cells, strict=True)}


def _union(before: Minutes, found: Mapping[int, Mapping[Sensor, int]], refuted: frozenset[Sensor]) -> Minutes:
    """All minutes: one that is known keeps its time and what the log does not deny, and takes what the log has."""
    whole = {time_ms: dict(values) for time_ms, values in before.items()}
    times = sorted(whole)
    for time_ms, values in found.items():
        place = bisect_left(times, time_ms)
        at = next((each for each in times[max(place - 1, 0) : place + 1] if abs(each - time_ms) < _SAME_MS), None)
        if at is None:
            whole[time_ms] = dict(values)
        else:
            whole[at] = {sensor: raw for sensor, raw in whole[at].items() if sensor not in refuted} | dict(values)
    return whole
