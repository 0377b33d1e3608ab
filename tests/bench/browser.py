"""The page in a browser over a year: bytes of the first load, time to charts, zoom; on a desktop and slowed as a phone.

Each figure is the middle of several visits, each with a browser that has seen nothing yet. Slowed is the CPU of the
browser by four; the network is this machine's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, Page

from tests.bench import archive, days
from tests.bench.figures import Figure, at_most
from tests.bench.page import served, settle
from tests.bench.year import Year
from tests.browsing import DESKTOP, PHONE, browsing

_VISITS = 5
_SLOWED = 4
_MS = 1000
#: When the charts stand there, by the browser's own clock (ms since the visit began), after one more frame.
_DRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"


def measure(folder: Path, *, short: bool) -> list[Figure]:
    year = Year(folder, 4, 48, plain=2) if short else Year(folder, 365)
    year.make()
    archive.fill(year)
    for path in year.shards.glob("*.csv.gz"):
        path.unlink()
    visits, slow = (1, 1) if short else (_VISITS, _SLOWED)
    with days.simulated_pump() as pump, served(folder, pump) as (_, client), browsing() as browser:
        settle(client, year.plain)
        begin = year.first + timedelta(days=year.length // 2)
        day = _address(client.base_url, begin, begin + timedelta(days=1))
        whole = _address(client.base_url, year.first, min(year.end, datetime.now(UTC)))
        loads = [_load(browser, day, DESKTOP, 1) for _ in range(visits)]
        slowed = [_load(browser, day, PHONE, slow) for _ in range(visits)]
        years = [_load(browser, whole, PHONE, slow, day) for _ in range(visits)]
        zooms = [_zoom(browser, day) for _ in range(visits)]
    return [
        Figure("first load on the wire", max(size for _, size in loads) / 1e3, "kB", at_most(200)),
        Figure("six sensors over a day drawn, desktop, cold", median(s for s, _ in loads), "s", at_most(2)),
        Figure("six sensors over a day drawn, phone, slowed, cold", median(s for s, _ in slowed), "s", at_most(4)),
        Figure("six sensors over a year drawn, phone, slowed", median(s for s, _ in years), "s", at_most(1.5)),
        Figure("zoom to finer data drawn, desktop", median(zooms) * _MS, "ms", at_most(350)),
    ]


def _address(base: object, start: datetime, end: datetime) -> str:
    first, last = (f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for moment in (start, end))
    return f"{base}/#/?from={first}&to={last}&s={','.join(archive.SIX)}"


@contextmanager
def _visiting(browser: Browser, size: tuple[int, int], slowed: int) -> Iterator[tuple[Page, list[float]]]:
    """A page that has seen nothing yet, and the bytes of each answer that it gets."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, locale="en-GB")
    page = context.new_page()
    sizes: list[float] = []
    control = context.new_cdp_session(page)
    control.send("Network.enable")
    control.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    control.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
    try:
        yield page, sizes
    finally:
        context.close()


def _load(
    browser: Browser, address: str, size: tuple[int, int], slowed: int, before: str | None = None
) -> tuple[float, float]:
    """Seconds until the charts of an address are drawn, and the bytes that came; by a click where `before` is open."""
    with _visiting(browser, size, slowed) as (page, sizes):
        if before is None:
            page.goto(address)
            page.wait_for_selector(".plot canvas")
            return page.evaluate(_DRAWN) / _MS, sum(sizes)
        page.goto(before)
        page.wait_for_selector(".plot canvas")
        began = page.evaluate(_DRAWN)
        with page.expect_response(re.compile("/api/series")) as asked:
            page.evaluate("(address) => { location.href = address; }", address)
        asked.value.finished()
        return (page.evaluate(_DRAWN) - began) / _MS, sum(sizes)


def _zoom(browser: Browser, address: str) -> float:
    """Seconds from the end of a drag over a tenth of the charts until the finer data is drawn."""
    with _visiting(browser, DESKTOP, 1) as (page, _):
        page.goto(address)
        page.wait_for_selector(".plot canvas")
        page.evaluate(_DRAWN)
        box = page.locator(".plot .u-over").first.bounding_box() or {"x": 0, "y": 0, "width": 0, "height": 0}
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.5, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
        began: float = page.evaluate("performance.now()")
        with page.expect_response(re.compile("/api/series")) as asked:
            page.mouse.up()
        asked.value.finished()
        ended: float = page.evaluate(_DRAWN)
        return (ended - began) / _MS
