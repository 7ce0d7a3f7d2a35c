"""On what kind of file system does a folder lie?

Two kernel answers that qbwatch leans on, events and leases, hold only where every change passes through this kernel. On
a share of another machine (or a FUSE mount of a cloud drive) writes arrive unseen, and some of them (NFS 4, SMB) answer
every lease request as if somebody were writing.
"""

from __future__ import annotations

import os
from pathlib import Path

_MOUNTINFO = Path("/proc/self/mountinfo")
_REMOTE = frozenset(
    {
        "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "gfs2", "glusterfs", "lustre", "ncpfs", "ocfs2",
        "prl_fs", "vboxsf", "virtiofs", "vmhgfs",
    }
)  # fmt: skip


def remote_mount(directory: Path, mountinfo: str | None = None) -> str | None:
    """The type of a remote file system that holds ``directory`` or is mounted somewhere below it, else None.

    ``mountinfo`` is the text of ``/proc/self/mountinfo``, read when not given. Where there is none (not Linux), None.
    """
    if mountinfo is None:
        try:
            mountinfo = _MOUNTINFO.read_text(errors="surrogateescape")
        except OSError:
            return None
    mounts = dict(_parse(mountinfo))  # of two mounts on one point the later one is on top, and the last one wins here
    here = os.path.realpath(directory)
    above = max((point for point in mounts if _holds(point, here)), key=len, default=None)
    below = [kind for point, kind in mounts.items() if _holds(here, point)]
    kinds = below if above is None else [mounts[above], *below]
    return next((kind for kind in kinds if _is_remote(kind)), None)


def _is_remote(kind: str) -> bool:
    return kind in _REMOTE or kind == "fuse" or kind.startswith("fuse.")


def _holds(point: str, path: str) -> bool:
    return path == point or path.startswith(point.rstrip("/") + "/")


def _parse(mountinfo: str) -> list[tuple[str, str]]:
    """(mount point, type) of each line: `36 35 98:0 /root /point options … - type source options`."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) > 4 and after:
            found.append((_unescaped(fields[4]), after.split(" ")[0]))
    return found


def _unescaped(point: str) -> str:
    for code in ("040", "011", "012", "134"):  # the kernel writes blank, tab, newline and backslash in octal
        point = point.replace(f"\\{code}", chr(int(code, 8)))
    return point
