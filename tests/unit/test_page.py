"""The status page says what is so, in the office's words, and carries nothing that it shouldn't."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import page_samples as firm
import pytest
from page_samples import AT, CUSTOMER, IDLE, STATES, TODAY, YESTERDAY, ZONE

from qbwatch.core.facts import DaemonFacts, Problem, Severity
from qbwatch.core.model import DaemonState, FailureClass
from qbwatch.page import refusals
from qbwatch.page.compose import compose
from qbwatch.page.facts import Arrived, PageFacts, RefusedPart
from qbwatch.page.render import render
from qbwatch.page.view import GENERATOR, REWRITTEN_AFTER, View

SOURCE = Path(refusals.__file__).parents[1]
LIMIT = 100_000  # bytes


def page(view: View, at: datetime = AT) -> str:
    return render(view, at, ZONE)


def parsed(html: str) -> Element:
    """The tree of a valid page; anything that isn't valid raises."""
    tree: Element = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    return tree


def seen(html: str) -> str:
    """All text of a page but its style, with single blanks."""
    body = parsed(html).find("body")
    assert body is not None
    return " ".join(" ".join(body.itertext()).split())


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_valid_small_and_needs_nothing_else(state: str) -> None:
    html = page(STATES[state]())
    tree = parsed(html)
    assert len(html.encode()) < LIMIT
    assert not {"script", "img", "link", "iframe", "object", "form"} & {each.tag for each in tree.iter()}
    assert not re.search(r"https?:|url\(|@import|src=|\bon[a-z]+=", html)
    assert GENERATOR in html[:400]
    ids = [each.get("id") for each in tree.iter() if each.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("state", STATES)
def test_no_state_names_a_customer_or_a_place_on_the_server(state: str) -> None:
    html = page(STATES[state]())
    assert "Marker" not in html
    assert "Söhne" not in html
    assert "secret" not in html
    assert "hint for a shell" not in html


@pytest.mark.parametrize(
    ("state", "tone", "told"),
    [
        ("healthy", "ok", "Current and right"),
        ("warned", "warning", "Usable, with 3 things to look at"),
        ("broken", "error", "Not right: 4 things to mend"),
        ("dead", "stopped", "qbwatch was stopped"),
        ("unreachable", "error", "Can’t tell: the database is out of reach"),
        ("empty", "ok", "Ready: nothing is loaded yet"),
    ],
)
def test_the_first_line_says_how_it_stands(state: str, tone: str, told: str) -> None:
    view = STATES[state]()
    assert (view.headline.tone, view.headline.text) == (tone, told)
    heading = parsed(page(view)).find(".//h1")
    assert heading is not None
    assert heading.text == told


def test_one_refused_file_alone_is_told_in_the_first_line() -> None:
    facts = replace(firm.page_facts(), refused=(firm.REFUSED,), refused_count=1)
    problem = Problem("quarantined_file", FailureClass.DATA, Severity.ERROR, "x", "y", AT, firm.REFUSED.name)
    view = compose(firm.status(daemon=replace(IDLE, problems=(problem,))), facts, ZONE, TODAY)
    assert view.headline.text == "Not complete: 1 file was refused"
    assert view.headline.detail.startswith("Nothing of it is in the figures, and everything else is.")


def test_what_is_only_old_is_called_not_current_and_told_once() -> None:
    view = compose(firm.status(firm.ledger(TODAY - timedelta(days=20))), firm.page_facts(), ZONE, TODAY)
    assert view.headline.text == "Not current: new exports are missing"
    (task,) = view.for_office
    assert task.names[:2] == ("Customers: 14 business days old", "Invoices: 14 business days old")


def test_an_export_that_is_missed_is_told_as_the_status_tells_it() -> None:
    told = "Invoices usually come by 02:05 on business days; none since Monday"
    problem = Problem("missing_export", FailureClass.MISSING_FILES, Severity.ERROR, told, "hint for a shell")
    view = compose(firm.status(daemon=replace(IDLE, problems=(problem,))), firm.page_facts(), ZONE, TODAY)
    assert view.for_office[0].title == told
    assert view.headline.text == "Not current: new exports are missing"


def test_a_cut_off_file_is_told_in_the_words_of_the_office() -> None:
    text = seen(page(firm.broken()))
    assert "Invoices: the file stops in the middle of row 212" in text
    assert "Export Invoices again." in text
    assert "Customers: it has far fewer rows than the last one" in text
    assert "qbwatch accept 01_BACKUP_Customer_11_25_2026.csv" in text


def test_it_says_when_it_was_written_and_when_to_distrust_it() -> None:
    text = seen(page(firm.healthy()))
    assert "Written Wed, Nov 25, 2026, 09:30 (New York time)." in text
    assert "If that is more than a day ago, qbwatch isn’t running" in text
    assert timedelta(days=1) >= 4 * REWRITTEN_AFTER


def test_a_stop_is_told_with_what_was_so_before() -> None:
    text = seen(page(firm.dead()))
    assert "Since Wed, Nov 25, 2026, 09:30 new files aren’t loaded" in text
    assert "When it stopped: Current and right." in text


def test_the_moment_of_writing_is_all_that_tells_equal_answers_apart() -> None:
    later = replace(IDLE, last_scan_at=AT + timedelta(hours=1), pid=9)
    again = compose(firm.status(daemon=later), firm.page_facts(), ZONE, TODAY)
    assert again == firm.healthy()
    assert page(again) == page(firm.healthy())
    assert page(again, AT + timedelta(hours=1)) != page(again)


def test_hostile_names_are_text() -> None:
    names = ["<script>alert(1)</script>.csv", '"><img src=x onerror=alert(1)>.csv', "{{ 7*7 }}'.csv", "a" * 4000]
    refused = tuple(RefusedPart(name, name, None, "no such code", name, AT) for name in names)
    recent = tuple(Arrived(name, None, "quarantined", AT, None) for name in names)
    facts = PageFacts(refused, 500, recent, arrivals={names[0]: {TODAY: "loaded"}})
    settling = DaemonFacts(DaemonState.IDLE, settling=[(name, AT) for name in names])
    html = page(compose(firm.status(daemon=settling), facts, ZONE, TODAY))
    tree = parsed(html)
    assert not {"script", "img"} & {each.tag for each in tree.iter()}
    for name in names[:3]:
        assert name in seen(html)
    assert "and 496 more" in seen(html)


def test_a_page_of_everything_at_once_stays_small() -> None:
    long = "Sales_Receipt_" + "é" * 110 + "_11_25_2026_3_00_02.csv"
    days = {TODAY - timedelta(days=back): "refused" for back in range(28)}
    facts = replace(
        firm.page_facts(),
        refused=tuple(replace(firm.REFUSED, name=f"{number}{long}") for number in range(500)),
        refused_count=500,
        recent=tuple(Arrived(long, "quarantined", "quarantined", AT, None) for _ in range(8)),
        arrivals={f"quickbooks.dataset_{number}": days for number in range(27)},
    )
    copies = [
        Problem("conflicted_copy", FailureClass.DATA, Severity.ERROR, "x", "y", AT, f"{number}{long}")
        for number in range(500)
    ]
    busy = replace(IDLE, problems=copies, settling=[(long, AT)] * 500)
    html = page(compose(firm.status(daemon=busy), facts, ZONE, TODAY))
    parsed(html)
    assert len(html.encode()) < LIMIT
    assert "and 488 more" in html


def test_an_unknown_problem_is_told_without_its_text() -> None:
    problem = Problem("brand_new", FailureClass.CONFIGURATION, Severity.WARNING, CUSTOMER, CUSTOMER, AT)
    view = compose(firm.status(daemon=replace(IDLE, problems=(problem,))), firm.page_facts(), ZONE, TODAY)
    assert view.for_server[0].title == "Something on the server isn’t set up right"
    assert "Marker" not in page(view)


def test_the_page_is_silent_about_its_own_trouble() -> None:
    problem = Problem("page_unwritable", FailureClass.CONFIGURATION, Severity.WARNING, "full", "free it", AT)
    view = compose(firm.status(daemon=replace(IDLE, problems=(problem,))), firm.page_facts(), ZONE, TODAY)
    assert (view.for_office, view.for_server, view.for_nobody) == ((), (), ())
    assert view.headline == firm.healthy().headline


def test_what_is_not_known_is_not_told_as_none() -> None:
    text = seen(page(firm.unreachable()))
    assert "Not known at the moment." in text
    assert "Nothing waits" not in text
    assert "What stands below is the last that was known, of Wed, Nov 25, 2026, 09:30." in text


def test_each_mart_has_its_figures() -> None:
    text = seen(page(firm.healthy()))
    assert "Orders 13,553 Tue, Nov 24" in text
    assert "Receivables 241 Tue, Nov 24" in text
    assert YESTERDAY.isoformat() == "2026-11-24"


def _codes() -> set[str]:
    """The codes of refusals, holds and other failures of the data, as they stand in the code."""
    found: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        text = file.read_text("utf-8")
        found |= set(re.findall(r'(?:Refusal|FailureClass\.DATA,)\(?\s*"([a-z_]+)"', text))
    return found | set(re.findall(r'\(_DATA, "([a-z_]+)"', (SOURCE / "core" / "failure.py").read_text("utf-8")))


def test_each_code_by_which_a_file_is_refused_has_words() -> None:
    codes = _codes() | refusals.HOLDS
    assert {"unbalanced_quote", "few_rows", "totals_disagree", "database_value"} <= codes
    passed_over = {"duplicate", "quarantined_file", "transform_failed", "data_test_warns"}
    assert {code for code in codes - passed_over if not refusals.knows(code)} == set()


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        ("too_many_rejects", "61 of 1200 rows can't be read", "61 of its 1,200 rows can’t be read"),
        ("date_order", "line 2, column 'X': 'Marker'", "the dates in row 2 are written in another order than before"),
        ("unbalanced_quote", "a quote that is opened on line 9 …", "the file is damaged in row 9: a quotation mark"),
        ("empty_file", "", "the file is empty"),
        ("new_code", "Marker", "it could not be loaded"),
    ],
)
def test_reasons_give_their_numbers_and_nothing_else(code: str, reason: str, told: str) -> None:
    words = refusals.in_words(replace(firm.REFUSED, code=code, reason=reason))
    assert words.what.startswith(told)
    assert "Marker" not in words.what + words.do
