"""Where the folders lie that are shipped with qbwatch but hold no Python: the dbt project, migrations, the unit."""

from __future__ import annotations

from pathlib import Path

import qbwatch
from qbwatch.core.model import QbwatchError


def shipped(name: str) -> Path:
    """The folder ``dbt``, ``migrations`` or ``systemd``.

    A wheel carries them inside the package (``qbwatch/share``); in a checkout they lie beside the package. Raises
    `QbwatchError` when neither is there: then the installation is incomplete.
    """
    package = Path(qbwatch.__file__).resolve().parent
    places = [package / "share" / name]
    if (package.parent / "pyproject.toml").exists():  # else "dbt" beside the package is the one of dbt itself
        places.append(package.parent / name)
    for folder in places:
        if folder.is_dir():
            return folder
    raise QbwatchError(
        f"this installation of qbwatch lacks its folder {name!r}", "install qbwatch again from its wheel"
    )
