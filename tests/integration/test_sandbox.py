"""A folder that the unit hides is called that, and no other is."""

from __future__ import annotations

from pathlib import Path

import pytest

from qbwatch.edges.sandbox import hidden_hint

PLAIN = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
SHUT = "60 22 0:23 /systemd/inaccessible/dir /home ro,nosuid - tmpfs tmpfs rw\n"
EMPTY = "61 22 0:50 / /home ro,nosuid - tmpfs tmpfs ro\n62 61 8:1 /home/alice /home/alice ro - ext4 /dev/sda1 rw\n"


@pytest.mark.parametrize(
    ("mounts", "directory", "is_hidden"),
    [
        (PLAIN + SHUT, "/home/alice/Dropbox/input", True),
        (PLAIN + EMPTY, "/home/bob/Dropbox/input", True),
        (PLAIN + SHUT, "/srv/input", False),
        (PLAIN + SHUT, "/homes/input", False),
        (PLAIN, "/home/alice/Dropbox/input", False),
        ("nonsense\n", "/home/alice/Dropbox/input", False),
    ],
)
def test_a_hidden_folder_is_called_hidden(mounts: str, directory: str, is_hidden: bool) -> None:
    hint = hidden_hint(Path(directory), mounts)

    assert bool(hint) is is_hidden
    assert not hint or "qbwatch systemd-unit" in hint


def test_here_nothing_is_hidden(tmp_path: Path) -> None:
    assert hidden_hint(tmp_path) == ""
