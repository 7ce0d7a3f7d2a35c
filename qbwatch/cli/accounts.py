"""Row accounting and rejected rows as text: the same words in every command."""

from __future__ import annotations

from typing import Any

from qbwatch.cli.options import wrapped

_SHOWN = 20  # rejected rows; JSON has all


def accounts(rows: dict[str, int], indent: str) -> list[str]:
    """What became of the rows that were read (terms that are zero go unsaid), and of those in the table."""
    named = ("structural", "inserted", "updated", "unchanged", "rejected")
    equation = " + ".join(f"{rows[name]:,} {name}" for name in named if rows[name])
    lines = wrapped(f"{rows['read']:,} rows read" + (f" = {equation}" if equation else ""), indent, indent + "  ")
    return lines + ([f"{indent}{rows['removed']:,} rows removed"] if rows["removed"] else [])


def rejections(rejects: list[dict[str, Any]], indent: str) -> list[str]:
    """Rejected rows with where they stand and why."""
    lines = []
    for reject in rejects[:_SHOWN]:
        where = f"line {reject['line']}" + (f", column {reject['column']!r}" if reject["column"] else "")
        lines += wrapped(f"rejected: {where}: {reject['text']!r}: {reject['reason']}", indent, indent + "  ")
    if len(rejects) > _SHOWN:
        lines.append(f"{indent}… and {len(rejects) - _SHOWN} more rejected rows (--json lists all)")
    return lines
