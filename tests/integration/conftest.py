"""An office to work for: a folder, a vault and a pipeline over a database of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_exports import Office


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Office:
    """An office without any file."""
    return Office(tmp_path, database_url)
