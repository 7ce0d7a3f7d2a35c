"""The note of a pause outlives restarts and damage."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from qbwatch.core.facts import Pause
from qbwatch.core.model import QbwatchError
from qbwatch.edges.pause_note import read_pause, remove_pause, write_pause

PAUSE = Pause(datetime(2026, 11, 25, 9, 30, tzinfo=UTC), "alice (uid 1000)")


def test_it_is_read_as_it_was_written_and_gone_when_removed(tmp_path: Path) -> None:
    assert read_pause(tmp_path) is None
    write_pause(tmp_path, PAUSE)

    assert read_pause(tmp_path) == PAUSE
    assert [path.name for path in tmp_path.iterdir()] == ["paused.json"]
    remove_pause(tmp_path)
    remove_pause(tmp_path)
    assert read_pause(tmp_path) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"since": null, "by": "x"}', '{"since": "yesterday", "by": "x"}'])
def test_a_damaged_note_still_says_that_somebody_paused_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "paused.json").write_text(text)

    assert read_pause(tmp_path) == Pause(None, "somebody")


def test_a_note_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    with pytest.raises(QbwatchError, match="a restart would forget it"):
        write_pause(tmp_path / "none", PAUSE)
