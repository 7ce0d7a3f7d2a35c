"""Questions as a person meets them: `check` foretells each, `once` asks it, `accept` answers it once and for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from installation import Installation
from small_exports import customers, invoices

FULL, NEXT_FULL = "01_BACKUP_Customer_04_01_2025.csv", "01_BACKUP_Customer_04_02_2025.csv"
MANY = customers(**{f"c{number}": f"Name {number}" for number in range(30)})
CUSTOMERS = "SELECT count(*) FROM raw.quickbooks_customers WHERE _removed_at IS NULL"


def report(title: str, period: str, day: int) -> bytes:
    row = f"04/{day:02}/2025,Invoice,{day},Acme,{day}.00\n"
    return f'Acme Ltd\n{title}\n"{period}"\n\nDate,Transaction Type,Num,Name,Amount\n{row}'.encode()


@dataclass(frozen=True)
class Asked:
    """A file that is loaded before, the one that is asked about, and what is so once it is accepted."""

    before: tuple[str, bytes]
    held: tuple[str, bytes]
    reason: str
    query: str
    answer: list[tuple[object, ...]]


LIST, PAYMENTS = "Transaction List by Date", "Invoices and Received Payments"
DAYS = "SELECT _key FROM raw.quickbooks_transactions ORDER BY 1"
QUESTIONS = {
    "few_rows": Asked(
        (FULL, MANY),
        (NEXT_FULL, customers(c1="Acme")),
        f"a full export of 1 row, where {FULL} had 30",
        CUSTOMERS,
        [(1,)],
    ),
    "no_rows": Asked((FULL, MANY), (NEXT_FULL, customers()), f"it has no row, where {FULL} had 30", CUSTOMERS, [(0,)]),
    "name_disagrees": Asked(
        (FULL, MANY),
        ("Invoice_04_02_2025_2_00_00.csv", customers(c99="Acme")),
        "its name says quickbooks.invoices, its header says quickbooks.customers",
        CUSTOMERS,
        [(31,)],
    ),
    "period_overlaps": Asked(
        (f"{LIST} 2025-04-08.csv", report(LIST, "April 1-7, 2025", 1)),
        (f"{LIST} 2025-04-10.csv", report(LIST, "April 3-9, 2025", 9)),
        f"its period, 2025-04-03 to 2025-04-09, overlaps in part that of {LIST} 2025-04-08.csv",
        DAYS,
        [("2025-04-01",), ("2025-04-09",)],
    ),
    "other_report": Asked(
        (f"{LIST} 2025-04-08.csv", report(LIST, "April 1-7, 2025", 1)),
        (f"{PAYMENTS} 2025-04-09.csv", report(PAYMENTS, "April 1-7, 2025", 2)),
        f"it is a '{PAYMENTS}', and shares days with {LIST} 2025-04-08.csv, a '{LIST}', which lists other rows",
        DAYS,
        [("2025-04-02",)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", QUESTIONS)
def test_a_question_is_foretold_asked_and_answered(
    code: str, install: Callable[..., Installation], tmp_path: Path
) -> None:
    asked, office = QUESTIONS[code], install()
    (office.input / asked.before[0]).write_bytes(asked.before[1])
    assert office.run("once").returncode == 0
    name, content = asked.held
    (tmp_path / name).write_bytes(content)
    (foretold,) = office.json("check", str(tmp_path / name))["parts"]
    assert (foretold["verdict"], foretold["reason"].startswith(asked.reason)) == ("quarantine", True)

    (office.input / name).write_bytes(content)
    assert office.run("once").returncode in (1, 3)
    (held,) = office.json("status")["quarantined"]
    assert held["reason"].startswith(asked.reason)
    assert "qbwatch accept" in held["hint"]

    assert office.json("accept", name)["questions"] == [code]
    assert office.run("once").returncode == 0
    assert office.query(asked.query) == asked.answer
    assert f"accepted by a person: {code}" in office.run("why", name).stdout
    assert office.run("rebuild", "--verify").returncode == 0


def test_a_renamed_column_is_mapped_once(install: Callable[..., Installation]) -> None:
    office = install()
    first, second, third = (f"Invoice_04_0{day}_2025_2_00_00.csv" for day in (1, 2, 3))
    for name, key in ((first, "a"), (second, "b")):
        (office.input / name).write_bytes(invoices(**{key: ["1.00"]}).replace(b"Invoice No,", b"Document Ref,"))
    assert office.run("once").returncode == 1
    wrong = office.run("accept", first, "--map", "Customer=Document Ref")
    assert (wrong.returncode, "can't be read either" in wrong.stderr) == (1, True)
    assert "a mapping is" in wrong.stderr
    assert office.run("accept", first, "--map", "nonsense").returncode == 2

    done = office.run("accept", first, "--map", "Invoice No=Document Ref")
    assert "is accepted and back in the queue, and so is 1 more that waited for it" in done.stdout, done.stderr
    assert office.run("once").returncode == 0
    (office.input / third).write_bytes(invoices(c=["3.00"]).replace(b"Invoice No,", b"Document Ref,"))
    assert office.run("once").returncode == 0

    kept = office.query("SELECT _key, invoice_no FROM raw.quickbooks_invoices ORDER BY 1")
    assert kept == [("a", "N-a"), ("b", "N-b"), ("c", "N-c")]
    assert "mapped by a person: invoice_no from 'Document Ref'" in office.run("why", first).stdout
    told = " ".join(office.run("why", third).stdout.split())
    assert "mapped as a person said of an earlier file: invoice_no from 'Document Ref'" in told
    assert office.run("rebuild", "--verify").returncode == 0
    assert office.run("rebuild", "--dataset", "invoices").returncode == 0
    assert office.query("SELECT count(*) FROM raw.quickbooks_invoices") == [(3,)]
