"""Reports that share a table: which may replace which, what is asked, and what is asked only once."""

from __future__ import annotations

from pathlib import Path

from small_exports import NEW_YORK, Office

from qbwatch.checking import Checker
from qbwatch.core.dates import DateOrder
from qbwatch.core.facts import Json
from qbwatch.edges import decisions
from qbwatch.edges.file_search import choose

LIST, PAYMENTS = "Transaction List by Date", "Invoices and Received Payments"


def transactions(title: str, period: str, *days: int) -> bytes:
    """A report of one row on each of these days of April 2025."""
    rows = "".join(f"04/{day:02}/2025,Invoice,{day},Acme,{day}.00\n" for day in days)
    return f'Acme Ltd\n{title}\n"{period}"\n\nDate,Transaction Type,Num,Name,Amount\n{rows}'.encode()


def sales(title: str, *days: int) -> bytes:
    rows = "".join(f"04/{day:02}/2025,Invoice,{day},Acme,Rope,1,{day}.00,{day}.00\n" for day in days)
    header = "Date,Transaction Type,Num,Customer,Product/Service,Qty,Sales Price,Amount"
    return f"Acme Ltd\n{title}\nAll Dates\n\n{header}\n{rows}".encode()


def days(office: Office) -> list[object]:
    return [day for (day,) in office.query("SELECT _key FROM raw.quickbooks_transactions ORDER BY 1")]


def held(office: Office) -> list[tuple[object, ...]]:
    return office.query("SELECT failure_code FROM qbwatch.work_items WHERE state = 'quarantined'")


def accept(office: Office, name: str) -> None:
    with office.engine.begin() as connection:
        items = choose(connection, name, lambda _: True, "nothing")
        assert decisions.accept(connection, [each.item_id for each in items], office.at) == 1


def foretold(office: Office, tmp_path: Path, name: str, content: bytes) -> Json:
    file = tmp_path / name
    file.write_bytes(content)
    (part,) = Checker(NEW_YORK, DateOrder.MDY, (), office.engine).check(file)["parts"]
    return dict(part)


def test_a_report_of_other_rows_doesn_t_wipe_a_list_unasked(office: Office, tmp_path: Path) -> None:
    office.drop(f"{LIST} 2025-04-14.csv", transactions(LIST, "April 1-14, 2025", 1, 2, 3))
    office.work()
    name, content = f"{PAYMENTS} 2025-04-15.csv", transactions(PAYMENTS, "All Dates", 2)
    part = foretold(office, tmp_path, name, content)
    assert (part["verdict"], "which lists other rows" in part["reason"]) == ("quarantine", True)
    office.drop(name, content)
    office.work()
    assert (days(office), held(office)) == (["2025-04-01", "2025-04-02", "2025-04-03"], [("other_report",)])

    accept(office, name)
    office.work()
    assert days(office) == ["2025-04-02"]


def test_an_older_report_that_comes_late_is_asked_about_too(office: Office) -> None:
    office.drop(f"{PAYMENTS} 2025-04-15.csv", transactions(PAYMENTS, "April 1-14, 2025", 2))
    office.work()
    office.drop(f"{LIST} 2025-04-14.csv", transactions(LIST, "April 1-14, 2025", 1, 2, 3))
    office.work()
    assert held(office) == [("other_report",)]


def test_reports_of_the_same_sales_replace_one_another(office: Office) -> None:
    office.drop("Sales by Customer Detail 2025-04-14.csv", sales("Sales by Customer Detail", 1, 2))
    office.drop("Sales by Product_Service Detail 2025-04-15.csv", sales("Sales by Product/Service Detail", 2, 3))
    office.work()
    assert held(office) == []
    kept = office.query("SELECT _key, report FROM raw.quickbooks_sales_detail ORDER BY 1")
    assert kept == [(f"2025-04-0{day}", "Sales by Product/Service Detail") for day in (2, 3)]


def test_reports_of_other_days_have_no_quarrel(office: Office) -> None:
    office.drop(f"{LIST} 2025-04-14.csv", transactions(LIST, "April 1-7, 2025", 1))
    office.drop(f"{PAYMENTS} 2025-04-15.csv", transactions(PAYMENTS, "April 8-14, 2025", 9))
    office.work()
    assert (days(office), held(office)) == (["2025-04-01", "2025-04-09"], [])


def test_a_window_that_rolls_on_is_asked_about_once(office: Office, tmp_path: Path) -> None:
    office.drop(f"{LIST} 2025-04-08.csv", transactions(LIST, "April 1-7, 2025", 1, 7))
    office.work()
    office.drop(f"{LIST} 2025-04-09.csv", transactions(LIST, "April 2-8, 2025", 7, 8))
    office.work()
    assert held(office) == [("period_overlaps",)]
    accept(office, f"{LIST} 2025-04-09.csv")
    office.work()

    content = transactions(LIST, "April 3-9, 2025", 8, 9)
    assert foretold(office, tmp_path, f"{LIST} 2025-04-10.csv", content)["verdict"] == "load"
    office.drop(f"{LIST} 2025-04-10.csv", content)
    office.work()
    assert (days(office), held(office)) == (["2025-04-01", "2025-04-08", "2025-04-09"], [])

    office.drop(f"{LIST} 2025-04-11.csv", transactions(LIST, "April 4-20, 2025", 10))  # another length of period
    office.work()
    assert held(office) == [("period_overlaps",)]


def test_a_position_speaks_for_the_office_s_day(office: Office) -> None:
    text = ",Date,Transaction type,Num,Due date,Open balance\nAcme,,,,,\n,01/06/2025,Invoice,7,02/06/2025,5.00\n"
    office.drop("Open Invoices_04_14_2025_22_30_00.csv", text.encode())
    office.work()
    assert office.query("SELECT _key FROM raw.quickbooks_open_invoices") == [("2025-04-14",)]


def test_a_flat_list_speaks_for_the_moment_in_its_footer(office: Office) -> None:
    text = 'Customer full name,Phone numbers\nAcme,555-0100\n,\n" Monday, April 14, 2025 09:15 AM GMT-04:00",\n'
    office.drop("Customer Contact List.csv", text.encode())
    office.work()
    seen = office.query("SELECT as_of::text, as_of_basis FROM qbwatch.files")
    assert seen == [("2025-04-14 13:15:00+00", "content")]
    assert office.query("SELECT count(*) FROM raw.quickbooks_customers") == [(1,)]


def test_a_file_of_employees_is_skipped_by_its_rule(office: Office) -> None:
    office.drop("Employee_04_14_2025_1_00_00.csv", b"Employee Name,SSN\r\nJo,000-00-0000\r\n")
    office.drop("employees.iif", b"!EMP\tNAME\tSSNO\nEMP\tJo\t000\n")
    found = office.query("SELECT state, failure_code, reason FROM qbwatch.work_items")
    assert found == [("skipped", "employees", "employees are never loaded")] * 2
    assert office.work() is None
