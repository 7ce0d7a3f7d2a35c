"""The wheel by itself: everything is in it, and the whole product runs from it outside of the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from demonstration import DEMO_WITHIN, assert_tells_all, elsewhere, processes_below, run_demo, surroundings

CHECKOUT = Path(__file__).parents[2]
SHIPPED = ("dbt", "migrations", "systemd")


@dataclass(frozen=True, slots=True)
class Installed:
    """The wheel, the folder it is unpacked in, and an empty folder to work in."""

    wheel: Path
    target: Path
    cwd: Path
    temporary: Path

    @property
    def env(self) -> dict[str, str]:
        """Ours, with qbwatch from the target alone; what it depends on comes from the running interpreter."""
        return surroundings(self.temporary, PYTHONPATH=str(self.target))

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A Python that knows the wheel's qbwatch."""
        return subprocess.run(
            [sys.executable, *arguments], cwd=self.cwd, env=self.env, capture_output=True, text=True, check=True
        )


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    """The wheel, built and unpacked without any network."""
    with elsewhere() as folder:
        for name in ("dist", "target", "cwd", "temporary"):
            (folder / name).mkdir()
        build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")]
        subprocess.run(build, cwd=CHECKOUT, capture_output=True, check=True)
        (wheel,) = (folder / "dist").glob("qbwatch-*.whl")
        install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-compile"]
        subprocess.run([*install, "--target", str(folder / "target"), str(wheel)], capture_output=True, check=True)
        yield Installed(wheel, folder / "target", folder / "cwd", folder / "temporary")


def test_the_wheel_holds_what_is_shipped_and_nothing_else(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}

    wanted = {f"qbwatch/share/{name}" for folder in SHIPPED for name in files_of(folder)} | set(files_of("qbwatch"))
    assert wanted - names == set()
    assert "qbwatch/datasets/quickbooks.toml" in names
    assert {name for name in names - wanted if ".dist-info/" not in name} == set()


def files_of(folder: str) -> list[str]:
    """Files of the checkout below one of its folders, without what running it makes there."""
    found = [path.relative_to(CHECKOUT) for path in (CHECKOUT / folder).rglob("*") if path.is_file()]
    made = {"__pycache__", "target", "logs"}
    return [path.as_posix() for path in found if not made & set(path.parts)]


def test_nothing_of_the_checkout_is_used(installed: Installed) -> None:
    asked = "import qbwatch; from qbwatch.edges.shipped import shipped; print(qbwatch.__file__)"
    asked += "".join(f"; print(shipped({name!r}))" for name in SHIPPED)

    places = installed.python("-c", asked).stdout.splitlines()

    assert len(places) == 1 + len(SHIPPED)
    assert [place for place in places if not Path(place).is_relative_to(installed.target)] == []
    assert installed.python("-m", "qbwatch.cli", "--version").stdout.startswith("qbwatch, version ")


@pytest.mark.timeout(DEMO_WITHIN + 60)
def test_the_demo_runs_from_the_wheel_and_leaves_nothing_behind(installed: Installed) -> None:
    done = run_demo([sys.executable, "-m", "qbwatch.cli", "demo"], installed.cwd, installed.env)

    assert done.returncode == 0, done.stderr
    assert_tells_all(done.stdout)
    assert "qbwatch demo --keep" in done.stdout
    assert list(installed.temporary.iterdir()) == []
    assert list(installed.cwd.iterdir()) == []
    assert processes_below(installed.temporary) == {}
