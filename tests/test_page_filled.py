"""Gaps that the controller's own log fills, as the page shows them: half of one is filled, the other half is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline import derived, history
from pipeline.clock import to_ms
from pipeline.gap import LOGGER_OFF, PUMP_SILENT, Gap
from pipeline.gap_book import GapBook
from pipeline.history import TurnedClock
from pipeline.house import House
from pipeline.log_fetch import LogServer
from pipeline.simulator_log import SimulatedLog
from tests.browsing import DESKTOP, PHONE, barriers_by_day_and_night, browsing, opened
from tests.serving import COMPRESSOR, FLOW, Served, serving

HEATING = "ID_WEB_WMZ_Heizung"
HOUR = timedelta(hours=1)
#: The controller writes its log at even hours; when this one is fetched, the second hour is not in it.
OFF, WRITTEN, ON = (datetime(2025, 11, 12, hour, tzinfo=UTC) for hour in (9, 10, 11))
#: The same times of the day before, without a gap.
BEFORE = timedelta(days=1)
GAP = Gap(to_ms(OFF - timedelta(seconds=30)), to_ms(ON), 240, 240, LOGGER_OFF)
BEGIN, END = WRITTEN - timedelta(minutes=20), WRITTEN + timedelta(minutes=20)
FROM_LOG = "Aus dem Protokoll des Reglers; der Logger lief nicht"
MARK = "aus dem Protokoll des Reglers gefüllt"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Readings every 30 s around two hours without any, the first of which comes from the controller's log."""
    source = House().answer_at
    with serving(tmp_path_factory.mktemp("filled"), 0) as found:
        for since, until in ((OFF - BEFORE, ON - BEFORE), (OFF - 2 * HOUR, OFF), (ON, ON + HOUR)):
            history.fill(found.built, found.chosen, source, since=since, until=until, progress=lambda _d, _t: None)
        book = GapBook(found.chosen.data_dir / "gaps.csv", lambda _name, _data: None)
        book.add([GAP])
        clock = TurnedClock(ON + timedelta(minutes=5))
        with SimulatedLog(source, clock=clock) as log:
            fetch = LogServer(*log.address, whole_s=9).fetch
            derived.backfill(found.chosen, book, clock=clock, interval_s=30, fetch=fetch).step(0)
        assert 0 < book.gaps()[-1].filled < GAP.missing
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


def address(served: Served, names: str, begin: datetime = BEGIN, end: datetime = END, more: str = "") -> str:
    return f"{served.url}/#/?from={begin:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}&s={names}{more}"


def point_at(page: Page, moment: datetime, begin: datetime = BEGIN, end: datetime = END) -> None:
    chart = page.locator(".plot .u-over").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * ((moment - begin) / (end - begin)), box["y"] + box["height"] / 2)


def painted(page: Page, chart: int, colour: str, begin: datetime, end: datetime) -> tuple[float, float]:
    """Which share of a chart's columns between two moments has a colour of the page's, or one near it, and which share
    of its dots is of it.
    """
    columns, dots = page.evaluate(
        """([chart, name, from, to]) => {
        const figure = document.querySelectorAll("figure")[chart];
        const [canvas, over] = ["canvas", ".u-over"].map((each) => figure.querySelector(each));
        const [whole, plot] = [canvas, over].map((each) => each.getBoundingClientRect());
        const ratio = canvas.width / whole.width;
        const left = Math.ceil((plot.left - whole.left + plot.width * from) * ratio);
        const width = Math.floor(plot.width * (to - from) * ratio);
        const top = Math.round((plot.top - whole.top) * ratio);
        const copy = document.createElement("canvas");
        [copy.width, copy.height] = [canvas.width, canvas.height];
        const pen = copy.getContext("2d", { willReadFrequently: true });
        pen.drawImage(canvas, 0, 0);
        const { data } = pen.getImageData(left, top, width, Math.floor(plot.height * ratio));
        const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        const wanted = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
        const columns = new Set();
        let dots = 0;
        for (let i = 0; i < data.length; i += 4) {
            if (!wanted.every((each, n) => Math.abs(each - data[i + n]) < 16)) continue;
            columns.add((i / 4) % width);
            dots++;
        }
        return [columns.size / width, dots / (data.length / 4)];
        }""",
        [chart, colour, (begin - BEGIN) / (END - BEGIN), (end - BEGIN) / (END - BEGIN)],
    )
    return columns, dots


