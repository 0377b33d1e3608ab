"""`check`: what a person wants to know before the logger runs, and while it does."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pipeline import listing, lock, readout, sensors
from pipeline.catalog import Catalog
from pipeline.clock import to_ms
from pipeline.errors import PumpError
from pipeline.pump import Pump
from pipeline.reading import Answer, Reading
from pipeline.rows import RowWriter
from pipeline.schema import Schema
from pipeline.settings import Settings

#: How much smaller gzip makes a shard or a file made of shards; `make bench ARGS=sizes` measures it.
_COMPRESSION = 34
#: Bytes of a row before one is known.
_USUAL_ROW = 4200
_DAYS_A_YEAR = 365


def run(settings: Settings) -> bool:
    """Print settings, pump and disk; whether a reading was to be had."""
    _print_settings(settings)
    print("\nPump")
    answer = _last_of_service(settings) if lock.is_held(settings.data_dir) else _read_pump(settings)
    print("\nDisk")
    _print_disk(settings, answer)
    for warning in settings.warnings:
        print(f"\nNote: {warning}")
    return answer is not None


def last_reading(settings: Settings) -> Reading | None:
    """The newest reading in the shards."""
    return readout.last(settings.output.shards, Catalog(settings.output.shards))


def _print_settings(settings: Settings) -> None:
    print("Settings")
    rows = [(key, shown or "-", origin) for key, shown, origin in settings.rows()]
    print(_indented(listing.columns(rows)))


def _last_of_service(settings: Settings) -> Answer | None:
    print(f"  a service is running on {settings.data_dir} and the pump likes one client: this is its last reading")
    reading = last_reading(settings)
    if reading is None:
        print("  none yet")
        return None
    age_s = round((datetime.now(UTC) - reading.time).total_seconds())
    print(f"  read {age_s} s ago, at {reading.time:%Y-%m-%d %H:%M:%S} UTC")
    _print_answer(reading.answer, reading.time_ms)
    return reading.answer


def _read_pump(settings: Settings) -> Answer | None:
    began = time.monotonic()
    try:
        answer = Pump(settings.host or "", settings.port, timeout_s=settings.timeout_s).read()
    except PumpError as error:
        got = f", {error.got} of {error.wanted} bytes" if error.wanted else ""
        print(f"  no reading from {settings.host}:{settings.port} ({error.reading}{got}): {error}")
        return None
    print(f"  {settings.host}:{settings.port} answered in {time.monotonic() - began:.2f} s")
    _print_answer(answer, to_ms(datetime.now(UTC)))
    return answer


def _print_answer(answer: Answer, time_ms: int) -> None:
    found = sensors.controller(answer)
    n_parameters, n_calculations, n_visibilities = found.counts
    print(f"  firmware {found.firmware}, pump type {found.pump}")
    print(f"  {n_parameters} parameters, {n_calculations} calculations, {n_visibilities} visibilities")
    if n_calculations > sensors.CLOCK:
        ahead_s = answer.calculations[sensors.CLOCK] - time_ms // 1000
        print(f"  the controller's clock is {abs(ahead_s)} s {'ahead of' if ahead_s > 0 else 'behind'} this machine's")


def _print_disk(settings: Settings, answer: Answer | None) -> None:
    folder = existing(settings.data_dir)
    free = shutil.disk_usage(folder).free
    print(f"  {listing.size(free)} free for {settings.data_dir}")
    year_gb = year_bytes(settings, answer) / 1e9
    every = f"a year of readings every {settings.interval_s} s"
    print(f"  {every} takes about {year_gb:.1f} GB, daily and weekly files included")


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def year_bytes(settings: Settings, answer: Answer | None) -> float:
    """About what lies in DATA_DIR after a year: shards, daily and weekly files, compressed as the settings ask."""
    row = _USUAL_ROW
    if answer is not None:
        row = len(RowWriter(Schema.of(answer)).line(Reading(0, datetime.now(UTC).date(), 0, answer), 0))
    day = row * 86_400 / settings.interval_s
    return day * sum(_day_files(settings))


def _day_files(settings: Settings) -> Iterator[float]:
    """Plain days' worth of each kind of file."""
    # Ages count from the third newest day with a shard, so all of it stays two days longer.
    plain = settings.compress_after_days and settings.compress_after_days + 2
    yield _days(settings.shard_retention_days, plain)
    csv_days = settings.csv_retention_days
    yield _days(csv_days, plain)
    # A weekly holds seven days; only the two newest stay plain.
    yield 7 * _days(csv_days, min(2, plain))


def _days(kept: int, plain: int) -> float:
    kept = min(kept or _DAYS_A_YEAR, _DAYS_A_YEAR)
    plain = min(plain or kept, kept)
    return plain + (kept - plain) / _COMPRESSION


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
