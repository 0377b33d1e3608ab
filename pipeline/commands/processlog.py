"""`processlog`: a file of the controller's own log as CSV."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline import exits, sensors
from pipeline.clock import SystemClock, utc_text
from pipeline.errors import LoggerError, ProcessLogError
from pipeline.processlog import MOST_BYTES, Field, ProcessLog, calculation_of, decode
from pipeline.sensors import Sensor
from pipeline.stop import Stop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the command."""
    parser.add_argument("file", type=Path, metavar="FILE", help="what the controller serves at /NewProc")


def run(options: argparse.Namespace, _: Stop) -> int:
    """Print the log of a file as CSV: the time of each record in UTC, then a column for each field.

    Values are in the unit of the calculation that the field repeats, raw where none is known.

    Raises:
        ProcessLogError: the file is no log that can be believed.
        LoggerError: standard output is closed.
        OSError: it cannot be read.
    """
    if sys.stdout is None:
        raise LoggerError("standard output is closed")
    with options.file.open("rb") as file:
        data = file.read(MOST_BYTES + 1)
    try:
        log = decode(data, SystemClock().utc())
    except ProcessLogError as error:
        raise ProcessLogError(f"{options.file}: {error}") from error
    csv.writer(sys.stdout, lineterminator="\n").writerows(rows(log))
    return exits.OK


def rows(log: ProcessLog) -> Iterator[Sequence[str]]:
    """The header and a row for each record."""
    yield ["time", *_names(log.fields)]
    times = (utc_text(time_s * 1000) for time_s in log.times_s)
    yield from zip(times, *(_values(log, field) for field in log.fields), strict=True)


def _names(fields: Sequence[Field]) -> list[str]:
    """Names of columns, each once: with the kind where that tells two apart, all of them numbered where it does not."""
    plain = [_name(field) for field in fields]
    often = Counter(plain)
    names = [f"{name}, {field.kind}" if often[name] > 1 else name for name, field in zip(plain, fields, strict=True)]
    return names if len(set(names)) == len(names) else [f"{n} {name}" for n, name in enumerate(names, 1)]


def _name(field: Field) -> str:
    sensor = _sensor(field)
    unit = f" ({sensor.unit})" if sensor and sensor.unit else ""
    return f"{field.category}: {field.name}{unit}"


def _values(log: ProcessLog, field: Field) -> Iterator[str]:
    sensor = _sensor(field)
    divisor = sensor.divisor if sensor else 1
    return (f"{raw / divisor:.10g}" for raw in log.column(field))


def _sensor(field: Field) -> Sensor | None:
    calculation = calculation_of(field)
    return None if calculation is None else sensors.sensor("calculations", calculation)
