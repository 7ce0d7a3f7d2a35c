"""Of a workbook's sheets, the data are loaded, doubts go to a person, and the rest is passed over by name."""

from __future__ import annotations

import io

import openpyxl
import pytest
from workbooks import saved, xlsx

from qbwatch.core.dates import DateOrder
from qbwatch.formats.part import Part, Unread, open_part
from qbwatch.formats.records import Record, Rejected
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.sheets import Outcome, Passed, open_sheets

CUSTOMERS = [["QuickBooks Internal Id", "Customer Name"], ["80000001-1", "Acme"]]
ITEMS = [["QuickBooks Internal Id", "Item Name", "Item Type"], ["80000002-1", "Rope", "Service"]]
UNKNOWN = [["Vehicle", "Driver", "Mileage"], ["Van", "Joe", 12]]
TIPS = [["Tips for your export"], ["1. Don't change the headers."], ["2. Save as .xlsx.", "Thank you"]]


def outcomes(data: bytes, name: str = "All Lists_04_14_2025_1_00_05.xlsx") -> tuple[Outcome, ...]:
    return open_sheets(lambda: io.BytesIO(data), name, DateOrder.MDY)


def told(data: bytes, name: str = "All Lists_04_14_2025_1_00_05.xlsx") -> dict[str | None, str]:
    """By sheet: the dataset, or the code of what is wrong; a sheet that is passed over in brackets."""
    found = {}
    for each in outcomes(data, name):
        match each:
            case Part():
                found[each.table.sheet] = each.layout.dataset.name
            case Unread(table, failure):
                found[table.sheet] = failure.code
            case Passed(table, failure):
                found[table.sheet] = f"({failure.code})"
    return found


def test_each_sheet_is_a_part_of_its_own() -> None:
    data = xlsx(Customer=CUSTOMERS, Item=ITEMS)
    assert told(data) == {"Customer": "customers", "Item": "items"}
    part = open_part(lambda: io.BytesIO(data), "All Lists.xlsx", DateOrder.MDY, "Item")
    assert [reading.key for reading in part.readings() if isinstance(reading, Record)] == ["80000002-1"]


def test_tips_before_the_data_and_empty_sheets_are_passed_over() -> None:
    assert told(xlsx(Tips=TIPS, Sheet1=CUSTOMERS, Payment=[])) == {
        "Tips": "(cover_sheet)", "Sheet1": "customers", "Payment": "(empty_sheet)"
    }  # fmt: skip


def test_data_below_many_blank_rows_is_a_question_and_no_empty_sheet() -> None:
    deep = [[]] * 39 + ITEMS
    assert told(xlsx(Customer=CUSTOMERS, Item=deep)) == {"Customer": "customers", "Item": "header_too_deep"}
    with pytest.raises(Refusal, match="line 40 is the first with content"):
        open_part(lambda: io.BytesIO(xlsx(Item=deep)), "Item.xlsx", DateOrder.MDY)


def test_an_unknown_sheet_with_a_header_is_a_question_of_its_own() -> None:
    assert told(xlsx(Customer=CUSTOMERS, Fleet=UNKNOWN)) == {"Customer": "customers", "Fleet": "unknown_layout"}


def test_hidden_sheets_and_charts_are_passed_over() -> None:
    book = openpyxl.Workbook()
    book.active.title = "Customer"
    hidden = book.create_sheet("Customer (old)")
    for sheet in (book.active, hidden):
        for row in CUSTOMERS:
            sheet.append(row)
    hidden.sheet_state = "hidden"
    book.create_chartsheet("Chart")
    assert told(saved(book)) == {
        "Customer": "customers", "Customer (old)": "(hidden_sheet)", "Chart": "(hidden_sheet)"
    }  # fmt: skip


def test_two_sheets_that_fit_one_dataset_are_a_question_that_names_both() -> None:
    found = outcomes(xlsx(April=CUSTOMERS, May=CUSTOMERS))
    assert [each.failure.code for each in found if isinstance(each, Unread)] == ["ambiguous_sheets"] * 2
    assert "'April'" in found[0].failure.reason  # type: ignore[union-attr]
    assert "'May'" in found[0].failure.reason  # type: ignore[union-attr]


