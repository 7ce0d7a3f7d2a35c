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
from small_exports import customers, invoices, items, receipts
from waiting import wait_until
from without_dbt import COMMAND

FILES = 200
ROWS = 5
LARGE = 50  # every so many files one has
MANY_ROWS = 3000  # that is more than a block of Syncthing's, and a second of rsync's slow writing
Bring = Callable[[Path, Path], None]

# Each writer of those that write together brings another dataset: of one dataset the files that one writer brings
# late, with older times than another's, would have all since folded anew. That is right, and not the matter here.
Kind = tuple[str, Callable[[dict[str, str]], bytes], str]  # a file name's beginning, the content of rows, their table
KINDS: Sequence[Kind] = (
    ("Customers", lambda names: customers(**names), "quickbooks_customers"),
    ("Items", lambda names: items(**names), "quickbooks_items"),
    ("Invoices", lambda names: invoices(**{name: ["1.00"] for name in names}), "quickbooks_invoices"),
    ("Sales Receipts", lambda names: receipts(**{name: ["1.00"] for name in names}), "quickbooks_sales_receipts"),
)


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
    # All in one run: a second one would get older files on a busy machine, and after each all since is folded anew.
    site.environ["QBWATCH_TEST_PATIENCE"] = "500"
    site.start()
    with temporary_folder("qbwatch-writers-") as root:
        offices = {bring: office(root / name_of(bring), number) for number, bring in enumerate(together)}
        expected = {bring: hashes(folder) for bring, folder in offices.items()}
        missing = bring_all(offices, site.input)
        expected = {bring: names for bring, names in expected.items() if bring not in missing}
        all_are_loaded_once(
            site, expected, [KINDS[number] for number, bring in enumerate(together) if bring in expected]
        )
    if missing:
        pytest.skip(f"the others did well: {'; '.join(f'{name_of(each)} {why}' for each, why in missing.items())}")


def name_of(bring: Bring) -> str:
    """A writer's name, and that of its folders: without blanks, which sftp and sshd's settings don't take."""
    return bring.__name__


def office(root: Path, kind: int) -> Path:
    """A folder with exports of one kind, on the file system of the watched one."""
    (root / "office").mkdir(parents=True)
    stem, content_of, _ = KINDS[kind]
    for number in range(FILES):
        rows = range(MANY_ROWS if number % LARGE == 0 else ROWS)
        content = content_of({f"{number}-{row}": f"Number {row} of file {number}" for row in rows})
        (root / "office" / f"{stem} no {number:03}.csv").write_bytes(content)
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


def all_are_loaded_once(site: Installation, expected: dict[Bring, dict[str, str]], kinds: Sequence[Kind]) -> None:
    """Wait for the end; then compare the ledger and the rows with what was brought."""
    files = FILES * len(expected)
    site.wait_settled(files, 600)
    wait_until(lambda: not site.status()["pending"]["count"], 30, "rest")
    assert loaded(site) == sorted(
        (f"{name_of(bring)}/{name}", digest, "loaded")
        for bring, names in expected.items()
        for name, digest in names.items()
    )
    rows = FILES // LARGE * (MANY_ROWS - ROWS) + FILES * ROWS
    for _, _, table in kinds:
        assert site.query(f"SELECT count(*), count(DISTINCT _key) FROM raw.{table}") == [(rows, rows)]
    assert site.status()["daemon"]["watcher"] == "inotify"
