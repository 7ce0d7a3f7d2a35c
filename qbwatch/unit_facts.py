"""The units of this installation and configuration: what `qbwatch systemd-unit` prints and `qbwatch doctor` expects."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path, PurePosixPath

from qbwatch.config import Config
from qbwatch.core.unit import UnitFacts, alert_unit_for, unit_for
from qbwatch.edges.shipped import shipped

ACCOUNT = "qbwatch"
_USUAL_FILE = Path("/etc/qbwatch/qbwatch.toml")
_CREDENTIALS = ("database_url", "alert_urls", "alert_fallback", "heartbeat_url")


def unit_text(config: Config, *, account: str = ACCOUNT, is_user: bool = False) -> str:
    """The text of the daemon's unit."""
    template = (shipped("systemd") / "qbwatch.service").read_text("utf-8")
    return unit_for(template, facts_of(config, account=account, is_user=is_user))


def alert_unit_text(config: Config, *, account: str = ACCOUNT, is_user: bool = False) -> str:
    """The text of the unit that tells when the daemon's has failed for good."""
    template = (shipped("systemd") / "qbwatch-alert@.service").read_text("utf-8")
    return alert_unit_for(template, facts_of(config, account=account, is_user=is_user))


def facts_of(config: Config, *, account: str = ACCOUNT, is_user: bool = False) -> UnitFacts:
    """What the unit depends on."""
    program = own_command()
    file = config.file.resolve() if config.file else None
    read = [config.input.directory, config.input.seed_directory, config.transform.project]
    # A virtual environment's interpreter is a link, and what it leads to must be seen too.
    runs = [file, Path(program[0]), Path(program[0]).resolve(), Path(sys.prefix), Path(sys.executable).resolve()]
    return UnitFacts(
        program=program,
        account=account,
        state=PurePosixPath(config.state.directory),
        socket=PurePosixPath(config.control.socket),
        read=[PurePosixPath(path) for path in read if path is not None],
        runs=[PurePosixPath(path) for path in runs if path is not None],
        status_page=PurePosixPath(config.page.file.parent) if config.page.file else None,
        credentials=_credentials((file or _USUAL_FILE).parent / "credentials"),
        is_user=is_user,
        config=PurePosixPath(file) if file is not None and file != _USUAL_FILE else None,
    )


def own_command() -> list[str]:
    """How this very qbwatch is called, by absolute paths."""
    beside = Path(sys.executable).with_name("qbwatch")
    if os.access(beside, os.X_OK):
        return [str(beside)]
    called = shutil.which(sys.argv[0]) if Path(sys.argv[0]).name == "qbwatch" else None
    return [os.path.abspath(called)] if called else [sys.executable, "-m", "qbwatch.cli"]


def _credentials(folder: Path) -> dict[str, PurePosixPath]:
    """Credential files that lie where the unit's comments say; only root may be able to see them."""
    found = {}
    for name in _CREDENTIALS:
        try:
            is_there = (folder / name).is_file()
        except OSError:
            continue
        if is_there:
            found[name] = PurePosixPath(folder / name)
    return found