def test_the_sheet_that_is_called_by_its_dataset_is_the_one_that_is_meant() -> None:
    others = [ITEMS[0], ["80000003-1", "Friends' discount", "OtherCharge"]]
    assert told(xlsx(**{"Item Discount": others, "Item": ITEMS})) == {
        "Item Discount": "ambiguous_sheets", "Item": "items"
    }  # fmt: skip


def test_a_sheet_that_lists_some_of_the_same_records_apart_is_passed_over() -> None:
    whole = [*ITEMS, ["80000003-1", "Friends' discount", "OtherCharge"]]
    (apart, items) = outcomes(xlsx(**{"Item Discount": [ITEMS[0], whole[-1]], "Item": whole}))
    assert isinstance(items, Part)
    assert isinstance(apart, Passed)
    assert (apart.failure.code, apart.failure.reason) == (
        "listed_elsewhere", "all of its records stand on the sheet 'Item' too"
    )  # fmt: skip


def test_a_sheet_with_a_row_that_cant_be_read_is_never_taken_for_a_copy() -> None:
    assert told(xlsx(**{"Item Discount": [*ITEMS, ["", "x", "y"]], "Item": ITEMS}))["Item Discount"] == (
        "ambiguous_sheets"
    )


EMPLOYEES = [["Employee Name", "SSN"], ["Jo", "000-00-0000"]]


def test_a_workbook_of_employees_alone_is_passed_over() -> None:
    assert told(xlsx(Employee=EMPLOYEES, Payment=[])) == {"Employee": "(employees)", "Payment": "(empty_sheet)"}


def test_the_sheets_name_speaks_before_the_files() -> None:
    data = xlsx(Item=ITEMS, Sheet2=CUSTOMERS)
    assert told(data, "Customer_04_14_2025_1_00_05.xlsx") == {"Item": "items", "Sheet2": "customers"}
    assert told(xlsx(Item=ITEMS, Invoice=CUSTOMERS))["Invoice"] == "name_disagrees"


def test_a_workbook_of_one_sheet_is_asked_like_a_csv() -> None:
    assert told(xlsx(Sheet1=CUSTOMERS), "Customer_04_14_2025.xlsx") == {"Sheet1": "customers"}
    with pytest.raises(Refusal) as caught:
        outcomes(xlsx(Sheet1=CUSTOMERS), "Invoice_04_14_2025.xlsx")
    assert caught.value.failure.code == "name_disagrees"


@pytest.mark.parametrize("sheets", [{"A": [], "B": []}, {"A": []}])
def test_a_workbook_without_any_content_is_refused(sheets: dict[str, list[list[str]]]) -> None:
    with pytest.raises(Refusal) as caught:
        outcomes(xlsx(**sheets))
    assert caught.value.failure.code == "empty_file"


def test_text_alone_is_a_question_when_nothing_is_to_be_loaded_beside_it() -> None:
    assert told(xlsx(Tips=TIPS, Fleet=UNKNOWN)) == {"Tips": "unknown_layout", "Fleet": "unknown_layout"}


def test_a_record_with_an_error_or_an_unworked_formula_is_rejected_with_its_cell() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Item"
    sheet.append([*ITEMS[0], "Sales Price", "UPC"])
    sheet.append(["1", "Rope", "Service", "=1+1"])
    sheet.append(["2", "Cord", "Service", 1])
    sheet["E3"] = "#N/A"
    sheet["E3"].data_type = "e"
    (part,) = outcomes(saved(book))
    assert isinstance(part, Part)
    found = [reading for reading in part.readings() if isinstance(reading, Rejected)]
    assert [(each.key, each.reject.line, each.reject.column, each.reject.reason) for each in found] == [
        ("1", 2, "Sales Price", "cell Item!D2 holds a formula without its value"),
        ("2", 3, "UPC", "cell Item!E3 holds the error #N/A"),
    ]


def test_numbers_are_the_same_keys_as_in_a_csv() -> None:
    rows = [["QuickBooks Internal Id", "Customer Name"], [1001, "a"], ["00123", "b"], [1.91431e18, "c"]]
    (part,) = outcomes(xlsx(Customer=rows))
    assert isinstance(part, Part)
    readings = list(part.readings())
    assert [reading.key for reading in readings if isinstance(reading, Record)] == ["1001", "00123"]
    (rejected,) = (reading for reading in readings if isinstance(reading, Rejected))
    assert rejected.reject.text == "1.91431E+18"