#: Well within what is filled, and what is not.
FILLED = (BEGIN + timedelta(minutes=2), WRITTEN - timedelta(minutes=2))
LEFT = (WRITTEN + timedelta(minutes=2), END - timedelta(seconds=30))


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_curve_goes_on_through_what_the_log_filled_on_a_ground_of_its_own(
    browser: Browser, served: Served, size: tuple[int, int], dark: bool
) -> None:
    where = address(served, f"{FLOW},{HEATING},{COMPRESSOR}", OFF - HOUR / 2, ON + HOUR / 2)
    with opened(browser, where, size, language="de-DE", dark=dark) as (page, seen):
        expect(page.locator(".marks li")).to_have_text(MARK)
        page.goto(address(served, f"{FLOW},{HEATING},{COMPRESSOR}"))
        expect(page.locator(".marks li")).to_have_text(MARK)
        page.wait_for_timeout(300)
        # Records are a minute apart, which is many columns.
        assert painted(page, 0, "--curve-1", *FILLED)[0] > 0.9
        assert painted(page, 0, "--curve-1", *LEFT)[0] == 0
        for chart in (0, 2):
            assert painted(page, chart, "--hatch", *FILLED)[0] > 0.5
            assert painted(page, chart, "--gap", *FILLED)[1] < 0.2
            assert painted(page, chart, "--gap", *LEFT)[1] > 0.8
        assert painted(page, 1, "--gap", *FILLED)[1] > 0.8
        assert painted(page, 1, "--filled", BEGIN, END)[1] < 0.1
    assert seen.complaints == []


def test_words_tell_what_was_filled_why_and_what_stays_missing(browser: Browser, served: Served) -> None:
    with opened(browser, address(served, f"{FLOW},{HEATING},{COMPRESSOR}"), language="de-DE") as (page, seen):
        expect(page.locator(".marks li")).to_have_text(MARK)
        filled, gap, values = (page.locator(name) for name in (".readout-filled", ".readout-gap", ".legend-value"))
        flow = re.compile(r"^\d+,\d\s°C$")
        # Between two records as well as at one.
        for seconds in (-600, -585, -570, -555):
            point_at(page, WRITTEN + timedelta(seconds=seconds))
            expect(filled).to_have_text(re.compile(rf"^{FROM_LOG} \(09:59:30 bis 12:00:00\)$"))
            expect(gap).to_have_text("nicht darin: Wärmemenge Heizung")
            expect(values.nth(0)).to_have_text(flow)
            expect(values.nth(1)).to_have_text("\u2013")
            expect(values.nth(2)).to_have_text(re.compile("an|aus"))
        point_at(page, WRITTEN + timedelta(minutes=10))
        expect(gap).to_have_text(re.compile(r"^Lücke: der Logger lief nicht, \d+ Messwerte fehlen, auch im Protokoll"))
        expect(filled).to_have_count(0)
        for n in range(3):
            expect(values.nth(n)).to_have_text("\u2013")
        around = (OFF - HOUR, ON + HOUR)
        page.goto(address(served, HEATING, *around))
        expect(values).to_have_count(1)
        expect(values).to_have_text(re.compile("kWh$"))
        expect(page.locator(".marks")).to_have_count(0)
        point_at(page, WRITTEN - HOUR / 2, *around)
        expect(gap).to_have_text(re.compile(r"^Lücke: der Logger lief nicht, \d+ Messwerte fehlen, auch im Protokoll"))
    assert seen.complaints == []


