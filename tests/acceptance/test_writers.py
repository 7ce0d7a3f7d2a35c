"""Files brought by the programs that bring them: each is loaded once, and none of them half."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import writers
from installation import Installation
from small_exports import customers
from waiting import wait_until
from without_dbt import COMMAND

FILES = 200
ROWS = 5


@pytest.fixture
def office() -> Iterator[Path]:
    """A folder with exports, on the file system of the watched one."""
    root = Path(tempfile.mkdtemp(prefix="qbwatch-writers-"))
    (root / "office").mkdir()
    for number in range(FILES):
        content = customers(**{f"{number}-{row}": f"Customer {row} of file {number}" for row in range(ROWS)})
        (root / "office" / f"Customers no {number:03}.csv").write_bytes(content)
    yield root / "office"
    shutil.rmtree(root)


@pytest.fixture
def site(install: Callable[..., Installation]) -> Installation:
    """A running daemon that builds no reports."""
    installation = install(settle="400ms")
    installation.command = COMMAND
    installation.start()
    return installation


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of each file of a folder, by name."""
    files = (path for path in folder.iterdir() if path.suffix == ".csv" and path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def loaded(site: Installation) -> list[tuple[str, str, str]]:
    """Name, hash and state of every work item there ever was."""
    query = """SELECT file.name, file.content_hash, item.state FROM qbwatch.work_items AS item
               JOIN qbwatch.files AS file ON file.id = item.file_id ORDER BY file.name, item.id"""
    return site.query(query)


@pytest.mark.parametrize(
    "bring",
    [
        writers.copied,
        writers.moved,
        writers.moved_from_elsewhere,
        writers.appended_slowly,
        writers.appended_in_two_goes,
        writers.synced,
        writers.synced_in_place,
        writers.copied_by_rclone,
        writers.copied_by_scp,
        writers.put_by_sftp,
        writers.saved_by_an_editor,
    ],
    ids=lambda bring: bring.__name__.replace("_", " "),
)
def test_each_file_is_loaded_once_and_whole(
    bring: Callable[[Path, Path], None], site: Installation, office: Path
) -> None:
    expected = hashes(office)
    bring(office, site.input)
    all_are_loaded_once(site, expected)


def test_a_pair_of_syncthings_brings_each_file_once_and_whole(site: Installation, office: Path) -> None:
    expected = hashes(office)
    writers.synced_by_syncthing(office, site.input, lambda: hashes(site.input) == expected)
    all_are_loaded_once(site, expected)


def all_are_loaded_once(site: Installation, expected: dict[str, str]) -> None:
    """Wait for the end, and for a scan behind it; then compare the ledger and the rows with what was brought."""
    site.wait_settled(FILES, 90)
    wait_until(lambda: not site.status()["pending"]["count"], 30, "rest")
    assert loaded(site) == [(name, digest, "loaded") for name, digest in sorted(expected.items())]
    assert site.query("SELECT count(*), count(DISTINCT _key) FROM raw.quickbooks_customers") == [
        (FILES * ROWS, FILES * ROWS)
    ]
    assert site.status()["daemon"]["watcher"] == "inotify"
