"""The shipped folders, in the layouts of a wheel, a checkout, and an installation that lost them."""

from __future__ import annotations

from pathlib import Path

import pytest

import qbwatch
from qbwatch.core.model import QbwatchError
from qbwatch.edges.shipped import shipped


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package, in a folder of its own."""
    folder = tmp_path / "lib" / "qbwatch"
    folder.mkdir(parents=True)
    monkeypatch.setattr(qbwatch, "__file__", str(folder / "__init__.py"))
    return folder


def test_a_wheel_carries_them_in_the_package(package):
    (package / "share" / "dbt").mkdir(parents=True)
    assert shipped("dbt") == package / "share" / "dbt"


def test_a_checkout_has_them_beside_the_package(package):
    (package.parent / "pyproject.toml").touch()
    (package.parent / "migrations").mkdir()
    assert shipped("migrations") == package.parent / "migrations"


def test_the_package_dbt_that_lies_beside_an_installed_qbwatch_is_not_ours(package):
    (package.parent / "dbt").mkdir()
    with pytest.raises(QbwatchError, match="lacks its folder 'dbt'"):
        shipped("dbt")
