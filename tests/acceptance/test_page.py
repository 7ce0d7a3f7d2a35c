"""A real daemon keeps the page and the receipts: what is refused stands there, and goes once it is mended."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from installation import Installation
from small_disks import fill, read_only, small_disk
from waiting import wait_until

from qbwatch.demo.exports import ExportFile
from qbwatch.demo.story import Story, story

MADE = story(date(2025, 4, 18))
CUSTOMER = "Marker Customer & Sons"
PATIENCE = 180.0  # seconds; a page is looked at within a minute, and a busy machine is slow


def _installed(install: Callable[..., Installation], **page: str) -> tuple[Installation, Path]:
    """An installation whose page lies beside the input folder; the exports of last year aren't too old for it."""
    made = install(extra="")
    file = made.root / "drop" / "status.html"
    keys = "".join(f"{key} = {value}\n" for key, value in page.items())
    made.config.write_text(
        f'{made.config.read_text("utf-8")}\n[freshness]\ndefault = "off"\n\n[page]\nfile = "{file}"\n{keys}', "utf-8"
    )
    return made, file


def _read(page: Path) -> str:
    return page.read_text("utf-8") if page.exists() else ""


def _drop(file: ExportFile, installation: Installation) -> None:
    (installation.input / file.name).write_bytes(file.content)


def _damaged(told: Story) -> ExportFile:
    """The first night's invoices, cut off within a cell."""
    whole = next(file for file in told.waves[0].files if file.name.startswith("Invoice"))
    lines = whole.content.rstrip().split(b"\r\n")
    return ExportFile(whole.name, b"\r\n".join([*lines[:-1], b'"' + CUSTOMER.encode()]), whole.folder)


def test_a_damaged_file_stands_on_the_page_until_it_is_mended(install: Callable[..., Installation]) -> None:
    installation, page = _installed(install, receipts="true")
    with installation.config.open("a", encoding="utf-8") as config:
        config.write('[alerts]\nurls = ["json://127.0.0.1:1/Marker-of-a-secret"]\n')
    damaged = _damaged(MADE)
    whole = next(file for file in MADE.waves[0].files if file.name == damaged.name)
    receipt = page.parent / f"NOT LOADED {damaged.name}.txt"
    installation.start()
    wait_until(lambda: "Ready: nothing is loaded yet" in _read(page), PATIENCE, "the first page")

    for file in MADE.waves[0].files:
        _drop(damaged if file.name == damaged.name else file, installation)
    wait_until(lambda: "1 file was refused" in _read(page), PATIENCE, f"the refused file; the log:\n{installation.log}")
    wait_until(receipt.exists, PATIENCE, "the receipt")
    text = _read(page)
    assert "Export Invoices again." in text
    assert f"qbwatch why {damaged.name}" in text
    assert "Export Invoices again." in receipt.read_text("utf-8")
    assert "Marker" not in text + receipt.read_text("utf-8")

    _drop(whole, installation)
    wait_until(lambda: "Export Invoices again" not in _read(page), PATIENCE, "the mended file")
    wait_until(lambda: not receipt.exists(), PATIENCE, "the receipt to go")
    installation.wait_settled(len(MADE.waves[0].files) + 1)
    wait_until(lambda: "Sales per day" in _read(page), PATIENCE, "the sales of the mart")

    assert installation.stop() == 0
    assert "qbwatch was stopped" in _read(page)
    assert sorted(os.listdir(page.parent)) == ["input", "seed", "status.html"]


def test_a_folder_that_is_missing_is_a_problem_and_delays_nothing(install: Callable[..., Installation]) -> None:
    installation, page = _installed(install)
    text = installation.config.read_text("utf-8").replace("drop/status.html", "gone/status.html")
    installation.config.write_text(text, "utf-8")
    page = installation.root / "gone" / "status.html"
    installation.start()

    def problems() -> list[str]:
        return [each["code"] for each in installation.status()["problems"]]

    wait_until(lambda: "page_unwritable" in problems(), PATIENCE, "the problem")
    for file in MADE.waves[0].files:
        _drop(file, installation)
    said = installation.wait_settled(len(MADE.waves[0].files))
    assert set(installation.outcomes().values()) == {"loaded"}
    (problem,) = (each for each in said["problems"] if each["code"] == "page_unwritable")
    assert (problem["severity"], problem["hint"][:18]) == ("warning", "create that folder")
    page.parent.mkdir()
    _drop(MADE.waves[1].files[0], installation)  # whatever happens has it looked at sooner
    wait_until(page.exists, PATIENCE, "the page in the folder that came")
    wait_until(lambda: "page_unwritable" not in problems(), PATIENCE, "the problem to be over")


