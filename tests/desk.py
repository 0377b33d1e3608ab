"""A desk as docs/analysis.md has it: shards with all that can be odd in them, exports, and what was read."""

from __future__ import annotations

import gzip
import shlex
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline import cli, log_part, log_schema
from pipeline.catalog import Catalog
from pipeline.clock import from_ms, local_label, to_ms
from pipeline.compress import compress
from pipeline.log_part import LogDay, LogRow
from pipeline.reading import Answer, Reading
from pipeline.sensors import values
from pipeline.stop import Stop
from tests.parts import BERLIN, NOON, open_shards
from tests.running import only
from tests.test_docs import ROOT, blocks

PAGE = ROOT / "docs" / "analysis.md"
FLOW, STARTS, HEAT, STATE = (
    "ID_WEB_Temperatur_TVL",
    "ID_WEB_Zaehler_BetrZeitImpVD1",
    "ID_WEB_WMZ_Heizung",
    "ID_WEB_WP_BZ_akt",
)
STATES = ("heating", "hot water", "no request")
EVERY = timedelta(minutes=10)


def polled(n: int, *, pump: int = 0, updated: bool = False) -> Reading:
    """The n-th reading of a pump, with values that only it has; an updated controller answers more."""
    moment = NOON + n * EVERY
    letters = "V3.89" if updated else "V3.88"
    raws = [0] * (165 if updated else 160)
    raws[10], raws[57], raws[151] = 300 + n * 7 % 100 + pump, 1000 + pump + n // 5, 5000 + n * (pump + 1)
    raws[78], raws[80] = 58, (0, 1, 5)[n // 6 % 3]
    raws[81 : 81 + len(letters)] = map(ord, letters)
    return Reading(to_ms(moment), *local_label(moment, BERLIN), Answer((n, 7), tuple(raws), (1, 0)))


def wall(one: Reading) -> datetime:
    return one.time.astimezone(BERLIN)


def hourly(readings: Sequence[Reading], logged: Sequence[LogRow] = ()) -> dict[datetime, float]:
    """The mean flow temperature of each wall hour."""
    found: dict[datetime, list[float]] = {}
    pairs = [(wall(one), values(one.answer)[FLOW]) for one in readings]
    pairs += [(from_ms(row.time_ms).astimezone(BERLIN), (row.raws[0] or 0) / 10) for row in logged]
    for moment, value in pairs:
        found.setdefault(moment.replace(minute=0, tzinfo=None), []).append(value)
    return {hour: sum(some) / len(some) for hour, some in found.items()}


def daily(readings: Sequence[Reading], name: str) -> dict[date, float]:
    """What a counter counted on each local day but the first."""
    last = {wall(one).date(): values(one.answer)[name] for one in readings}
    return {day: last[day] - last[before] for before, day in pairwise(sorted(last))}


def state_counts(readings: Sequence[Reading]) -> dict[str, int]:
    texts = {0: "heating", 1: "hot water", 5: "no request"}
    found = [texts[one.answer.calculations[80]] for one in readings]
    return {text: found.count(text) for text in STATES}


def four_days() -> list[Reading]:
    """Readings of four local days; the controller is updated in the second one."""
    return [polled(n, updated=n > 110) for n in range(3 * 144)]


def from_the_log() -> list[LogRow]:
    """Rows of the controller's log that count, each five minutes after a reading; one is the last of its day."""
    return [_logged(n, 5, 500 + n) for n in (80, 81, 215)]


def _logged(n: int, minutes: int, flow: int) -> LogRow:
    moment = polled(n).time + timedelta(minutes=minutes)
    return LogRow(to_ms(moment), local_label(moment, BERLIN)[1], (flow,))


def _put_log(shards: Path) -> None:
    """A log part, in which rows stand too that do not count."""
    catalog, day = Catalog(shards), polled(80).day
    rows = sorted([*from_the_log(), _logged(90, 0, 9999), _logged(91, 0, -9999)], key=lambda row: row.time_ms)
    sensors = log_schema.sensors_for(shards, catalog, day, [FLOW])
    log_part.publish(shards, catalog, LogDay(day, sensors, tuple(rows), 30_000), {})


def lay(folder: Path, readings: Sequence[Reading]) -> Path:
    """Put shards and the page's exports of some readings into a folder."""
    open_shards(folder / "data").append(readings)
    _put_log(folder / "data" / "shards")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        only(patch, DATA_DIR="data", TIMEZONE=BERLIN.key)
        for line in "".join(blocks(PAGE, "sh")).splitlines():
            words = shlex.split(line.partition("-m pipeline ")[2])
            assert cli.main(words, Stop()) == 0
    _make_odd(folder / "data" / "shards")
    return folder


def _make_odd(shards: Path) -> None:
    """A compressed part, one beside an older compressed one, a bad line, and one that is being written."""
    compress(shards / "2026-01-05.csv")
    plain = shards / "2026-01-07.csv"
    header, *lines = plain.read_bytes().splitlines(keepends=True)
    with gzip.open(shards / "2026-01-07.csv.gz", "wb") as file:
        file.writelines([header, *lines[:50]])
    plain.write_bytes(b"".join([header, *lines[:20], lines[20][:60] + b"\n", *lines[20:]]))
    with (shards / "2026-01-08.csv").open("ab") as file:
        file.write(lines[-1][:70].replace(b"01-07", b"01-08"))


def section(title: str, language: str) -> list[str]:
    """The examples in a language below a heading of the page."""
    text = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    found = [block for block in blocks(PAGE, language) if block in text]
    assert found, title
    return found
