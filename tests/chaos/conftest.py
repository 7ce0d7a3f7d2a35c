"""Installations of the real command, and the files that they are fed."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from aftermath import Content, undisturbed_content
from dropping import company_exports
from installation import Installation
from installing import install

from qbwatch.demo.exports import ExportFile

__all__ = ["install"]


@pytest.fixture(scope="session")
def files() -> list[ExportFile]:
    """A whole company's exports."""
    return company_exports(os.environ.get("QBWATCH_CORPUS"))


@pytest.fixture(scope="session")
def customers_and_invoices() -> list[ExportFile]:
    """Two full exports, of which the second needs the first."""
    wanted = ("01_BACKUP_Customer", "01_BACKUP_Invoice")
    return [file for file in company_exports(None) if file.name.startswith(wanted)]


@pytest.fixture(scope="session")
def _undisturbed_once() -> dict[str, Content]:
    return {}


@pytest.fixture
def undisturbed(
    files: list[ExportFile],
    install: Callable[..., Installation],
    second_database_url: str,
    _undisturbed_once: dict[str, Content],
) -> Content:
    """Raw tables and marts after one run over ``files`` that nothing disturbed; computed once."""
    if not _undisturbed_once:
        _undisturbed_once["content"] = undisturbed_content(install(url=second_database_url), files)
    return _undisturbed_once["content"]
