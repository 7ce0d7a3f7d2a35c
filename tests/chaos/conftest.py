"""Installations of the real command, and the files that they are fed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aftermath import Content, undisturbed_content
from dropping import company_exports
from faulty import FEW, Lab, expected_of, new_database, settings, url_of
from guarding import temporary_folder
from installation import Installation
from installing import install
from tiny_project import write_tiny_project

from qbwatch.demo.exports import ExportFile
from qbwatch.edges.embedded import EmbeddedPostgres

__all__ = ["install"]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A server that may be mistreated."""
    with temporary_folder() as folder:
        server = EmbeddedPostgres(folder / "postgres", durable=False)
        server.start()
        yield server


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dbt project of two models."""
    return write_tiny_project(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def lab(server: EmbeddedPostgres, project: Path, install: Callable[..., Installation]) -> Iterator[Lab]:
    """A daemon that runs, on a database of its own."""
    with new_database(server) as name:
        made = Lab(server, install(url=url_of(server, name), extra=settings(project)), name)
        made.start()
        yield made


@pytest.fixture(scope="module")
def _few_once() -> dict[str, list[str]]:
    return {}


@pytest.fixture
def few_expected(
    install: Callable[..., Installation], project: Path, _few_once: dict[str, list[str]]
) -> dict[str, list[str]]:
    """The raw tables after one undisturbed run over `FEW`."""
    if not _few_once:
        _few_once.update(expected_of(install, FEW, project))
    return _few_once


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
