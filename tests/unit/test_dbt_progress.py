"""How far dbt has come: read from its log, whatever state that is in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from qbwatch.edges.dbt_progress import NodeInHand, node_in_hand

BEGAN = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def line(number: int, seconds: float, event: str = "LogStartLine") -> str:
    data = {"index": number, "total": 46, "node_info": {"node_name": f"stg_{number}"}}
    at = f"{BEGAN + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}Z"
    return json.dumps({"data": data, "info": {"name": event, "ts": at}}) + "\n"


def read(folder: Path, text: str) -> NodeInHand | None:
    log = folder / "dbt.log"
    log.write_text(text)
    return node_in_hand(log, BEGAN)


def test_the_node_that_was_begun_last_is_in_hand(tmp_path: Path) -> None:
    text = line(1, 1) + line(2, 2) + line(1, 3, "LogModelResult")

    assert read(tmp_path, text) == NodeInHand(2, 46, "stg_2")


def test_nodes_of_an_earlier_command_are_none_of_this_one(tmp_path: Path) -> None:
    assert read(tmp_path, line(46, -1)) is None


def test_only_the_end_of_a_long_log_is_looked_at(tmp_path: Path) -> None:
    assert read(tmp_path, line(1, 1) + "\n".join(["x" * 1000] * 70)) is None
    assert read(tmp_path, "y" * 1_000_000 + "\n" + line(7, 1)) == NodeInHand(7, 46, "stg_7")


@pytest.mark.parametrize("text", ["", "no log\n", line(3, 1)[:-20], '{"name": "LogStartLine"}\n', "\udcff"])
def test_what_is_no_log_tells_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "dbt.log").write_bytes(text.encode("utf-8", "surrogateescape"))

    assert node_in_hand(tmp_path / "dbt.log", BEGAN) is None
    assert node_in_hand(tmp_path / "missing.log", BEGAN) is None
