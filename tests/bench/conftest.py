"""Installations of the real command, and a server to measure on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from installing import install
from load_seconds import durable_server

__all__ = ["install"]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A durable server of its own."""
    with durable_server() as found:
        yield found
