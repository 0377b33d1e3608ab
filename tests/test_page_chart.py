"""Charts as fingers work them, and what they leave out: impossible steps, and sensors that are not fitted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.sync_api import Browser, CDPSession, Page, Response, expect

from pipeline import history
from pipeline.clock import to_ms
from pipeline.house import House
from pipeline.reading import Answer
from tests.browsing import DESKTOP, PHONE, browsing, has_charts, opened
from tests.serving import FLOW, Served, serving

#: Places of two calculations: a source temperature that is not fitted here, and a counter of heat.
SOURCE, HEAT = 19, 151
UNFITTED, HEATING = "ID_WEB_Temperatur_TWE", "ID_WEB_WMZ_Heizung"
#: What the counter jumps by, and for how long.
JUMP, JUMP_TIME = 214_748_364, timedelta(minutes=10)
#: Some hours ago, whatever the time is.
JUMPED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
BEGIN, END = JUMPED - timedelta(minutes=20), JUMPED + timedelta(minutes=30)


def odd(house: House) -> Any:
    """A house of which one sensor is not fitted, and whose counter goes astray for some minutes."""

    def answer_at(moment: datetime) -> Answer:
        answer = house.answer_at(moment)
        calculations = list(answer.calculations)
        calculations[SOURCE] = -500
        if JUMPED <= moment < JUMPED + JUMP_TIME:
            calculations[HEAT] += JUMP
        return Answer(answer.parameters, tuple(calculations), answer.visibilities)

    return answer_at


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # Of 25 hours one local day has more than twelve, so that it tells what is not fitted.
    with serving(tmp_path_factory.mktemp("chart"), 25, source=odd(House()), step_s=90) as found:
        while found.built.marks.step():
            pass
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


def chart_of(page: Page) -> tuple[float, float, float]:
    """The first chart, brought into sight: its left edge, its width, and its middle from above."""
    chart = page.locator(".plot .u-over").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    assert box
    return box["x"], box["width"], box["y"] + box["height"] / 2


# ---- fingers


def span_of(page: Page) -> timedelta:
    """How long the window is that the address holds."""
    asked = parse_qs(page.url.partition("?")[2])
    start, end = (datetime.fromisoformat(asked[name][0]) for name in ("from", "to"))
    return end - start


def pinch(page: Page, fingers: CDPSession, start: float, end: float) -> Response:
    """Two fingers on the first chart, so far from its middle at first and at last, in shares of its width; gives what
    the page asks for then."""
    left, width, middle = chart_of(page)

    def touch(kind: str, distance: float | None) -> None:
        sides = [] if distance is None else [0.5 - distance, 0.5 + distance]
        points = [{"x": left + width * share, "y": middle, "id": i} for i, share in enumerate(sides)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    with page.expect_response(re.compile("/api/series")) as asked:
        touch("touchStart", start)
        for n in range(1, 5):
            touch("touchMove", start + (end - start) * n / 4)
        touch("touchEnd", None)
    return asked.value


def test_two_fingers_stretch_the_window_and_finer_data_comes(browser: Browser, served: Served) -> None:
    with opened(browser, served.url, PHONE) as (page, seen):
        has_charts(page)
        fingers = page.context.new_cdp_session(page)
        first = pinch(page, fingers, 0.2, 0.4).json()
        narrow = span_of(page)
        assert timedelta(hours=11) < narrow < timedelta(hours=13)
        second = pinch(page, fingers, 0.1, 0.4).json()
        assert span_of(page) < narrow / 3
        assert second["step_ms"] is None or second["step_ms"] < first["step_ms"]
        pinch(page, fingers, 0.4, 0.1)
        assert span_of(page) == pytest.approx(narrow, rel=0.1)
        # The page itself was not zoomed.
        assert page.evaluate("visualViewport.scale") == 1
    assert seen.complaints == []


# ---- another day


def test_compared_day_stands_by_its_time_on_the_wall_where_the_clock_changes(browser: Browser, tmp_path: Path) -> None:
    house, hours = House(), timedelta(hours=3)

    def telling(moment: datetime) -> Answer:
        """A flow temperature of 20 degrees and the hour of UTC."""
        answer = house.answer_at(moment)
        calculations = list(answer.calculations)
        calculations[10] = 200 + 10 * moment.astimezone(UTC).hour
        return Answer(answer.parameters, tuple(calculations), answer.visibilities)

    # In the second of these nights it is summer in Berlin until 01:00 UTC.
    first, second = datetime(2025, 10, 19, tzinfo=UTC), datetime(2025, 10, 26, tzinfo=UTC)
    with serving(tmp_path, 0) as found:
        for since in (first, second):
            until = since + hours
            history.fill(found.built, found.chosen, telling, since=since, until=until, progress=lambda _d, _t: None)
        address = f"{found.url}/#/?from=2025-10-19T00:00:00Z&to=2025-10-19T02:00:00Z&s={FLOW}&compare=2025-10-26"
        with opened(browser, address) as (page, seen):
            expect(page.locator(".legend-name")).to_have_text(["Flow temperature", "Flow temperature, 26 Oct"])
            left, width, middle = chart_of(page)
            for share, own, other in ((0.25, "20.0", "20.0"), (0.75, "21.0", "22.0")):
                page.mouse.move(left + width * share, middle)
                expect(page.locator(".legend-value")).to_have_text([f"{own} °C", f"{other} °C"])
        assert seen.complaints == []


# ---- what is left out


def around_the_jump(served: Served, names: str) -> str:
    return f"{served.url}/#/?from={BEGIN:%Y-%m-%dT%H:%M:%SZ}&to={END:%Y-%m-%dT%H:%M:%SZ}&s={names}"


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_impossible_step_is_left_out_and_marked(browser: Browser, served: Served, size: tuple[int, int]) -> None:
    with opened(browser, around_the_jump(served, HEATING), size) as (page, seen):
        has_charts(page)
        expect(page.locator(".marks li")).to_have_text("Heat quantity heating: impossible steps left out: 2")
        greatest = page.get_by_role("region", name="Statistics").locator("tbody td").last.inner_text()
        assert 0 < float(re.sub(r"[^\d.]", "", greatest)) < JUMP / 100
        jump, fall = (datetime.fromisoformat(step["time"]) for step in steps_of(served))
        gap, value = page.locator(".readout-gap"), page.locator(".legend-value")
        for at, told in ((jump, "left out: jump of Heat"), (fall, "left out: fall of Heat")):
            point_at(page, at)
            expect(gap).to_contain_text(told)
        point_at(page, jump + JUMP_TIME / 2)
        expect(value).to_have_text("\u2013")
        expect(gap).to_have_count(0)
        # Between two readings, which lie 30 s apart.
        point_at(page, fall + JUMP_TIME + timedelta(seconds=13))
        expect(value).to_have_text(re.compile(r"^[\d,.]+\skWh$"))
    assert seen.complaints == []


def steps_of(served: Served) -> list[dict[str, str]]:
    start, end = (str(to_ms(moment)) for moment in (BEGIN, END))
    found: list[dict[str, str]] = served.get("/api/series", **{"sensors": HEATING, "from": start, "to": end}).json()[
        "steps"
    ]
    return found


def point_at(page: Page, moment: datetime) -> None:
    left, width, middle = chart_of(page)
    page.mouse.move(left + width * ((moment - BEGIN) / (END - BEGIN)), middle)


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
def test_sensor_that_is_not_fitted_has_no_curve_and_says_so(
    browser: Browser, served: Served, size: tuple[int, int]
) -> None:
    with opened(browser, served.url, size) as (page, seen):
        has_charts(page)
        tile = page.locator(".tile").filter(has_text=re.compile("^Source in"))
        expect(tile).to_have_text("Source innot fitted")
        name = "Heat source inlet temperature"
        expect(page.locator(".legend")).not_to_contain_text(name)
        expect(page.locator(".marks")).to_have_count(0)
        page.goto(around_the_jump(served, f"{FLOW},{UNFITTED}"))
        expect(page.locator(".marks li")).to_have_text(f"Not fitted, always the same constant: {name}")
        expect(page.locator(".legend-name")).to_have_text(["Flow temperature"])
        expect(page.get_by_role("region", name="Statistics").get_by_role("rowheader")).to_have_text(
            ["Flow temperature"]
        )
    assert seen.complaints == []


def test_sensor_that_is_not_fitted_alone_is_no_empty_time(browser: Browser, served: Served) -> None:
    with opened(browser, around_the_jump(served, UNFITTED)) as (page, _):
        expect(page.locator(".marks li")).to_contain_text("Not fitted")
        expect(page.get_by_text("No readings in this time")).to_have_count(0)
