"""How long the terminal interface takes to its first screen, and for a key while the daemon hangs, with 50,000 files in
the ledger. Nothing is judged here, only printed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from installation import Installation
from large_ledger import look_at_a_large_ledger
from measuring import show_facts
from without_dbt import COMMAND


@pytest.mark.timeout(600)
def test_a_large_ledger(install: Callable[..., Installation]) -> None:
    first, slowest = look_at_a_large_ledger(install(command=COMMAND))

    show_facts(
        "The terminal interface, 50,000 files",
        [
            ("first screen of files", f"{first:.2f} s"),
            ("slowest key, daemon stopped", f"{slowest * 1000:.0f} ms"),
        ],
    )
