"""The names in an old pipeline's state, whatever its shape."""

from __future__ import annotations

from typing import Any

import pytest

from qbwatch.core.old_state import names_in, plain_name

A, B = "Invoice_04_17_2025_2_00_03.csv", "All Lists_04_14_2025_2_00_09.xlsx"


@pytest.mark.parametrize(
    "said",
    [
        [A, B],
        {A: "2025-04-18T03:00:00", B: "2025-04-18T03:00:07"},
        {A: 1771, B: 216},
        {A: {"rows": 1771, "processed_at": "2025-04-18"}, B: None},
        {"processed_files": [A, B], "last_run": "2025-04-18"},
        {"quickbooks": [A], "shopify": [], "trade_shows": {"files": {B: 1}}},
        [{"filename": A, "row_count": 1771}, {"file_name": f"/dropbox/input/{B}", "status": "ok"}],
        [{"source": "quickbooks", "last_file": B, "files_processed": [A, B], "execution_stats": {"rows": 9}}],
        {"quickbooks": {"files_processed": {A: {"sha": "…"}, f"C:\\Dropbox\\{B}": {}}}},
    ],
)
def test_each_shape_gives_the_same_names(said: Any) -> None:
    assert names_in(said) == {A, B}


@pytest.mark.parametrize(
    "said", [[], {}, None, 7, "x", {"error": f"could not read {A}"}, ["quickbooks", ".csv"], {"n": [1.5, True]}]
)
def test_what_is_no_name_in_the_place_of_one_is_passed_over(said: Any) -> None:
    assert names_in(said) == set()


def test_one_letter_in_two_forms_of_unicode_is_one_name() -> None:
    assert plain_name("Café.csv") == plain_name("in/Cafe\u0301.csv")
