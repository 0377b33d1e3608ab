"""Downloads of the page: a file that the browser takes itself, or what kept it from being made."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from pipeline import history
from pipeline.house import House
from pipeline.reading import Answer
from tests.browsing import DESKTOP, PHONE, browsing, has_charts, opened
from tests.serving import FLOW, Served, serving

#: A counter of newer firmware.
HEAT = "ID_WEB_WMZ_Heizung"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("export")) as found:
        yield found


def of_exports(page: Page) -> tuple[list[Request], list[object]]:
    """What the page asks of exports from here on, and the files that come."""
    asked: list[Request] = []
    files: list[object] = []
    page.on("request", lambda request: asked.append(request) if "/api/export" in request.url else None)
    page.on("download", lambda download: files.append(download))
    return asked, files


def test_view_is_downloaded_as_csv_and_picture(browser: Browser, served: Served, tmp_path: Path) -> None:
    with opened(browser, served.url, downloads=tmp_path) as (page, _):
        has_charts(page)
        with page.expect_download() as csv:
            page.get_by_role("link", name="CSV").click()
        csv.value.save_as(tmp_path / "view.csv")
        assert FLOW in pd.read_csv(tmp_path / "view.csv").columns
        with page.expect_download() as picture:
            page.get_by_role("button", name="PNG").click()
        picture.value.save_as(tmp_path / "view.png")
        assert (tmp_path / "view.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("size", "language", "told"),
    [
        (PHONE, "de-DE", "Der Logger kann diese Datei gerade nicht erstellen"),
        (DESKTOP, "en-GB", "The logger cannot make this file now"),
    ],
)
def test_export_that_has_to_wait_is_told_and_made_later(
    browser: Browser, served: Served, tmp_path: Path, size: tuple[int, int], language: str, told: str
) -> None:
    others = [{"from": "2020-01-01", "to": "2099-01-01", "sensors": FLOW, "every": every} for every in ("15min", "1h")]
    with opened(browser, served.url, size, language=language, downloads=tmp_path) as (page, _):
        has_charts(page)
        asked, files = of_exports(page)
        alert = page.get_by_role("group", name=re.compile("Download this|herunterladen")).get_by_role("alert")
        # Both places are taken until somebody comes for these.
        assert [served.get("/api/export/check", **each).status_code for each in others] == [200, 200]
        page.get_by_role("link", name="CSV").click()
        expect(alert).to_contain_text(told)
        expect(alert).to_contain_text("2 exports run already")
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert files == []
        assert [served.get("/api/export", **each).status_code for each in others] == [200, 200]
        with page.expect_download() as download:
            alert.get_by_role("button").click()
        expect(alert).to_have_count(0)
        download.value.save_as(tmp_path / "view.csv")
        with (tmp_path / "view.csv").open(encoding="utf-8-sig") as file:
            assert FLOW in re.split("[,;]", file.readline())
        # The page itself asks whether, and the browser takes the file.
        assert {("/check" in request.url) for request in asked if request.resource_type == "fetch"} == {True}


def test_export_that_cannot_be_made_is_told_with_its_reason(browser: Browser, tmp_path: Path) -> None:
    house = House()

    def older(moment: datetime) -> Answer:
        answer = house.answer_at(moment)
        return Answer(answer.parameters, answer.calculations[:140], answer.visibilities)

    with serving(tmp_path, 0) as found:
        now = datetime.now(UTC).replace(microsecond=0)
        then = now - timedelta(days=3)
        for source, since in ((older, then), (house.answer_at, now - timedelta(hours=1))):
            until = since + timedelta(hours=1)
            history.fill(found.built, found.chosen, source, since=since, until=until, progress=lambda _d, _t: None)
        end = then + timedelta(hours=1)
        address = f"{found.url}/#/?from={then:%Y-%m-%dT%H:%M:%SZ}&to={end:%Y-%m-%dT%H:%M:%SZ}&s={FLOW},{HEAT}"
        with opened(browser, address, downloads=tmp_path) as (page, _):
            has_charts(page)
            _, files = of_exports(page)
            page.get_by_role("link", name="JSON").click()
            alert = page.get_by_role("alert")
            expect(alert).to_contain_text("This file cannot be made")
            expect(alert).to_contain_text(f"no sensor with readings in this time fits '{HEAT}'")
            page.get_by_label("Rows").select_option("1h")
            expect(alert).to_have_count(0)
            assert files == []
