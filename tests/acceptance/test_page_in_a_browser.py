"""The page as a person sees it: on a phone and on a desk, by day and by night, in each state of the house.

The screenshots stay in ``build/page``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from chromium import ARTEFACTS, chromium
from page_samples import AT, STATES, ZONE
from playwright.sync_api import Browser, Page

from qbwatch.page.render import render

SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file for each state."""
    folder = tmp_path_factory.mktemp("pages")
    for state, view in STATES.items():
        (folder / f"{state}.html").write_text(render(view(), AT, ZONE), "utf-8")
    return {state: folder / f"{state}.html" for state in STATES}


@pytest.fixture(params=[390, 1280])
def width(request: pytest.FixtureRequest) -> int:
    """Of a phone, and of a desk."""
    return int(request.param)


def _opened(browser: Browser, file: Path, width: int, scheme: Literal["light", "dark"] = "light") -> Page:
    """The page with scripts only for the test itself; anything that it asks the network for fails the test."""
    page = browser.new_page(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    asked: list[str] = []
    said: list[str] = []
    page.goto(file.as_uri())
    assert asked == [file.as_uri()]
    assert said == []
    return page


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("state", STATES)
def test_it_fits_and_axe_finds_nothing(
    browser: Browser, pages: dict[str, Path], state: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = _opened(browser, pages[state], width, scheme)
    try:
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page).response["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
        page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = false })")
        ARTEFACTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=ARTEFACTS / f"{state}-{width}-{scheme}.png", full_page=True)
    finally:
        page.close()


@pytest.mark.parametrize("state", STATES)
def test_the_verdict_and_its_age_are_seen_without_scrolling(
    browser: Browser, pages: dict[str, Path], state: str, width: int
) -> None:
    page = _opened(browser, pages[state], width)
    try:
        for seen in ("h1", ".written"):
            box = page.locator(seen).bounding_box()
            assert box is not None
            assert 0 <= box["y"] < box["y"] + box["height"] <= 844
    finally:
        page.close()


def test_dark_is_dark_and_light_is_light(browser: Browser, pages: dict[str, Path]) -> None:
    brightness = {}
    for scheme in SCHEMES:
        page = _opened(browser, pages["healthy"], 390, scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        brightness[scheme] = sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
        page.close()
    assert brightness["dark"] < 150 < 600 < brightness["light"]


def test_it_is_whole_without_scripts(browser: Browser, pages: dict[str, Path]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(pages["broken"].as_uri())
    summary = page.locator("summary").first
    summary.click()
    assert page.get_by_text("Invoices: the file stops in the middle of row 212").is_visible()
    assert page.get_by_role("table", name="Exports").is_visible()
    context.close()


def test_a_long_name_breaks_and_does_not_widen_the_page(browser: Browser, pages: dict[str, Path]) -> None:
    page = _opened(browser, pages["warned"], 320)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.close()