def test_table_and_statistics_have_what_is_drawn(browser: Browser, served: Served) -> None:
    where = address(served, f"{FLOW},{HEATING},{COMPRESSOR}", BEGIN, WRITTEN, "&table=1")
    with opened(browser, where, language="de-DE") as (page, seen):
        rows = page.locator(".values tbody tr")
        expect(rows).to_have_count(20)
        for n in (0, 10, 19):
            flow, heat, on = (rows.nth(n).locator("td").nth(column) for column in range(3))
            expect(flow).to_have_text(re.compile("°C$"))
            expect(heat).to_have_text("\u2013")
            expect(on).to_have_text(re.compile("an|aus"))
        cells = page.get_by_role("region", name="Statistik").locator("tbody tr")
        expect(cells.nth(0).locator("td").nth(1)).to_have_text(re.compile("°C$"))
        expect(cells.nth(1).locator("td")).to_have_text(["\u2013", "\u2013", "\u2013"])
        expect(cells.nth(2).locator("td").nth(1)).to_have_text(re.compile("%$"))
    assert seen.complaints == []


@pytest.mark.parametrize("is_own", [True, False])
def test_day_with_a_filled_gap_compares_with_one_without(browser: Browser, served: Served, is_own: bool) -> None:
    by, other = (timedelta(0), "2025-11-11") if is_own else (BEFORE, "2025-11-12")
    window = (BEGIN - by, END - by)
    names = ["Vorlauftemperatur", f"Vorlauftemperatur, {12 - is_own}. Nov."]
    with opened(browser, address(served, FLOW, *window, f"&compare={other}"), language="de-DE") as (page, seen):
        expect(page.locator(".legend-name")).to_have_text(names)
        values = page.locator(".legend-value")
        point_at(page, WRITTEN - by - timedelta(seconds=585), *window)
        expect(values).to_have_text([re.compile("°C$"), re.compile("°C$")])
        point_at(page, WRITTEN - by + timedelta(minutes=10), *window)
        expect(values.nth(int(is_own))).to_have_text(re.compile("°C$"))
        expect(values.nth(int(not is_own))).to_have_text("\u2013")
        expect(page.locator(".marks")).to_have_count(1 if is_own else 0)
    assert seen.complaints == []


def test_page_with_a_filled_gap_has_no_serious_barrier(browser: Browser, served: Served) -> None:
    where = address(served, f"{FLOW},{HEATING},{COMPRESSOR}")
    with opened(browser, where, PHONE, language="de-DE", bypass_csp=True) as (page, _):
        expect(page.locator(".marks li")).to_have_text(MARK)
        point_at(page, WRITTEN - timedelta(minutes=10))
        expect(page.locator(".readout-filled")).to_contain_text(FROM_LOG)
        assert barriers_by_day_and_night(page) == []


def test_lists_of_gaps_say_how_much_was_filled_and_from_where(browser: Browser, tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    # A zone in which it is noon, so that both gaps are of today.
    noon = f"Etc/GMT{now.hour - 12:+d}"
    book = GapBook(tmp_path / "data" / "gaps.csv", lambda _name, _data: None)
    times = [to_ms(now - timedelta(minutes=n)) for n in (40, 20, 5, 3)]
    book.add([Gap(times[0], times[1], 39, 39, LOGGER_OFF, 30, "log"), Gap(times[2], times[3], 3, 3, PUMP_SILENT)])
    with serving(tmp_path, 1, TIMEZONE=noon) as found:
        assert found.get("/api/latest").json()["gaps_today_filled"] == 30
        with opened(browser, found.url, language="de-DE") as (page, seen):
            missed = page.get_by_role("link", name="davon")
            expect(missed).to_have_text("42, davon 30 aus dem Protokoll des Reglers gefüllt")
            missed.click()
            rows = page.get_by_role("region", name="Lücken").locator("tbody tr")
            expect(rows).to_have_count(2)
            expect(rows.nth(0).locator("td").last).to_have_text("\u2013")
            expect(rows.nth(1).locator("td")).to_have_text(
                ["20 min", "39", "der Logger lief nicht", "30 aus dem Protokoll des Reglers"]
            )
        assert seen.complaints == []
