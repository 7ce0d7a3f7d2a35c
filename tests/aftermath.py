"""What must be true when the smoke has cleared, whatever was killed before."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from installation import Installation
from psycopg import sql
from raw_content import raw_content

from qbwatch.demo.exports import ExportFile
from qbwatch.edges.vault import Vault

Content = dict[str, list[str]]

_KEPT = """
SELECT DISTINCT content_hash FROM qbwatch.work_items
WHERE state NOT IN ('skipped', 'quarantined')
   OR changed_at > (SELECT max(changed_at) FROM qbwatch.work_items) - interval '90 days'"""


def content_of(url: str) -> Content:
    """Raw tables and marts without the moment of loading.

    Of two files with the same bytes either may have come first, so both get one name.
    """
    content = {table: [_with_one_name(row) for row in rows] for table, rows in raw_content(url).items()}
    with psycopg.connect(url) as connection:
        query = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'analytics_mart' ORDER BY 1"
        for (name,) in connection.execute(query).fetchall():
            rows = sql.SQL(
                "SELECT (to_jsonb(t) - 'source_file_id' - 'loaded_at')::text FROM analytics_mart.{} AS t ORDER BY 1"
            ).format(sql.Identifier(name))
            content[f"mart.{name}"] = [row[0] for row in connection.execute(rows)]
    return content


def _with_one_name(row: str) -> str:
    return row.replace(" (1).csv", ".csv")


def undisturbed_content(installation: Installation, files: Sequence[ExportFile]) -> Content:
    """The content after one run over all files that nothing disturbed."""
    for file in files:
        (installation.root / "drop" / file.folder / file.name).write_bytes(file.content)
    done = installation.run("once", timeout=300)
    assert done.returncode == 0, done.stderr
    return content_of(installation.url)


def assert_every_file_has_one_outcome(installation: Installation, files: Sequence[ExportFile]) -> None:
    """One version of each file in the ledger, one item of each version, and every item loaded, or skipped as a twin."""
    names = installation.query("SELECT name FROM qbwatch.files ORDER BY name")
    assert [name for (name,) in names] == sorted(file.name for file in files)
    items = installation.query("SELECT file_id, count(*) FROM qbwatch.work_items GROUP BY 1 HAVING count(*) <> 1")
    assert items == []
    states = dict(installation.query("SELECT state, count(*) FROM qbwatch.work_items GROUP BY 1"))
    twins = len(files) - len({(_with_one_name(file.name), file.content) for file in files})
    assert states == {"loaded": len(files) - twins, **({"skipped": twins} if twins else {})}
    reasons = installation.query("SELECT DISTINCT failure_code FROM qbwatch.work_items WHERE state = 'skipped'")
    assert reasons in ([], [("duplicate",)])


def assert_nothing_is_left_over(installation: Installation) -> None:
    """No debt, open run, dbt, query, half-built relation or temporary file; and the vault holds what it says."""
    assert installation.query("SELECT * FROM qbwatch.transform_debt") == []
    assert installation.query("SELECT * FROM qbwatch.runs WHERE status = 'running'") == []
    assert list(dbt_processes(installation.root)) == []
    assert dbt_sessions(installation) == []
    assert half_built_relations(installation) == []
    state = installation.root / "state"
    assert list((state / "vault" / "incoming").iterdir()) == []
    assert list((state / "dbt").glob("target-*")) == []
    assert list(state.glob(".status.json.*")) == []
    assert_vault_is_whole(installation)


def assert_vault_is_whole(installation: Installation) -> None:
    """Every content is there, but for what was set aside long ago; and each file in the vault has the content its name
    says."""
    folder = installation.root / "state" / "vault"
    vault = Vault(folder)
    lost = [content for (content,) in installation.query(_KEPT) if not vault.verify(content)]
    assert not lost, f"{len(lost)} copies are lost: {lost}"
    assert [kept for kept in vault.hashes() if not vault.verify(kept)] == []


def half_built_relations(installation: Installation) -> list[Any]:
    """What an interrupted dbt may leave beside its models."""
    return installation.query(
        r"SELECT relname FROM pg_class WHERE relname LIKE '%\_\_dbt\_tmp%' OR relname LIKE '%\_\_dbt\_backup%'"
    )


def dbt_sessions(installation: Installation) -> list[Any]:
    """Database sessions that some dbt opened."""
    return installation.query(
        """SELECT pid, state, left(query, 200) FROM pg_stat_activity
           WHERE application_name = 'qbwatch-dbt' AND datname = current_database()"""
    )


def dbt_processes(root: Path) -> Iterator[int]:
    """Living processes of dbt that work for the installation below ``root``."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                name = (entry / "comm").read_text().strip()
                where = os.readlink(entry / "cwd")
                is_dead = "\nState:\tZ" in (entry / "status").read_text()
            except OSError:
                continue
            if name == "dbt-build" and where.startswith(str(root / "state")) and not is_dead:
                yield int(entry.name)
