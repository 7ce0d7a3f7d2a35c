"""Files brought by the programs that bring them: each is loaded once, and none of them half."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import writers
from guarding import temporary_folder
from installation import Installation
from small_exports import customers
from waiting import wait_until
from without_dbt import COMMAND

FILES = 200
ROWS = 5
LARGE = 50  # every so many files one has
MANY_ROWS = 4000  # that is more than a block of Syncthing's, and a second of rsync's slow writing
Bring = Callable[[Path, Path], None]


def brought_by_syncthing(source: Path, target: Path) -> None:
    """A pair of instances; they run until all is there."""
    expected = hashes(source)
    writers.synced_by_syncthing(source, target, lambda: hashes(target) == expected)


# Those of one line write at the same time, each into a folder of its own.
TOGETHER: Sequence[Sequence[Bring]] = (
    (writers.copied, writers.moved, writers.moved_from_elsewhere, writers.saved_by_an_editor),
    (writers.appended_slowly, writers.appended_in_two_goes, writers.written_out_of_order),
    (writers.synced, writers.synced_in_place, writers.copied_by_rclone),
    (writers.copied_by_scp, writers.put_by_sftp, brought_by_syncthing),
)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("together", TOGETHER, ids=lambda together: ", ".join(name_of(bring) for bring in together))
def test_each_file_is_loaded_once_and_whole(together: Sequence[Bring], install: Callable[..., Installation]) -> None:
    site = install(settle="400ms")
    site.command = COMMAND
    site.start()
    with temporary_folder("qbwatch-writers-") as root:
        offices = {bring: office(root / name_of(bring), name_of(bring)) for bring in together}
        expected = {bring: hashes(folder) for bring, folder in offices.items()}
        missing = bring_all(offices, site.input)
        expected = {bring: names for bring, names in expected.items() if bring not in missing}
        all_are_loaded_once(site, expected)
    if missing:
        pytest.skip(f"the others did well: {'; '.join(f'{name_of(each)} {why}' for each, why in missing.items())}")


def name_of(bring: Bring) -> str:
    """A writer in words."""
    return bring.__name__.replace("_", " ")


def office(root: Path, writer: str) -> Path:
    """A folder with exports, on the file system of the watched one."""
    (root / "office").mkdir(parents=True)
    for number in range(FILES):
        rows = range(MANY_ROWS if number % LARGE == 0 else ROWS)
        content = customers(**{f"{writer} {number}-{row}": f"Customer {row} of file {number}" for row in rows})
        (root / "office" / f"Customers no {number:03}.csv").write_bytes(content)
    return root / "office"


def bring_all(offices: dict[Bring, Path], folder: Path) -> dict[Bring, str]:
    """Let all bring their files at the same time; those that can't, and why."""
    missing: dict[Bring, str] = {}
    with ThreadPoolExecutor(len(offices)) as pool:
        for bring in offices:
            (folder / name_of(bring)).mkdir()
        at_work = {bring: pool.submit(bring, source, folder / name_of(bring)) for bring, source in offices.items()}
        for bring, work in at_work.items():
            try:
                work.result()
            except pytest.skip.Exception as why:
                missing[bring] = str(why)
    return missing


def hashes(folder: Path) -> dict[str, str]:
    """sha256 of each file of a folder, by name."""
    files = (path for path in folder.iterdir() if path.suffix == ".csv" and path.is_file())
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def loaded(site: Installation) -> list[tuple[str, str, str]]:
    """Name, hash and state of every work item there ever was."""
    query = """SELECT file.name, file.content_hash, item.state FROM qbwatch.work_items AS item
               JOIN qbwatch.files AS file ON file.id = item.file_id"""
    return sorted(site.query(query))


def all_are_loaded_once(site: Installation, expected: dict[Bring, dict[str, str]]) -> None:
    """Wait for the end; then compare the ledger and the rows with what was brought."""
    files = FILES * len(expected)
    site.wait_settled(files, 600)
    wait_until(lambda: not site.status()["pending"]["count"], 30, "rest")
    assert loaded(site) == sorted(
        (f"{name_of(bring)}/{name}", digest, "loaded")
        for bring, names in expected.items()
        for name, digest in names.items()
    )
    rows = len(expected) * (FILES // LARGE * (MANY_ROWS - ROWS) + FILES * ROWS)
    assert site.query("SELECT count(*), count(DISTINCT _key) FROM raw.quickbooks_customers") == [(rows, rows)]
    assert site.status()["daemon"]["watcher"] == "inotify"
