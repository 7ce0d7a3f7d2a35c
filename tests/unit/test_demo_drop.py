"""Dropping files leaves whole files and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from qbwatch.demo.drop import drop
from qbwatch.demo.exports import ExportFile

FULL = ExportFile("01_BACKUP_Item_03_09_2026.csv", b"all", "seed")
DAILY = ExportFile("Item_03_10_2026_1_30_02.csv", b"some", "input")


def files_under(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_each_file_lands_in_its_folder_and_no_temporary_name_stays(tmp_path: Path) -> None:
    paths = drop([FULL, DAILY], tmp_path)
    assert paths == (tmp_path / "seed" / FULL.name, tmp_path / "input" / DAILY.name)
    assert files_under(tmp_path) == {f"seed/{FULL.name}": b"all", f"input/{DAILY.name}": b"some"}


def test_dropping_again_replaces_the_file(tmp_path: Path) -> None:
    first = drop([DAILY], tmp_path)[0].stat().st_ino
    changed = ExportFile(DAILY.name, b"more", "input")
    assert drop([changed], tmp_path)[0].stat().st_ino != first
    assert files_under(tmp_path) == {f"input/{DAILY.name}": b"more"}


def test_a_drop_that_fails_leaves_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "input" / DAILY.name).mkdir(parents=True)
    with pytest.raises(OSError, match=DAILY.name):
        drop([DAILY], tmp_path)
    assert files_under(tmp_path) == {}
