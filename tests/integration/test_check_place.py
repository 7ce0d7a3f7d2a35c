"""A check of a file that is older than others tells what it would change at its place, and leaves nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path

from small_exports import NEW_YORK, Office, customers, invoices, items

from qbwatch.checking import Checker
from qbwatch.core.dates import DateOrder
from qbwatch.core.facts import Json

FIRST, LATE, LAST = (f"Invoice_04_0{day}_2025_2_00_00.csv" for day in (1, 2, 3))
PLACE = "1 loaded file is newer: what it would change is told for its place before that, not for today's table"


def checked(office: Office, name: str, content: bytes, *, with_vault: bool = True) -> Json:
    path = office.root / "elsewhere" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    vault = vault_of(office) if with_vault else None
    (part,) = Checker(NEW_YORK, DateOrder.MDY, (), office.engine, vault=vault).check(path)["parts"]
    return dict(part)


def vault_of(office: Office) -> Path:
    return office.root / "vault"


def changed(part: Json) -> dict[str, int]:
    return {name: part["rows"][name] for name in ("inserted", "updated", "unchanged", "removed")}


def test_an_older_file_is_told_what_it_would_change_at_its_place(office: Office) -> None:
    office.drop(FIRST, invoices(a=["1.00", "2.00"], b=["3.00"]))
    office.drop(LAST, invoices(a=["9.00"], c=["4.00"]))
    office.work()
    before = office.lines()
    late = invoices(a=["1.00"], c=["4.00"])

    part = checked(office, LATE, late)

    # Two days ago it would have found both lines of a, and no c.
    foretold = changed(part)
    assert foretold == {"inserted": 1, "updated": 0, "unchanged": 1, "removed": 1}
    assert (part["verdict"], PLACE in part["notes"]) == ("load", True)
    assert office.lines() == before
    office.drop(LATE, late)
    office.work()
    (told,) = office.query(
        f"SELECT rows_inserted, rows_updated, rows_unchanged, rows_removed FROM qbwatch.work_items AS item "
        f"JOIN qbwatch.files AS file ON file.id = item.file_id WHERE file.name = '{LATE}'"
    )
    assert told == tuple(foretold.values())


def test_without_the_copies_of_the_files_before_it_a_check_says_how_it_tells(office: Office) -> None:
    office.drop(FIRST, invoices(a=["1.00", "2.00"]))
    office.drop(LAST, invoices(a=["9.00"]))
    office.work()
    for way in ("no vault", "lost copies"):
        if way == "lost copies":
            shutil.rmtree(vault_of(office))
        part = checked(office, LATE, invoices(a=["1.00", "2.00"]), with_vault=way == "lost copies")
        assert changed(part) == {"inserted": 1, "updated": 1, "unchanged": 0, "removed": 0}
        assert part["notes"][-1].endswith("what it would change is told as if it were the newest")


def test_the_newest_file_needs_no_copy_of_another(office: Office) -> None:
    office.drop(FIRST, invoices(a=["1.00"]))
    office.work()
    shutil.rmtree(vault_of(office))
    part = checked(office, LAST, invoices(a=["2.00"]))
    assert changed(part) == {"inserted": 0, "updated": 1, "unchanged": 0, "removed": 0}
    assert not any("newer" in note for note in part["notes"])


def test_a_late_full_export_is_asked_about_at_its_place_and_prices_are_left_alone(office: Office) -> None:
    office.drop("01_BACKUP_Item_04_01_2025.csv", items(i1="Rope", i2="Hook"))
    office.drop("01_BACKUP_Item_04_03_2025.csv", items(i1="Rope", i2="Hook", i3="Net"))
    office.drop("01_BACKUP_Customer_04_03_2025.csv", customers(c1="Acme"))
    office.work()
    prices = office.query("SELECT * FROM raw.quickbooks_item_prices ORDER BY 1, 2")
    part = checked(office, "01_BACKUP_Item_04_02_2025.csv", items(i1="Rope"))
    assert changed(part) == {"inserted": 0, "updated": 0, "unchanged": 1, "removed": 1}
    assert office.query("SELECT * FROM raw.quickbooks_item_prices ORDER BY 1, 2") == prices
