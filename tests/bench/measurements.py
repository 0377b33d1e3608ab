"""Every measurement, in the order in which a reading flows."""

from __future__ import annotations

from tests.bench import archive, backlog, browser, exports, page, poll, rollup, service, sizes
from tests.bench.figures import Measurement

MEASUREMENTS = (
    Measurement("poll", "from connecting to the pump until the reading is durable in the queue", poll.measure),
    Measurement("backlog", "readings that waited on the queue, through the writer", backlog.measure),
    Measurement("rollup", "daily and weekly files against cat, and merging", rollup.measure),
    Measurement("upkeep", "the look at what is due, and compressing", rollup.measure_upkeep),
    Measurement("archive", "a year in the archive: making, size, questions, DuckDB and pandas beside", archive.measure),
    Measurement("export", "a year of all sensors as CSV and JSON lines", exports.measure),
    Measurement("sizes", "bytes of readings, rows and files", sizes.measure),
    Measurement("page", "the page's service over a year: memory, answers, polls beside a crowd", page.measure),
    Measurement("browser", "the page in a browser over a year: bytes, charts, zoom", browser.measure),
    Measurement("service", "the whole service for a minute: start, CPU, memory", service.measure),
)
