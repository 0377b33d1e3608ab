"""What charts are made of: series of the archive and the open day, less what cannot be right, and the gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import plot, sensor_list
from pipeline.archive import Archive
from pipeline.asked import Window
from pipeline.clock import to_ms, utc_text
from pipeline.errors import UnknownSensorError
from pipeline.gap import Gap
from pipeline.quality import Step
from pipeline.reading import Reading
from pipeline.sensors import Sensor, columns
from pipeline.series import ReducedSeries, Series
from pipeline.trust import by_column

Document = dict[str, Any]

#: The longest window of which states are told as runs: a day has some dozens of each.
_MOST_OF_RUNS = timedelta(days=100)


@dataclass(frozen=True)
class Beside:
    """What stands beside the values, as of now: gaps, impossible steps, sensors not fitted, the newest reading."""

    gaps: Callable[[], Sequence[Gap]]
    steps: Callable[[], Sequence[Step]]
    not_fitted: Callable[[], Sequence[str]]
    newest: Callable[[], Reading | None]


class ChartData:
    """Answers from an archive, for one thread at a time; `interval_s` is how far two polls lie apart."""

    def __init__(self, archive: Archive, beside: Beside, zone: ZoneInfo, interval_s: float) -> None:
        self._archive = archive
        self._beside = beside
        self._zone = zone
        self._interval_s = interval_s
        self._listed: tuple[object, Document] | None = None

    def series(
        self, names: Sequence[str], asked: Window, points: int | None, *, states_as_runs: bool = False
    ) -> Document:
        """The values of some sensors in a window, with what is to be known of them; states and switches are told as
        runs of one value where that is asked for and the window is not too long.

        Raises:
            QueryError: a name that no day has.
            ArchiveError, OSError: they cannot be read now.
        """
        start_ms, end_ms = to_ms(asked.start), to_ms(asked.end)
        not_fitted = set(self._beside.not_fitted())
        absent = [name for name in names if name in not_fitted]
        fitted = [name for name in names if name not in absent]
        steps = self._beside.steps()
        gaps = self.gaps(asked)
        chart = plot.Plot(by_column(steps), gaps)
        in_runs = states_as_runs and asked.end - asked.start <= _MOST_OF_RUNS
        states = {name for name in fitted if in_runs and sensor_list.is_state(name)}
        for one in self._query([name for name in fitted if name not in states], asked, points):
            chart.add(one)
        for one in self._query([name for name in fitted if name in states], asked, None):
            if isinstance(one, Series):
                chart.add_runs(one, round(self._interval_s * 1000))
        return {
            "from": utc_text(start_ms),
            "to": utc_text(end_ms),
            "zone": self._zone.key,
            "interval_s": self._interval_s,
            **chart.document(),
            "gaps": [gap.document() for gap in gaps],
            "steps": plot.marks(steps, fitted, start_ms, end_ms),
            "not_fitted": absent,
        }

    def _query(self, names: Sequence[str], asked: Window, points: int | None) -> Sequence[Series | ReducedSeries]:
        """The series of the sensors that have readings in a window; those that have some now may have had none then."""
        if not names:
            return []
        try:
            return self._archive.query(names, asked.start, asked.end, points)
        except UnknownSensorError as error:
            newest = self._beside.newest()
            known = {sensor.name for sensor in columns(newest.answer.counts)} if newest else set()
            if not known.issuperset(error.names):
                raise
            return self._query([name for name in names if name not in error.names], asked, points)

    def gaps(self, asked: Window) -> list[Gap]:
        """The gaps that lie in a window or reach into it, in order."""
        start_ms, end_ms = to_ms(asked.start), to_ms(asked.end)
        found = [gap for gap in self._beside.gaps() if gap.from_ms < end_ms and start_ms < gap.to_ms]
        return sorted(found, key=lambda gap: gap.from_ms)

    def sensors(self, asked: Window, newest: Sequence[Sensor]) -> Document:
        """Every sensor that has readings in a window, and those of the newest reading.

        Raises:
            ArchiveError, OSError: they cannot be read now.
        """
        not_fitted = self._beside.not_fitted()
        key = (self._archive.days(), tuple(newest), tuple(not_fitted))
        if self._listed is None or self._listed[0] != key:
            known = {one.place: one for one in (*self._archive.sensors(asked.start, asked.end), *newest)}
            ordered = [known[place] for place in sorted(known)]
            self._listed = (key, sensor_list.document(ordered, self._archive.changing(), not_fitted))
        return self._listed[1]
