"""An office to work for, a folder, a vault and a pipeline over a database of its own; and small dbt projects."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_dbt import make_dbt, project
from small_exports import Office

__all__ = ["make_dbt", "office", "project"]


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    """An office without any file."""
    return Office(tmp_path, database_url)
