"""What a person decides changes the set of accepted files; the raw tables follow."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from small_exports import NEW_YORK, Office, customers, invoices

from qbwatch.checking import Checker
from qbwatch.core.dates import DateOrder
from qbwatch.core.facts import Json
from qbwatch.core.model import QbwatchError
from qbwatch.edges import decisions, staging
from qbwatch.edges.file_answers import versions_of
from qbwatch.edges.file_search import choose
from qbwatch.reverting import revert

INVOICE, NEXT = "Invoice_04_01_2025_2_00_00.csv", "Invoice_04_02_2025_2_00_00.csv"
FULL, NEXT_FULL = "01_BACKUP_Customer_04_01_2025.csv", "01_BACKUP_Customer_04_02_2025.csv"
MANY = {f"c{number}": f"Name {number}" for number in range(30)}


def taken_back(office: Office, asked: str, *, dry_run: bool = False) -> Json:
    with office.engine.connect() as connection:
        return revert(connection, office.pipeline.loader, asked, office.at, dry_run=dry_run)


def decide(office: Office, decision: str, asked: str) -> int:
    with office.engine.begin() as connection:
        ids = [each.item_id for each in choose(connection, asked, lambda _: True, "nothing")]
        done: int = getattr(decisions, decision)(connection, ids, office.at)
        return done


def standing(office: Office, name: str) -> Json:
    """The only part of the newest version of a file."""
    with office.engine.begin() as connection:
        part: Json = versions_of(connection, name)[0]["parts"][0]
        return part


def names(office: Office) -> list[tuple[object, ...]]:
    return office.query("SELECT _key, customer_name, _removed_at IS NOT NULL FROM raw.quickbooks_customers ORDER BY 1")


# revert


def test_reverting_takes_back_what_a_file_added_and_changed(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["1.00", "2.00"], b=["3.00"]))
    office.work()
    before = office.lines()
    office.drop(NEXT, invoices(a=["9.00"], c=["4.00"]))
    office.work()

    said = taken_back(office, NEXT)

    assert office.lines() == before
    assert (said["removed"], said["restored"], said["owed"]) == (1, 2, ["quickbooks.invoices"])
    assert office.query("SELECT dataset FROM qbwatch.transform_debt") == [("quickbooks.invoices",)]
    part = standing(office, NEXT)
    assert (part["state"], part["code"], part["reason"]) == ("skipped", "reverted", "reverted by a person")


def test_a_dry_run_says_the_effect_and_leaves_everything(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["1.00"]))
    office.work()
    assert taken_back(office, "Invoice_04_01", dry_run=True)["removed"] == 1
    assert office.lines() == [("a", "1.00")]
    assert office.states() == [(INVOICE, "loaded")]
    assert office.query("SELECT count(*) FROM qbwatch.transform_debt") == [(0,)]


def test_reverting_the_only_file_empties_the_table(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["1.00"]))
    office.work()
    taken_back(office, INVOICE)
    assert office.lines() == []


def test_reverting_a_rewritten_file_brings_its_former_version_back(office: Office) -> None:
    for amount in ("1.00", "2.00", "3.00"):
        office.drop(INVOICE, invoices(a=[amount]))
        office.work()
    for amount in ("2.00", "1.00"):
        assert taken_back(office, INVOICE)["restored_files"] == [INVOICE]
        assert office.lines() == [("a", amount)]
    assert taken_back(office, INVOICE)["restored_files"] == []
    assert office.lines() == []
    with pytest.raises(QbwatchError, match=r"nothing to revert: .* is skipped"):
        taken_back(office, INVOICE)


def test_a_reverted_file_stays_reverted_when_it_is_dropped_again_under_whatever_name(office: Office) -> None:
    content = invoices(a=["1.00"])
    office.drop(INVOICE, content)
    office.work()
    taken_back(office, INVOICE)
    office.drop(INVOICE, content)
    office.drop(f"copy/{INVOICE}", content)
    assert office.work() is None or office.lines() == []
    assert office.lines() == []
    part = standing(office, f"copy/{INVOICE}")
    assert (part["state"], part["code"]) == ("skipped", "duplicate")
    assert part["reason"] == f"the same bytes for the same moment as {INVOICE}, which a person reverted"
    assert part["hint"] == f"`qbwatch retry {INVOICE}` loads it after all"


def test_a_retry_makes_a_reverted_file_count_again(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["1.00"]))
    office.work()
    taken_back(office, INVOICE)
    assert decide(office, "release", INVOICE) == 1
    office.work()
    assert office.lines() == [("a", "1.00")]
    assert standing(office, INVOICE)["state"] == "loaded"


def test_a_new_version_of_a_reverted_file_is_a_new_statement(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["1.00"]))
    office.work()
    taken_back(office, INVOICE)
    office.drop(INVOICE, invoices(a=["2.00"]))
    office.work()
    assert office.lines() == [("a", "2.00")]
    old = office.query("SELECT min(id) FROM qbwatch.work_items")[0][0]
    with office.engine.begin() as connection:
        assert decisions.release(connection, [int(str(old))], office.at) == 0  # it would count beside the newer one


# skip


def test_a_skipped_file_is_left_out_also_when_it_comes_again(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["1.00"]))
    assert decide(office, "skip", INVOICE) == 1
    office.drop(f"copy/{INVOICE}", invoices(a=["1.00"]))
    office.work()
    assert office.states() == [(INVOICE, "skipped"), (f"copy/{INVOICE}", "skipped")]
    assert decide(office, "release", f"copy/{INVOICE}") == 0
    assert decide(office, "release", INVOICE) == 1
    office.work()
    assert office.lines() == [("a", "1.00")]


# holds and their answers


def test_a_full_export_with_far_fewer_rows_waits_and_is_loaded_once_accepted(office: Office) -> None:
    office.drop(FULL, customers(**MANY))
    office.drop(NEXT_FULL, customers(c1="Name 1"))
    office.work()
    part = standing(office, NEXT_FULL)
    assert (part["state"], part["code"]) == ("quarantined", "few_rows")
    assert not any(removed for _, _, removed in names(office))

    assert decide(office, "accept", NEXT_FULL) == 1
    office.work()

    assert sum(bool(removed) for _, _, removed in names(office)) == 29
    assert standing(office, NEXT_FULL)["answers"]["accepted"] == ["few_rows"]
    with office.engine.connect() as connection:
        from qbwatch.datasets import dataset_named
        from qbwatch.rebuilding import rebuild, verify

        loader, dataset = office.pipeline.loader, dataset_named("customers")
        assert verify(connection, loader, dataset, datetime.now(UTC))["equal"]
        assert rebuild(connection, loader, dataset, datetime.now(UTC))["rows"] == {
            "inserted": 0,
            "updated": 0,
            "removed": 0,
        }


def test_an_empty_full_export_empties_nothing_before_it_is_accepted(office: Office) -> None:
    office.drop(FULL, customers(c1="Acme", c2="Beta"))
    office.drop(NEXT_FULL, customers())
    office.work()
    assert standing(office, NEXT_FULL)["code"] == "no_rows"
    assert not any(removed for _, _, removed in names(office))
    decide(office, "accept", NEXT_FULL)
    office.work()
    assert all(removed for _, _, removed in names(office))
    assert "was emptied" in " ".join(standing(office, NEXT_FULL)["notes"])


def test_of_a_file_whose_name_disagrees_the_content_counts_once_accepted(office: Office) -> None:
    office.drop(INVOICE, customers(c1="Acme"))
    office.work()
    assert (standing(office, INVOICE)["code"], names(office)) == ("name_disagrees", [])
    decide(office, "accept", INVOICE)
    office.work()
    assert names(office) == [("c1", "Acme", False)]
    assert standing(office, INVOICE)["dataset"] == "quickbooks.customers"


def test_a_path_that_takes_another_datasets_rows_gives_its_former_ones_back(office: Office) -> None:
    office.drop(INVOICE, invoices(a=["1.00"]))
    office.work()
    office.drop(INVOICE, customers(c1="Acme"))
    decide(office, "accept", INVOICE)
    office.work()
    assert (office.lines(), names(office)) == ([], [("c1", "Acme", False)])
    taken_back(office, INVOICE)
    assert (office.lines(), names(office)) == ([("a", "1.00")], [])


# how a file differs from the one that it replaces


@pytest.mark.parametrize("from_bytes", [staging.LARGE, 0])
def test_a_rewritten_file_tells_how_it_differs_from_its_former_version(
    office: Office, monkeypatch: pytest.MonkeyPatch, from_bytes: int
) -> None:
    monkeypatch.setattr(staging, "LARGE", from_bytes)
    monkeypatch.setattr(staging, "_SMALL", from_bytes)
    office.drop(INVOICE, invoices(a=["1.00", "2.00"], b=["3.00"]))
    office.work()
    assert standing(office, INVOICE)["difference"] is None
    office.drop(INVOICE, invoices(a=["5.00", "1.0", "2.00"], c=["4.00"]))
    office.work()
    said = standing(office, INVOICE)["difference"]
    assert (said["changed"], said["new"], said["gone"], said["name"]) == (0, 2, 1, INVOICE)


def test_a_full_export_is_compared_with_the_one_before_whatever_the_windows_brought(office: Office) -> None:
    office.drop(FULL, customers(c1="Acme", c2="Beta", c3="Gone"))
    office.drop("Customer_04_02_2025_1_00_00.csv", customers(c1="Acme Inc"))
    office.drop(NEXT_FULL, customers(c1="Acme Inc", c2="Beta", c4="New"))
    office.work()
    said = standing(office, NEXT_FULL)["difference"]
    assert (said["changed"], said["new"], said["gone"], said["name"]) == (1, 1, 1, FULL)


# which file is meant


def test_a_file_is_found_by_name_by_path_and_by_a_part_that_only_one_fits(office: Office) -> None:
    office.drop(f"2025/{INVOICE}", invoices(a=["1.00"]))
    office.drop(NEXT, invoices(a=["2.00"]))
    with office.engine.begin() as connection:

        def found(asked: str) -> str:
            return choose(connection, asked, lambda _: True, "nothing to do")[0].name

        for asked in (INVOICE, f"2025/{INVOICE}", f"/dropbox/input/2025/{INVOICE}", "invoice_04_01"):
            assert found(asked) == f"2025/{INVOICE}"
        with pytest.raises(QbwatchError, match="Invoice fits 2 files: "):
            found("Invoice")
        with pytest.raises(QbwatchError, match="nothing to do: nope is not in the ledger"):
            found("nope")
        with pytest.raises(QbwatchError, match=f"nothing to do: {NEXT} is pending"):
            choose(connection, NEXT, lambda _: False, "nothing to do")


def test_a_check_foretells_the_question_that_a_load_would_raise(office: Office) -> None:
    office.drop(FULL, customers(**MANY))
    office.work()
    (office.root / NEXT_FULL).write_bytes(customers(c1="Name 1"))
    checker = Checker(NEW_YORK, DateOrder.MDY, (), office.engine)
    (part,) = checker.check(office.root / NEXT_FULL)["parts"]
    assert (part["verdict"], part["reason"]) == ("quarantine", f"a full export of 1 row, where {FULL} had 30")
    assert "`qbwatch accept" in part["hint"]
