"""Which names are ignored, and by which rule."""

from __future__ import annotations

import pytest

from qbwatch.core.filename import escaped
from qbwatch.core.ignored import conflicted_with, ignored_by, ignored_folder_by

TEMPORARIES = {
    "~$a.xlsx": "office lock file",
    ".~lock.a.csv#": "office lock file",
    "._a.csv": "system file",
    "Thumbs.db": "system file",
    "desktop.ini": "system file",
    ".DS_Store": "system file",
    ".syncthing.a.csv.tmp": "syncthing temporary",
    "~syncthing~a.csv.tmp": "syncthing temporary",
    "a.csv.1a2b3c4d.partial": "rclone partial",
    "a.csv.partial": "partial transfer",
    ".a.csv.Xy12Zq": "rsync temporary",
    ".~tmp~/a.csv": "rsync temporary",
    "a.csv.part": "browser download",
    "a.csv.crdownload": "browser download",
    "a.csv.filepart": "browser download",
    "a.csv.tmp": "temporary file",
    "a.csv~": "temporary file",
    ".a.csv.~1f3": "hidden",
    ".a.csv": "hidden",
    ".dropbox.cache/x/a.csv": "dropbox cache",
    "@eaDir/a.csv": "system folder",
    "2024/.hidden/a.csv": "hidden",
}


@pytest.mark.parametrize(("name", "rule"), TEMPORARIES.items())
def test_a_temporary_of_another_program_is_ignored_by_name_of_the_rule(name: str, rule: str) -> None:
    assert ignored_by(name, ()) == rule


@pytest.mark.parametrize(
    "name",
    [
        "partial.csv",
        "tmp 2024.csv",
        "temp.csv",
        "Invoices (1).csv",
        "Invoices (1)(1).csv",
        "part.xlsx",
        "download.csv",
        "hidden.iif",
        "sales by item wk 41 2025.CSV",
        "All Lists_01_31_2024_6_00_12.xls",
        "2024/01/Invoice.csv",
        "o'brien.csv",
        "100%s.csv",
        "{x}.csv",
        "[/x].csv",
        "-rf.csv",
        "a\nb.csv",
        "\x1b[31mred.csv",
        "a.csv ",
        "caf\udce9.csv",
        "Conflict Resolution LLC_Sales by Customer Detail.csv",
        "Invoices (Conflict Resolution LLC).csv",
        "Invoices (Conflict Resolution LLC 12).csv",
        "Customers (Copy of 2024-01-31).csv",
        "x" * 251 + ".csv",
    ],
)
def test_a_real_export_is_not_ignored_whatever_words_its_name_holds(name: str) -> None:
    assert ignored_by(name, ()) is None


@pytest.mark.parametrize(
    "name",
    [
        "Invoices (HOST's conflicted copy 2024-01-31).csv",
        "Invoices (HOST's conflicted copy 2024-01-31 1).csv",
        "Invoices (conflicted copy 2024-01-31 123456).csv",
        "Invoices (Case Conflict).csv",
        "Invoices (Case Conflict 1).csv",
        "Invoices (In Konflikt stehende Kopie von HOST 2024-01-31).csv",
        "Invoices (HOSTs in Konflikt stehende Kopie 2024-01-31).csv",
        "Invoices (Copie en conflit de HOST 2024-01-31).csv",
        "Invoices (Copia en conflicto de HOST 2024-01-31).csv",
        "Invoices (Copia conflictiva de HOST 2024-01-31).csv",
        "Invoices (Copia in conflitto di HOST 2024-01-31).csv",
        "Invoices (Cópia em conflito de HOST 2024-01-31).csv",
        "Invoices (Conflicterende kopie van HOST 2024-01-31).csv",
        "Invoices (Kopia powodująca konflikty HOST 2024-01-31).csv",
        "Invoices (конфликтующая копия с HOST 2024-01-31).csv",
        "Invoices (HOST の競合コピー 2024-01-31).csv",
        "Invoices (HOST 的冲突副本 2024-01-31).csv",
        "Invoices.sync-conflict-20240131-120102-ABCDEFG.csv",
        "Invoices_conflict-20240131-120102.csv",
        "Invoices (SFConflict ann@example.com 2024-01-31-12-01-02).csv",
    ],
)
def test_a_conflicted_copy_is_recognised_in_many_languages_and_names_its_original(name: str) -> None:
    assert ignored_by(name, ("*conflicted copy*", "*")) == "conflicted copy"
    assert conflicted_with(name) == "Invoices.csv"


def test_a_plain_name_is_no_copy_of_anything() -> None:
    assert conflicted_with("Invoices (1).csv") is None


@pytest.mark.parametrize("name", ["notes.pdf", "run.log", "README", "company.qbw", "table.jsonl", "csv"])
def test_what_is_no_export_is_ignored_as_such(name: str) -> None:
    assert ignored_by(name, ()) == "not an export"


def test_an_archive_is_named_as_one_since_its_content_may_be_meant() -> None:
    assert ignored_by("Acme Dec 10, 2021.zip", ()) == "compressed archive"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("Draft 1.csv", "draft*"), ("old/a.csv", "old"), ("old/a.csv", "old/*"), ("x/y/Old.CSV", "*/old.csv")],
)
def test_a_pattern_of_the_configuration_is_named_as_it_was_written(name: str, pattern: str) -> None:
    assert ignored_by(name, ("never", pattern)) == f"pattern {pattern}"


def test_a_pattern_with_brackets_is_a_pattern_and_a_name_with_brackets_is_a_name() -> None:
    assert ignored_by("[draft].csv", ("[d]raft.csv",)) is None
    assert ignored_by("draft.csv", ("[d]raft.csv",)) == "pattern [d]raft.csv"


def test_an_ordinary_folder_is_entered_and_a_cache_is_not() -> None:
    assert ignored_folder_by("2024", ()) is None
    assert ignored_folder_by(".dropbox.cache", ()) == "dropbox cache"
    assert ignored_folder_by("Exports (PC's conflicted copy 2024-01-31)", ()) == "conflicted copy"
    assert ignored_folder_by("archive", ("archive",)) == "pattern archive"


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (b"a.csv", "a.csv"),
        ("José – 売上.csv".encode(), "José – 売上.csv"),
        (b"caf\xe9.csv", r"caf\xe9.csv"),
        (b"a\nb.csv", r"a\x0ab.csv"),
        (b"\x1b[31mred.csv", r"\x1b[31mred.csv"),
        (b"back\\slash.csv", r"back\\slash.csv"),
        ("\u202efdp.csv".encode(), r"\xe2\x80\xaefdp.csv"),
        ("a\u2028b".encode(), r"a\xe2\x80\xa8b"),
        ("a\u0085b".encode(), r"a\xc2\x85b"),
    ],
)
def test_a_name_is_shown_on_one_line_with_its_unprintable_bytes_visible(path: bytes, shown: str) -> None:
    assert escaped(path) == shown


def test_two_names_never_look_the_same() -> None:
    assert escaped(rb"\x0a") != escaped(b"\n")
