"""Why a file was not loaded and what to do about it, in the words of an office that has no login and no manual.

The table has a sentence for each code of a failure that sets a file aside. Reasons may quote cells, and a cell may
hold a customer's name: so no reason is shown, and only the numbers of rows are read out of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from shlex import quote

from qbwatch.core.holds import HOLDS
from qbwatch.page.facts import RefusedPart
from qbwatch.page.words import file_name, row_in, title_of

AGAIN = "Export {what} again."
_SAME = "Export {what} again. If it happens again, tell the person who looks after qbwatch."
_TELL = "Tell the person who looks after qbwatch; exporting it again won’t help."
_TABLE = "Export {what} again, as CSV or Excel."
_UNPACK = "Unpack it, and put the files that are in it into the folder."
_SMALLER = "Export it again in smaller pieces (a shorter period), or as CSV."
_USUAL = "Export {what} again with its usual columns and under its usual name."
_IS_RIGHT = "If that is right, tell the person who looks after qbwatch, who can accept it. Else export {what} again."

# code → what is wrong with the file, what to do
_WORDS: dict[str, tuple[str, str]] = {
    "unbalanced_quote": ("the file is damaged{in_row}: a quotation mark is missing", AGAIN),
    "cut_off": ("the file stops in the middle of row {row}", AGAIN),
    "cell_too_long": ("the file is damaged{in_row}: a quotation mark is missing", AGAIN),
    "empty_file": ("the file is empty", AGAIN),
    "placeholder": (
        "the file has its name, but its content isn’t here",
        "In Dropbox, choose “Make available offline” for it, or export {what} again.",
    ),
    "undecodable": ("some of its letters can’t be read{in_row}", "Export {what} again as CSV, with UTF-8 encoding."),
    "too_many_rejects": ("{share}can’t be read", AGAIN),
    "date_order": (
        "the dates{in_row} are written in another order than before",
        "Look at the date format in the regional settings of the office PC. Then export {what} again.",
    ),
    "date_in_name": (
        "its name holds no real date",
        "Rename it as the exporter does, for instance Invoice_04_17_2025_2_00_03.csv.",
    ),
    "missing_columns": ("columns are missing that are always there", _USUAL),
    "unreadable_rows": ("rows{in_row} can’t be read", AGAIN),
    "unclear_row": (
        "it can’t be told what row {row} is",
        "Export the report again. If it was edited by hand, undo it.",
    ),
    "unknown_layout": ("it is no export that qbwatch knows", "Is it in the right folder? Else export {what} again."),
    "no_known_kind": ("it holds no list that qbwatch loads", "Export the lists from QuickBooks again."),
    "header_too_deep": (
        "it begins with many blank rows, and its first filled row is row {row}",
        "Delete the blank rows above its header and save it again, or export {what} again.",
    ),
    "ambiguous": ("it could be one of several exports", "Export it again with the lines above its header."),
    "ambiguous_sheets": ("two of its sheets hold the same", "Keep one of them in the workbook, and save it again."),
    "name_disagrees": ("its name says one thing, and its content another", "Rename it after what it holds."),
    "no_report_date": ("the report doesn’t say for which day it is", "Export it again with its title and date."),
    "outside_period": ("it has rows{in_row} outside the period that it names", AGAIN),
    "totals_disagree": ("its totals don’t add up: rows are missing, or it was edited by hand", AGAIN),
    "few_rows": ("it has far fewer rows than the last one", _IS_RIGHT),
    "no_rows": ("it has no row, and the last one had some", _IS_RIGHT),
    "period_overlaps": ("its period overlaps that of another report in part", _IS_RIGHT),
    "other_report": ("another kind of report covers the same days", _IS_RIGHT),
    "other_key": ("it names its records in another way than before", _SAME),
    "rival_copy": (
        "two files of this name say different things about the same moment",
        "Compare the two, and delete the wrong one.",
    ),
    "password_protected": ("the workbook has a password", "Save it without a password, or export {what} again."),
    "damaged_workbook": ("the workbook is damaged", "Open it in Excel and save it again, or export {what} again."),
    "no_such_sheet": ("a sheet is gone from the workbook", AGAIN),
    "workbook_too_large": ("the workbook is too large", _SMALLER),
    "workbook_too_slow": ("the workbook takes too long to read", _SMALLER),
    "zip_bomb": ("the workbook is packed as no export is", AGAIN),
    "entity_bomb": ("the workbook holds what no spreadsheet program writes", AGAIN),
    "xlsb": ("a binary workbook (.xlsb) can’t be read exactly", "Save it as .xlsx or CSV."),
    "xlsx": ("it is an Excel workbook under another name", "Save it as .xlsx or CSV."),
    "xls": ("it is an Excel workbook under another name", "Save it as .xlsx or CSV."),
    "old_workbook": ("it is a workbook of an Excel before 1997", "Save it as .xlsx or CSV."),
    "not_a_workbook": ("it is an Office document, and no Excel workbook", _TABLE),
    "html": ("it is a web page, whatever its name says", "Open it in Excel and save it as .xlsx or CSV."),
    "xml": ("it is an XML document, whatever its name says", "Open it in Excel and save it as .xlsx or CSV."),
    "pdf": ("it is a PDF: the report was printed, and not exported", _TABLE),
    "image": ("it is a picture", _TABLE),
    "document": ("it is a text document", _TABLE),
    "database": ("it is a database file", _TABLE),
    "compressed": ("it is compressed", _UNPACK),
    "archive": ("it is an archive of other files", _UNPACK),
    "zip_archive": ("it is an archive of other files", _UNPACK),
    "vault_copy_gone": ("its copy on the server is gone", "Put the same file into the folder again."),
    "vault_copy_damaged": ("its copy on the server is damaged", "Put the same file into the folder again."),
    "database_value": ("a value in it can’t be stored", _SAME),
    "database_constraint": ("its rows contradict each other", _SAME),
    "database_limit": ("a value in it is too large", _SAME),
    "rows_disagree": ("qbwatch didn’t get its rows to add up", _TELL),
    "sums_disagree": ("qbwatch didn’t get its sums to agree with the database", _TELL),
    "kills_the_process": ("qbwatch broke off while loading it, several times", _TELL),
    "unexpected": ("qbwatch failed on it", _TELL),
    "too_long": ("the report is too long", _SMALLER),
}
_FALLBACK = ("it could not be loaded", _SAME)


@dataclass(frozen=True, slots=True)
class Refused:
    """One refused part in words: ``what`` is wrong (a clause), what to ``do`` (a sentence), what an operator runs."""

    name: str
    title: str
    what: str
    do: str
    command: str


def knows(code: str) -> bool:
    """Whether there is a sentence for failures of this code."""
    return code in _WORDS


def in_words(part: RefusedPart) -> Refused:
    """What the office should know about a refused part."""
    row = row_in(part.reason)
    code = "cut_off" if part.code == "unbalanced_quote" and row and "unexpected end" in part.reason else part.code
    what, do = _WORDS.get(code, _FALLBACK)
    share = re.search(r"\b(\d{1,12}) of (\d{1,12}) rows\b", part.reason)
    values = {
        "row": f"{row:,}" if row else "?",
        "in_row": f" in row {row:,}" if row else "",
        "share": f"{int(share[1]):,} of its {int(share[2]):,} rows " if share else "too many of its rows ",
        "what": title_of(part.dataset) if part.dataset else "it",
    }
    sheet = f" (sheet {part.sheet})" if part.sheet else ""
    verb = "accept" if part.code in HOLDS else "why"
    return Refused(
        file_name(part.name),
        title_of(part.dataset) + sheet,
        what.format(**values),
        do.format(**values),
        f"qbwatch {verb} {quote(part.name.rsplit('/', 1)[-1])}",
    )
