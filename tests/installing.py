"""The fixture that makes installations, for every folder of tests that runs the real command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from guarding import temporary_folder
from installation import Installation

__all__ = ["install"]


@pytest.fixture
def install(empty_database_url: str) -> Iterator[Callable[..., Installation]]:
    """Make an installation on an empty database; everything of it is ended and removed afterwards."""
    with ExitStack() as made:

        def make(**settings: str) -> Installation:
            root = made.enter_context(temporary_folder("qbwatch-acceptance-"))
            installation = Installation(root, settings.pop("url", empty_database_url), **settings)  # type: ignore[arg-type]
            made.callback(installation.close)
            return installation

        yield make
