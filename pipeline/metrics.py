"""The logger's figures as Prometheus asks for them; names end in their unit, counters in `_total`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily

from pipeline import sensors
from pipeline.clock import parse_utc_text
from pipeline.reading import Reading
from pipeline.state import OK, Document

_PREFIX = "luxtronik_logger_"


@dataclass(frozen=True)
class Counts:
    """What the stages counted since the service began; times in seconds."""

    polls: int
    missed: int
    retries: int
    failures: Mapping[str, int]
    read_s: float
    rows: int
    bytes: int
    rollups: Mapping[str, int]
    rollup_s: Mapping[str, float]


@dataclass(frozen=True)
class Sources:
    """Where the figures come from; `newest` is None where sensors are not asked for."""

    counts: Callable[[], Counts]
    status: Callable[[], Document]
    newest: Callable[[], Reading | None] | None = None


class Metrics:
    """Collects all figures anew each time they are asked for."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def text(self) -> bytes:
        """All figures, in the text format of Prometheus."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """What the registry asks for."""
        yield from _counted(self._sources.counts())
        yield from _told(self._sources.status())
        if self._sources.newest and (reading := self._sources.newest()):
            yield _values(reading)


def _counted(counts: Counts) -> Iterator[Metric]:
    yield _counter("polls", "Readings that were stored", counts.polls)
    yield _counter("polls_missed", "Polls that stored none", counts.missed)
    yield _counter("poll_retries", "Reads that were tried once more", counts.retries)
    failures = CounterMetricFamily(_PREFIX + "poll_failures", "Reads that failed, by reason", labels=["reason"])
    for reason, number in sorted(counts.failures.items()):
        failures.add_metric([reason], number)
    yield failures
    yield SummaryMetricFamily(
        _PREFIX + "poll_duration_seconds", "Time that whole reads took", counts.polls, counts.read_s
    )
    yield _counter("rows_written", "Rows that became durable in shards", counts.rows)
    yield _counter("bytes_written", "Bytes that became durable in shards", counts.bytes)
    made = SummaryMetricFamily(
        _PREFIX + "rollup_duration_seconds", "Time that daily and weekly files took", labels=["kind"]
    )
    for kind, number in sorted(counts.rollups.items()):
        made.add_metric([kind], number, counts.rollup_s.get(kind, 0.0))
    yield made


def _told(status: Document) -> Iterator[Metric]:
    yield _gauge("up", "1 where the logger does its work, 0 where it fails", status["status"] == OK)
    if status["last_reading"]:
        at_s = parse_utc_text(status["last_reading"]) / 1000
        yield _gauge("last_reading_timestamp_seconds", "Time of the last durable reading", at_s)
    queue = status["queue"]
    if queue["depth"] is not None:
        yield _gauge("queue_depth", "Readings that wait on the queue", queue["depth"])
        yield _gauge("queue_bytes", "Bytes of the queue's files", queue["bytes"])
    yield _gauge("readings_in_memory", "Readings that wait in memory", queue["in_memory"])
    restarts = CounterMetricFamily(_PREFIX + "restarts", "Steps that failed and were begun again", labels=["stage"])
    for stage, number in sorted(status["restarts"].items()):
        restarts.add_metric([stage], number)
    yield restarts
    yield _gauge("archive_days", "Days that stand in the archive", status["archive"]["days"])
    yield _gauge("archive_days_due", "Days that are still to be archived", status["archive"]["due"])
    gaps = GaugeMetricFamily(_PREFIX + "gaps", "Gaps in the gap book, by reason", labels=["reason"])
    missing = GaugeMetricFamily(_PREFIX + "gap_polls", "Polls that are missing in them", labels=["reason"])
    for reason, counts in sorted(status["gaps"]["reasons"].items()):
        gaps.add_metric([reason], counts["gaps"])
        missing.add_metric([reason], counts["missing"])
    yield gaps
    yield missing
    yield _gauge("lost_readings", "Readings that the disk did not keep", status["losses"]["disk"])
    yield _gauge("quarantined", "Pieces in quarantine", status["losses"]["quarantined"])
    yield _gauge("disk_free_bytes", "Bytes free on the disk", status["disk"]["free"])
    yield _gauge("data_bytes", "Bytes in DATA_DIR", status["disk"]["data"])


def _values(reading: Reading) -> Metric:
    family = GaugeMetricFamily(_PREFIX + "sensor", "The newest value of each sensor", labels=["name", "group", "unit"])
    values = sensors.values(reading.answer)
    for sensor in sensors.columns(reading.answer.counts):
        family.add_metric([sensor.name, sensor.group, sensor.unit], values[sensor.name])
    return family


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(_PREFIX + name, about, value)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(_PREFIX + name, about, value)
