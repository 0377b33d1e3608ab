"""The page in a browser over a year: bytes of the first load, time to charts, zoom; on a desktop and slowed as a phone.

Each figure is the middle of several visits, each with a browser that has seen nothing yet. Slowed is the CPU of the
browser by four; the network is this machine's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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
    visits = 1 if short else _VISITS
    with days.simulated_pump() as pump, served(folder, pump) as (_, client), browsing() as browser:
        settle(client, year.plain)
        begin = year.first + timedelta(days=year.length // 2)
        day = _address(client.base_url, begin, begin + timedelta(days=1))
        whole = _address(client.base_url, year.first, min(year.end, datetime.now(UTC)))
        loads = [_visit(browser, day) for _ in range(visits)]
        quick = [
            Figure("first load on the wire", max(size for _, size, _ in loads) / 1e3, "kB", at_most(200)),
            Figure("six sensors over a day drawn, desktop, cold", median(s for s, _, _ in loads), "s", at_most(2)),
            Figure("zoom to finer data drawn, desktop", median(s for _, _, s in loads) * _MS, "ms", at_most(350)),
        ]
        if short:
            return quick
        slowed = [_visit_slowed(browser, day, whole) for _ in range(visits)]
    return [
        *quick,
        Figure("six sensors over a day drawn, phone, slowed, cold", median(s for s, _ in slowed), "s", at_most(4)),
        Figure("six sensors over a year drawn, phone, slowed", median(s for _, s in slowed), "s", at_most(1.5)),
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


def _opened(page: Page, address: str) -> float:
    """Seconds until the charts of an address are drawn."""
    page.goto(address)
    page.wait_for_selector(".plot canvas")
    drawn: float = page.evaluate(_DRAWN)
    return drawn / _MS


def _redrawn(page: Page, cause: Callable[[], object]) -> float:
    """Seconds from what lets the page ask for other data until that is drawn."""
    began: float = page.evaluate("performance.now()")
    with page.expect_response(re.compile("/api/series")) as asked:
        cause()
    asked.value.finished()
    drawn: float = page.evaluate(_DRAWN)
    return (drawn - began) / _MS


def _visit(browser: Browser, address: str) -> tuple[float, float, float]:
    """On a desktop: seconds until the charts are drawn, the bytes that came, and seconds from the end of a drag over a
    tenth of the charts until the finer data is drawn.
    """
    with _visiting(browser, DESKTOP, 1) as (page, sizes):
        opened_s, size = _opened(page, address), sum(sizes)
        box = page.locator(".plot .u-over").first.bounding_box() or {"x": 0, "y": 0, "width": 0, "height": 0}
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] * 0.5, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=5)
        return opened_s, size, _redrawn(page, page.mouse.up)


def _visit_slowed(browser: Browser, day: str, year: str) -> tuple[float, float]:
    """On a slowed phone: seconds until a day is drawn, and from there until the year is."""
    with _visiting(browser, PHONE, _SLOWED) as (page, _):
        opened_s = _opened(page, day)
        return opened_s, _redrawn(page, lambda: page.evaluate("(address) => { location.href = address; }", year))
