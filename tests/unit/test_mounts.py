"""Which file systems give no events that can be relied on."""

from __future__ import annotations

from pathlib import Path

import pytest

from qbwatch.edges.mounts import remote_mount

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 27 0:26 / /srv/share rw,relatime shared:5 - cifs //office/share rw
32 27 0:27 / /srv/cloud\\040drive rw,relatime - fuse.rclone remote: rw
33 27 0:28 / /srv/disk rw - fuseblk /dev/sdb1 rw
34 33 0:29 / /srv/disk/deep/nfs rw - nfs4 host:/x rw
35 27 0:30 / /srv/covered rw - nfs host:/y rw
36 35 254:1 / /srv/covered rw - ext4 /dev/vdb rw
"""


@pytest.mark.parametrize(
    ("directory", "kind"),
    [
        ("/var/lib/x", None),
        ("/srv/share", "cifs"),
        ("/srv/share/input", "cifs"),
        ("/srv/shared", None),
        ("/srv/cloud drive/input", "fuse.rclone"),
        ("/srv/disk/input", None),
        ("/srv/disk", "nfs4"),
        ("/srv/covered/input", None),
    ],
)
def test_a_folder_on_a_remote_file_system_or_with_one_below_it_is_told(directory: str, kind: str | None) -> None:
    assert remote_mount(Path(directory), MOUNTS) == kind


def test_the_mounts_of_this_machine_can_be_read(tmp_path: Path) -> None:
    assert remote_mount(tmp_path) is None


def test_lines_that_make_no_sense_are_passed_over() -> None:
    assert remote_mount(Path("/srv"), "nonsense\n\n1 2 3 - \n") is None