def test_an_unchanged_answer_writes_nothing_and_a_killed_daemon_leaves_its_page(
    install: Callable[..., Installation],
) -> None:
    installation, page = _installed(install)
    installation.start()
    wait_until(lambda: "Ready" in _read(page), PATIENCE, "the page")
    installation.run("status")
    before = page.stat()
    ends_at = time.monotonic() + 12  # longer than the pause between two looks
    wait_until(lambda: time.monotonic() > ends_at, PATIENCE, "some looks to pass")
    assert (page.stat().st_ino, page.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    installation.kill()
    assert "If that is more than a day ago, qbwatch isn’t running" in _read(page)


@pytest.mark.parametrize("place", ["input/status.html", "seed/status.html"])
def test_a_page_in_a_watched_folder_stops_the_start(install: Callable[..., Installation], place: str) -> None:
    installation, _ = _installed(install)
    text = installation.config.read_text("utf-8").replace("drop/status.html", f"drop/{place}")
    installation.config.write_text(text, "utf-8")
    tried = installation.run("run")
    assert tried.returncode == 2
    assert "page.file" in tried.stderr


def test_a_run_without_a_daemon_leaves_its_page(install: Callable[..., Installation]) -> None:
    installation, page = _installed(install, receipts="true")
    damaged = _damaged(MADE)
    for file in MADE.waves[0].files:
        _drop(damaged if file.name == damaged.name else file, installation)
    assert installation.run("once").returncode == 3
    text = _read(page)
    assert "Not complete: 1 file was refused" in text
    assert "new files are loaded with the next one" in text
    assert "Not watched" not in text
    assert (page.parent / f"NOT LOADED {damaged.name}.txt").is_file()

    _drop(next(file for file in MADE.waves[0].files if file.name == damaged.name), installation)
    assert installation.run("once").returncode == 0
    assert "1 file was refused" not in _read(page)
    assert sorted(os.listdir(page.parent)) == ["input", "seed", "status.html"]

    installation.input.rename(installation.root / "away")
    installation.run("once")
    assert "Current and right" not in _read(page), "a folder that is missing is no good news"
    (installation.root / "away").rename(installation.input)

    page.write_text("<html>mine</html>")
    done = installation.run("once")
    assert done.returncode == 0
    assert "is no page of qbwatch's" in done.stderr


def test_a_disk_that_is_full_or_read_only_keeps_the_old_page_and_is_told(install: Callable[..., Installation]) -> None:
    installation, _ = _installed(install)
    folder = installation.root / "office"
    folder.mkdir()
    page = folder / "status.html"
    text = installation.config.read_text("utf-8").replace("drop/status.html", "office/status.html")
    installation.config.write_text(text, "utf-8")

    def told() -> str:
        found = (each for each in installation.status()["problems"] if each["code"] == "page_unwritable")
        return str(next(found, {"summary": ""})["summary"])

    def drop_another(number: int) -> None:
        (installation.input / f"unknown_{number}.csv").write_bytes(b"a,b\r\n%d,2\r\n" % number)

    with small_disk(folder, "256k"):
        installation.start()
        wait_until(lambda: "Ready" in _read(page), PATIENCE, "the first page")
        fill(folder / "filler", folder, leave=0)
        before = page.read_bytes()
        drop_another(1)
        wait_until(lambda: "no space left" in told(), PATIENCE, "the full disk to be told")
        assert page.read_bytes() == before
        assert sorted(os.listdir(folder)) == ["filler", "status.html"]
        (folder / "filler").unlink()
        drop_another(2)
        wait_until(lambda: "refused" in _read(page) and not told(), PATIENCE, "the page, with room again")

        before = page.read_bytes()
        with read_only(folder):
            drop_another(3)
            wait_until(lambda: "read-only" in told(), PATIENCE, "the read-only disk to be told")
            assert page.read_bytes() == before
        drop_another(4)
        wait_until(lambda: not told(), PATIENCE, "the page on a disk that can be written to again")
        assert page.read_bytes() != before
        assert installation.stop() == 0
