"""A real browser for the page's tests: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.running import ROOT

CHROMIUM = shutil.which("chromium")
BUILT = ROOT / "web" / "dist" / "index.html"

#: Looks for what keeps people out; among what the page is made with.
_AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"

#: Without the last ones it asks hosts of its makers, many at a time.
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESKTOP = (390, 844), (1280, 900)


@contextmanager
def browsing() -> Iterator[Browser]:
    """The browser; a test waits for it where it, or the built page, is missing."""
    if not CHROMIUM:
        pytest.skip("no chromium: sudo apt install chromium")
    if not BUILT.exists():
        pytest.skip("the page was not built: make page")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=_ARGUMENTS)
        yield browser
        browser.close()


def has_charts(page: Page) -> None:
    """Wait for the charts and what stands below them."""
    expect(page.locator(".plot canvas").first).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("Statistics|Statistik"))).to_be_visible()


def barriers(page: Page) -> list[tuple[str, str, str]]:
    """What of a page keeps people out, as far as it is serious. The checker is put into the page, which its own policy
    forbids: open it without."""
    page.add_script_tag(path=_AXE)
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 10
    serious = [one for one in found["violations"] if one["impact"] in ("serious", "critical")]
    return [(one["id"], one["nodes"][0]["html"], one["nodes"][0]["failureSummary"]) for one in serious]


def barriers_by_day_and_night(page: Page) -> list[tuple[str, str, str]]:
    """The same of a light page and of the dark one that it becomes."""
    by_day = barriers(page)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    return by_day + barriers(page)


@dataclass
class Seen:
    """What a page asked for and complained of."""

    hosts: set[str] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def opened(
    browser: Browser,
    url: str,
    size: tuple[int, int] = DESKTOP,
    *,
    language: str = "en-GB",
    dark: bool = False,
    downloads: Path | None = None,
    bypass_csp: bool = False,
) -> Iterator[tuple[Page, Seen]]:
    """The page at an address, once its charts are there; what went wrong with it is noted."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale=language,
        timezone_id="America/New_York",
        has_touch=size == PHONE,
        accept_downloads=downloads is not None,
        bypass_csp=bypass_csp,
    )
    context.set_default_timeout(7000)
    page, seen = context.new_page(), Seen()
    page.on(
        "request", lambda request: seen.hosts.add(urlsplit(request.url).netloc) if request.url[:4] == "http" else None
    )
    page.on(
        "console",
        lambda message: seen.complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    page.goto(url)
    try:
        yield page, seen
    finally:
        context.close()
