"""`qbwatch check --json` of every file of the corpus tells dataset, rows, sums, period and basis as they are stated."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from corpus_stated import SET_ASIDE, Stated, stated
from installation import Installation

from qbwatch.cli.group import cli

STATED = stated()
NO_EXPORTS = {".gitattributes", "README.md", "saasant/expected.json"}
A_FEW = (
    "desktop/sales_by_item_detail.CSV",
    "qbo/Ostrand Lockworks Inc_General Ledger.xlsx",
    "iif/all_lists_windows_34.IIF",
    "saasant/Customer_04_09_2025_1_00_02.csv",
    "saasant/All Transactions_04_14_2025_2_00_09.xlsx",
)


def arguments(corpus: Path, name: str) -> list[str]:
    is_dmy = any("dmy" in part.told for part in STATED.get(name, ()))
    return ["check", "--json", *(["--date-order", "dmy"] if is_dmy else []), str(corpus / name)]


def agree(parts: list[dict[str, Any]], name: str) -> None:
    """Each part is as it is stated, and there are no others."""
    aside = [part for part in parts if part["verdict"] != "load"]
    loaded = [part for part in parts if part["verdict"] == "load"]
    expected = STATED.get(name, [])
    assert [part["sheet"] for part in loaded] == [part.sheet for part in expected]
    for part, right in zip(loaded, expected, strict=True):
        agrees(part, right)
    told = [(part["sheet"], part["verdict"], part["reason"]) for part in aside]
    if name not in SET_ASIDE:
        assert told == []
        return
    sheet, verdict, reason = SET_ASIDE[name]
    ((found_sheet, found_verdict, found_reason),) = told
    assert (found_sheet, found_verdict) == (sheet, verdict)
    assert found_reason.startswith(reason)
    assert aside[0]["rows"] is None


def agrees(part: dict[str, Any], right: Stated) -> None:
    rows, classes = part["rows"], dict(part["row_classes"])
    assert classes.pop("header") == 1
    assert (part["dataset"], part["encoding"]) == (right.dataset, right.encoding)
    assert classes == {key: count for key, count in right.classes.items() if count}
    assert rows["inserted"] == right.classes["detail"]
    assert rows["read"] == rows["structural"] + rows["inserted"]
    assert {name: Decimal(part["sums"][name]) for name in right.sums} == right.sums
    days = None if right.days is None else {"from": right.days[0], "to": right.days[1]}
    assert (part["period"], part["basis"]) == (days, right.basis)
    assert part["full"] == ("full" in right.told)
    assert part["complete"] == ("broken-off" not in right.told)
    assert (part["rejects"], part["printed_totals"]["wrong"]) == ([], 0)
    assert part["printed_totals"]["checked"] == right.totals_with_figures


def test_every_file_of_the_corpus_is_in_the_table(corpus: Path) -> None:
    """Whatever it is called: a file of a new kind needs a row as well."""
    files = {file.relative_to(corpus).as_posix() for file in corpus.rglob("*") if file.is_file()}
    assert files - NO_EXPORTS == STATED.keys() | SET_ASIDE.keys()


@pytest.mark.parametrize("name", sorted(STATED.keys() | SET_ASIDE.keys()))
def test_a_file_is_what_it_is_stated_to_be(corpus: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QBWATCH_CONFIG", "/nonexistent/qbwatch.toml")
    done = CliRunner().invoke(cli, arguments(corpus, name), standalone_mode=False)
    said = json.loads(done.stdout)
    assert said["name"] == Path(name).name
    agree(said["parts"], name)
    assert done.return_value == (1 if "quarantine" in [part["verdict"] for part in said["parts"]] else 0)


@pytest.mark.parametrize("name", A_FEW)
def test_the_command_says_so_too_and_foretells_what_a_load_would_do(
    corpus: Path, name: str, install: Callable[..., Installation]
) -> None:
    office = install()
    assert office.run("once").returncode == 0
    said = office.json(*arguments(corpus, name))
    agree(said["parts"], name)
    assert all(part["rows"]["updated"] == 0 for part in said["parts"] if part["rows"])
