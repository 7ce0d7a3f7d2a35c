"""The fixture that makes installations, for every folder of tests that runs the real command."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from installation import Installation

__all__ = ["install"]


@pytest.fixture
def install(empty_database_url: str) -> Iterator[Callable[..., Installation]]:
    """Make an installation on an empty database; everything of it is ended and removed afterwards."""
    made: list[Installation] = []

    def make(**settings: str) -> Installation:
        root = Path(tempfile.mkdtemp(prefix="qbwatch-acceptance-"))
        installation = Installation(root, settings.pop("url", empty_database_url), **settings)  # type: ignore[arg-type]
        made.append(installation)
        return installation

    try:
        yield make
    finally:
        for installation in made:
            installation.close()
            shutil.rmtree(installation.root, ignore_errors=True)
