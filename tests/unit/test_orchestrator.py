"""The old command line does what it did, by today's commands."""

from __future__ import annotations

import pytest

from qbwatch.cli.orchestrator import mapped


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "once"),
        ("--mode incremental", "once"),
        ("--incremental --source quickbooks", "once"),
        ("--mode seed", "once --force-seed"),
        ("--seed", "once --force-seed"),
        ("--load-mode seed --seed", "once --force-seed"),
        ("--mode full", "once --force-seed"),
        ("--force-seed", "once --force-seed"),
        ("--force-incremental", "once --force-incremental"),
        ("--mode seed --force-incremental", "once --force-incremental"),
        ("--status", "status"),
        ("--dry-run", "plan"),
        ("--mode seed --dry-run", "plan --force-seed"),
        ("--status --config /etc/my.toml", "status --config /etc/my.toml"),
    ],
)
def test_each_old_call_has_its_new_form(old: str, new: str) -> None:
    assert mapped(old.split()) == new.split()


@pytest.mark.parametrize(
    "old",
    ["--mode nightly", "--seed --incremental", "--mode seed --load-mode full", "--source xero", "--nonsense",
     "--force-seed --force-incremental"],
)  # fmt: skip
def test_what_never_was_is_a_mistake_of_usage(old: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        mapped(old.split())

    assert left.value.code == 2
    assert "usage: qbwatch-orchestrator" in capsys.readouterr().err
