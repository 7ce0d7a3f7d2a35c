"""The system's Chromium, driven without a window; tests skip where there is none."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARTEFACTS = Path(__file__).resolve().parents[1] / "build" / "page"
"""Where the screenshots go, for people to look at; git ignores it."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser. Skips the test that asks for it on a machine without one."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip("needs Chromium (Debian, Ubuntu: apt-get install chromium)")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []  # root has no sandbox; the pages are our own
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()
