"""The newest reading as a page shows it: values by name, how old it is, and whether all is well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pipeline import sensors
from pipeline.clock import utc_text
from pipeline.errors import QueryError
from pipeline.reading import Reading
from pipeline.sensors import Sensor

Document = dict[str, Any]


class Latest:
    """`newest` gives the reading, None before the first one."""

    def __init__(self, newest: Callable[[], Reading | None], zone: ZoneInfo, interval_s: float) -> None:
        self._newest = newest
        self._interval_s = interval_s
        self.zone = zone

    def sensors(self) -> Sequence[Sensor]:
        """The sensors that the reading has, none before the first one."""
        reading = self._newest()
        return sensors.columns(reading.answer.counts) if reading else ()

    def document(self, names: Sequence[str], status: Document, now: datetime) -> Document:
        """The values of some sensors, of all where none is named, with what `status` says of the logger.

        Raises:
            QueryError: the reading has no sensor of a name.
        """
        reading = self._newest()
        known = sensors.controller(reading.answer) if reading else None
        return {
            "time": utc_text(reading.time_ms) if reading else None,
            "age_s": round((now - reading.time).total_seconds(), 1) if reading else None,
            "interval_s": self._interval_s,
            "zone": self.zone.key,
            "firmware": known.firmware if known else None,
            "pump": known.pump if known else None,
            "status": status["status"],
            "reasons": status["reasons"],
            "gaps_today": status["gaps"]["today"],
            "gaps_today_filled": status["gaps"].get("today_filled", 0),
            "gap_now": status["gaps"]["open"],
            "values": _values(reading, names) if reading else {},
            "not_fitted": status["quality"]["not_fitted"],
        }


def _values(reading: Reading, names: Sequence[str]) -> dict[str, float]:
    found = sensors.values(reading.answer)
    if not names:
        return found
    for name in names:
        if name not in found:
            raise QueryError(f"the last reading has no sensor {name!r}", hint="/api/sensors lists them")
    return {name: found[name] for name in names}
