"""The page as a person sees it, in a real browser over a real service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline import history
from pipeline.clock import SystemClock, to_ms
from pipeline.gap import LOGGER_OFF, Gap
from pipeline.gap_book import GapBook
from pipeline.house import House
from tests.browsing import DESKTOP, PHONE, barriers_by_day_and_night, browsing, has_charts, opened
from tests.serving import FLOW, Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("page"), 6) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


def look_again(page: Page) -> None:
    """Turn away from the page and back: it asks at once."""
    page.evaluate(
        """async () => {
        for (const state of ["hidden", "visible"]) {
            for (const [name, value] of [["visibilityState", state], ["hidden", state === "hidden"]]) {
                Object.defineProperty(document, name, { value, configurable: true });
            }
            document.dispatchEvent(new Event("visibilitychange"));
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        }}"""
    )


def window_of(page: Page) -> str:
    return urlsplit(page.url).fragment


@pytest.mark.parametrize("size", [PHONE, DESKTOP])
@pytest.mark.parametrize("dark", [False, True])
def test_first_screen_tells_what_the_pump_does(
    browser: Browser, served: Served, size: tuple[int, int], dark: bool
) -> None:
    with opened(browser, served.url, size, dark=dark) as (page, seen):
        has_charts(page)
        flow = served.get("/api/latest", sensors=FLOW).json()["values"][FLOW]
        tile = page.locator(".tile").filter(has_text=re.compile(r"^Flow"))
        expect(tile).to_contain_text(f"{flow:.1f}")
        expect(page.get_by_text("Last reading")).to_be_visible()
        background = page.evaluate("getComputedStyle(document.body).backgroundColor")
        lightness = sum(int(part) for part in re.findall(r"\d+", background)[:3])
        assert (lightness < 200) is dark
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0]
        script = page.locator("script[src]").get_attribute("src")
        assert script
        assert served.get(script).headers["cache-control"] == "private, max-age=31536000, immutable"
    assert seen.complaints == []
    assert seen.hosts == {urlsplit(served.url).netloc}


def test_page_speaks_the_language_of_the_browser(browser: Browser, served: Served) -> None:
    with opened(browser, served.url, language="de-DE") as (page, _):
        has_charts(page)
        expect(page.locator(".legend").get_by_text("Vorlauftemperatur")).to_be_visible()
        expect(page.locator(".tile").filter(has_text=re.compile(r"^Vorlauf"))).to_contain_text(re.compile(r"\d,\d"))
        assert page.evaluate("document.documentElement.lang") == "de"


def test_day_is_picked_in_the_zone_of_the_logger(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as (page, _):
        has_charts(page)
        yesterday = (datetime.now(UTC).astimezone(served.chosen.zone) - timedelta(days=1)).date()
        with page.expect_response(re.compile("/api/series")) as asked:
            page.get_by_label("Day", exact=True).fill(yesterday.isoformat())
        begin = datetime.combine(yesterday, datetime.min.time(), served.chosen.zone)
        answer = asked.value.json()
        assert answer["from"] == f"{begin.astimezone(UTC):%Y-%m-%dT%H:%M:%S.000Z}"
        before = window_of(page)
        page.get_by_role("button", name="Step back").click()
        assert window_of(page) != before
        page.go_back()
        expect(page.get_by_label("Day", exact=True)).to_have_value(yesterday.isoformat())
        assert window_of(page) == before


def test_sensors_are_found_by_label_and_toggled(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as (page, seen):
        has_charts(page)
        page.get_by_role("button", name="Choose sensors").click()
        page.get_by_role("searchbox").fill("Heißgas")
        box = page.get_by_role("dialog").get_by_role("checkbox").first
        box.check()
        page.get_by_role("button", name="Close").click()
        expect(page.locator(".legend").get_by_text("Hot gas temperature")).to_be_visible()
        address = page.url
        page.goto("about:blank")
        page.goto(address)
        expect(page.locator(".legend").get_by_text("Hot gas temperature")).to_be_visible()
    assert seen.complaints == []


def test_gap_is_told_with_its_reason_under_the_cursor(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, 0) as found:
        now = datetime.now(UTC).replace(microsecond=0)
        begin, off, on = (now - timedelta(hours=hours) for hours in (3, 2, 1))
        for since, until in ((begin, off), (on, now)):
            history.fill(
                found.built, found.chosen, House().answer_at, since=since, until=until, progress=lambda _d, _t: None
            )
        book = GapBook(found.chosen.data_dir / "gaps.csv", lambda _name, _data: None)
        book.add([Gap(to_ms(off), to_ms(on), 120, 119, LOGGER_OFF)])
        address = f"{found.url}/#/?from={begin:%Y-%m-%dT%H:%M:%SZ}&to={now:%Y-%m-%dT%H:%M:%SZ}"
        with opened(browser, address) as (page, seen):
            has_charts(page)
            box = page.locator(".plot .u-over").first.bounding_box()
            assert box
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            expect(page.locator(".readout-gap")).to_contain_text("119 readings missing")
            page.mouse.move(box["x"] + box["width"] / 6, box["y"] + box["height"] / 2)
            expect(page.locator(".readout-gap")).to_have_count(0)
        assert seen.complaints == []


def test_zoom_by_drag_asks_for_finer_data_and_a_double_click_goes_back(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as (page, _):
        has_charts(page)
        box = page.locator(".plot .u-over").first.bounding_box()
        assert box
        middle = box["y"] + box["height"] / 2
        with page.expect_response(re.compile("/api/series")) as asked:
            page.mouse.move(box["x"] + box["width"] * 0.85, middle)
            page.mouse.down()
            page.mouse.move(box["x"] + box["width"] * 0.95, middle, steps=5)
            page.mouse.up()
        finer = asked.value.json()
        assert finer["series"]
        assert finer["step_ms"] is None or finer["step_ms"] < 120_000
        zoomed = window_of(page)
        with page.expect_response(re.compile("/api/series")):
            page.mouse.dblclick(box["x"] + box["width"] / 2, middle)
        assert window_of(page) != zoomed


def test_keyboard_works_the_charts(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as (page, _):
        has_charts(page)
        whole = page.locator(".readout-time").inner_text()
        page.get_by_role("application").focus()
        page.keyboard.press("End")
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".readout-time")).not_to_have_text(whole)
        before = window_of(page)
        with page.expect_response(re.compile("/api/series")):
            page.keyboard.press("+")
        assert window_of(page) != before


def test_other_views_open(browser: Browser, served: Served) -> None:
    with opened(browser, f"{served.url}/#/downloads", PHONE) as (page, seen):
        newest = served.get("/api/rollups").json()["shards"][0]["name"]
        expect(page.get_by_role("link", name=newest)).to_be_visible()
        page.get_by_role("link", name="Status").click()
        expect(page.get_by_text("INTERVAL_SEC")).to_be_visible()
        page.get_by_role("link", name="API").click()
        expect(page.get_by_text("/api/series").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    assert seen.complaints == []


def test_page_tells_that_the_logger_is_away(browser: Browser, served: Served) -> None:
    with opened(browser, served.url) as (page, _):
        has_charts(page)
        page.context.set_offline(True)
        look_again(page)
        expect(page.get_by_text("No answer from the logger")).to_be_visible(timeout=7000)
        has_charts(page)


def test_page_goes_on_when_the_logger_is_back(browser: Browser, served: Served) -> None:
    with opened(browser, "about:blank") as (page, _):
        page.route("**/api/**", lambda route: route.abort())
        page.goto(served.url)
        expect(page.get_by_text("The logger does not answer").first).to_be_visible()
        page.unroute_all()
        has_charts(page)


def test_reading_that_comes_is_on_the_page_at_the_next_poll(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, 1, INTERVAL_SEC="5") as found, opened(browser, found.url) as (page, _):
        has_charts(page)
        newest = found.get("/api/latest").json()["time"]
        moment = datetime.fromisoformat(newest)
        (*_, last) = found.built.store.query(moment - timedelta(minutes=2), moment + timedelta(minutes=1))
        raws = list(last.answer.calculations)
        raws[10] = 777
        changed = type(last.answer)(last.answer.parameters, tuple(raws), last.answer.visibilities)
        found.built.store.add(SystemClock().utc(), changed)
        look_again(page)
        expect(page.locator(".tile").filter(has_text=re.compile(r"^Flow"))).to_contain_text("77.7")


def test_page_behind_a_token_asks_for_it_once(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path, 1, HTTP_TOKEN="long-enough-for-us") as found, opened(browser, found.url) as (page, _):
        page.get_by_label("Token").fill("long-enough-for-us")
        page.get_by_role("button", name="Open").click()
        has_charts(page)


@pytest.mark.parametrize("view", ["/", "/downloads", "/status", "/api"])
def test_page_has_no_serious_barrier(browser: Browser, served: Served, view: str) -> None:
    with opened(browser, f"{served.url}/#{view}", PHONE, bypass_csp=True) as (page, _):
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        if view == "/":
            has_charts(page)
        assert barriers_by_day_and_night(page) == []
