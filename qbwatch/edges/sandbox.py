"""Does the unit hide a folder from us? A home that is hidden looks like one that is missing or closed."""

from __future__ import annotations

import os
from pathlib import Path

_MOUNTINFO = Path("/proc/self/mountinfo")
_HOMES = ("/home", "/root", "/run/user")
_SHUT = "/systemd/inaccessible/dir"  # what systemd mounts over a folder for ProtectHome=yes


def hidden_hint(directory: Path, mountinfo: str | None = None) -> str:
    """What to do where ``ProtectHome=`` hides the folder; empty where it doesn't, as far as one can see.

    ``mountinfo`` is the text of ``/proc/self/mountinfo``, read when not given.
    """
    if mountinfo is None:
        try:
            mountinfo = _MOUNTINFO.read_text(errors="surrogateescape")
        except OSError:
            return ""
    mounts = [line.split(" ") for line in mountinfo.splitlines() if line.count(" ") > 5 and " - " in line]
    hidden = {words[4] for words in mounts if words[3].endswith(_SHUT) or words[words.index("-") + 1] == "tmpfs"}
    path = os.path.abspath(directory)
    if any(home in hidden and f"{path}/".startswith(f"{home}/") for home in _HOMES):
        return (
            "Hidden by the sandbox? The unit shows the homes alone that were configured when it was printed. Print it "
            "again, `qbwatch systemd-unit > /etc/systemd/system/qbwatch.service`, then restart qbwatch."
        )
    return ""
