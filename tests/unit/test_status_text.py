"""The status as text: what fills the screen, and what one would type next."""

from __future__ import annotations

from typing import Any

import pytest

from qbwatch.cli.status_text import problem_lines, what_next


def problem(code: str, number: int) -> dict[str, Any]:
    """An entry of ``problems``."""
    return {"code": code, "severity": "warning", "summary": f"{code} {number}", "hint": "do it"}


def test_relations_that_are_too_old_fill_no_screen_and_files_are_each_named() -> None:
    old = problem_lines([problem("stale", number) for number in range(11)])
    files = problem_lines([problem("quarantined_file", number) for number in range(11)])

    assert old == [
        "  ? stale 0",
        "  ? stale 1",
        "  ? stale 2",
        "    and 8 more that are too old, as the table shows",
        "    → do it",
    ]
    assert len(files) == 12


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({"quarantined": [{"name": "a.csv"}]}, "qbwatch why 'a.csv'"),
        ({"daemon": {"state": "down"}}, "systemctl start qbwatch"),
        ({"daemon": {"state": "paused", "paused": {"by": "x"}}}, "qbwatch resume"),
        ({"health": "error"}, "qbwatch doctor"),
        ({"current_run": {"id": 1}}, "qbwatch status --watch"),
        ({}, "qbwatch files"),
    ],
)
def test_what_comes_next_follows_from_the_status(changes: dict[str, Any], begins: str) -> None:
    calm = {"quarantined": [], "daemon": {"state": "idle"}, "health": "ok", "current_run": None}

    assert what_next(calm | changes).startswith(begins)
