"""No customer's name, no amount, no cell of a file leaves the house in a message."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qbwatch.core.facts import Severity
from qbwatch.core.incident import Incident, Kind, Pace, Sighting, judge
from qbwatch.core.message import Circumstances, Ending, Message, about, over, recovered
from qbwatch.core.model import FailureClass
from qbwatch.core.redaction import redaction

NAME, AMOUNT, CELL = "Zanzibar & Sons", "98,765.43", "Quokka Ltd"
NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
REASONS = [
    f"line 7, column 'Customer': '{CELL}': no such thing",
    f"line 2, column 'Total Amount': '${AMOUNT}': a decimal comma",
    f'invalid input syntax for type numeric: "{CELL}"',
    f'duplicate key value violates unique constraint "one" DETAIL: Key (customer)=({CELL}) already exists.',
    f"Failing row contains (7, {CELL}, {AMOUNT}).",
    f"sums disagree between file and table: total ({AMOUNT} in the file, 98765.4 in the table)",
    f"more cells than the header, and 'Smith,{CELL}' looks torn at a comma",
    f"{NAME} has a negative balance of -{AMOUNT}",
    f"Statement of {NAME.upper()}.xlsx is quarantined: its first cell is {CELL!r}",
    f"dbt test failed: Got 1 result ({NAME}: ${AMOUNT})",
    "write to boss@quokka.example about $5",
]


def incident(summary: str, failure_class: FailureClass = FailureClass.DATA) -> Incident:
    names = ("Invoice_04_17_2025.csv", f"{NAME} 04_17_2025.csv")
    seen = Sighting(failure_class, "bad", "quickbooks.invoices", Severity.ERROR, summary, summary, names, 7)
    (found,) = judge([], [seen], Pace(), NOW).incidents
    return found


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("failure_class", FailureClass)
def test_no_message_of_any_kind_holds_a_name_an_amount_or_a_cell(reason: str, failure_class: FailureClass) -> None:
    told = Circumstances(NOW, redact=redaction([NAME]))
    found = incident(reason, failure_class)
    messages = [about(found, kind, told) for kind in (Kind.OPENED, Kind.REMINDER)]
    messages += [recovered(found, told, Ending(reason)), over(found, told, Ending(reason))]
    for message in messages:
        text = f"{message.subject}\n{message.body}\n{message.as_html}"
        for secret in (NAME, NAME.upper(), AMOUNT, "98765.4", CELL, "quokka", "$5"):
            assert secret not in text


def test_what_helps_to_mend_it_stays() -> None:
    redact = redaction([NAME])
    for text in (
        "line 212, column 'Invoice Date' contradicts the configured order 'mdy'",
        "nearest to quickbooks.invoices, but without: Invoice No, Trans #",
        "the file stops in the middle of row 212; can't be loaded, as it isn't whole",
        "Invoices usually come by 02:05 on business days; none since Monday 23 November, 02:00",
        'were they renamed? then `qbwatch accept FILE --map "Invoice No=Document No"`; else export it again',
        "1,234 of 5,000 rows can't be read",
        "Postgres did not answer within 0.5 s at 127.0.0.1",
        "see qbwatch why 'Invoice_10.25.csv'",
    ):
        assert redact(text) == text


def test_a_customer_called_cash_does_not_blot_out_the_words() -> None:
    assert redaction(["Cash", "Bob", "invoices"])("invoices of Bob: cash") == "invoices of Bob: cash"


def test_a_name_inside_a_longer_word_is_none() -> None:
    assert redaction(["Acme"])("Acmeville, Acme, acme-2") == "Acmeville, [name], [name]-2"


def test_without_redaction_everything_is_told() -> None:
    told = replace(Circumstances(NOW), redact=str)
    assert AMOUNT in about(incident(f"{NAME} owes {AMOUNT}"), Kind.OPENED, told).body


@given(st.text(max_size=300), st.lists(st.text(max_size=20), max_size=5))
def test_any_text_can_be_redacted(text: str, names: list[str]) -> None:
    Message("s", redaction(names)(text)).as_html  # noqa: B018
