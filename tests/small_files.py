"""Small exports in any number, each a moment later than the one before, which say anew what earlier ones said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from small_exports import customers, invoices

from qbwatch.demo.exports import ExportFile

_FIRST = datetime(2025, 4, 1, 1, tzinfo=UTC)


def small_files(count: int) -> list[ExportFile]:
    """Windows of customers and invoices in turns; the content after all of them depends on their order."""
    return [_file(number) for number in range(count)]


def _file(number: int) -> ExportFile:
    at = _FIRST + timedelta(minutes=7 * number)
    stamp = f"{at:%m_%d_%Y}_{at.hour}_{at:%M_%S}"
    if number % 2:
        lines = [f"{number}.{cents:02}" for cents in range(1 + number % 3)]
        content = invoices(**{f"i{number % 7}": lines, f"j{number}": [f"{number}.50"]})
        return ExportFile(f"Invoice_{stamp}.csv", content, "input")
    content = customers(**{f"c{number % 5}": f"Name {number}", f"d{number}": f"Only {number}"})
    return ExportFile(f"Customer_{stamp}.csv", content, "input")


def many_invoices(lines: int) -> ExportFile:
    """One window whose load takes its time: invoices of ten lines."""
    content = invoices(
        **{f"m{number}": [f"{number}.{cents:02}" for cents in range(10)] for number in range(lines // 10)}
    )
    return ExportFile("Invoice_05_01_2025_1_00_00.csv", content, "input")
