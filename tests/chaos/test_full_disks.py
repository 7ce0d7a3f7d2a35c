"""Full disks, real ones: small file systems in memory. Without the right to mount them they are skipped."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
from faulty import FEW, Lab, expected_of, new_database, settings, url_of
from holding import items
from installation import Installation
from psycopg import sql
from small_disks import fill, read_only, small_disk
from small_files import many_invoices
from waiting import wait_until

from qbwatch.edges.embedded import EmbeddedPostgres


def test_the_disk_of_the_database_is_full(
    server: EmbeddedPostgres, project: Path, install: Callable[..., Installation], state_directory: Path
) -> None:
    large = many_invoices(20_000)
    disk = state_directory / "disk"
    disk.mkdir()
    state_directory.chmod(0o755)
    with small_disk(disk, "24m", server.data.stat().st_uid):
        with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE TABLESPACE small LOCATION {}").format(str(disk)))
            connection.execute("CREATE DATABASE small TEMPLATE template0 TABLESPACE small")
        try:
            lab = Lab(server, install(url=url_of(server, "small"), extra=settings(project)), "small")
            lab.start()
            filler = disk / "filler"
            lab.drop(FEW[:1])
            lab.installation.wait_settled(1)
            fill(filler, disk, leave=2_000_000)
            lab.drop([large])
            problem = lab.wait_for_one_problem("database_disk_full", timeout=120)
            assert "tried again by itself" in problem["hint"]
            assert items(lab.installation)[large.name][0] in ("retrying", "loading", "pending")
            filler.unlink()
            subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)
            lab.assert_well([FEW[0], large], expected_of(install, [FEW[0], large], project))
            assert lab.installation.stop() == 0
        finally:
            with psycopg.connect(url_of(server, "postgres"), autocommit=True) as connection:
                connection.execute("DROP DATABASE small WITH (FORCE)")
                connection.execute("DROP TABLESPACE small")


def test_the_disk_of_the_vault_runs_full(
    server: EmbeddedPostgres, project: Path, install: Callable[..., Installation]
) -> None:
    with new_database(server) as name:
        lab = Lab(server, install(url=url_of(server, name), extra=settings(project)), name)
        state = lab.installation.root / "state"
        with small_disk(state, "40m"):
            lab.start()
            lab.drop(FEW[:2])
            lab.installation.wait_settled(2)
            filler = state / "filler"
            fill(filler, state, leave=3_000_000)  # less than the reserve, a tenth of the disk; but not full
            lab.drop(FEW[2:])

            problem = lab.wait_for_one_problem("disk_reserve")

            assert "reserve" in problem["summary"]
            assert "Free space" in problem["hint"]
            assert len(items(lab.installation)) == 2
            filler.unlink()
            lab.assert_well(FEW, expected_of(install, FEW, project))
            assert lab.installation.stop() == 0


def test_the_disk_of_the_state_becomes_read_only(
    server: EmbeddedPostgres, project: Path, install: Callable[..., Installation]
) -> None:
    with new_database(server) as name:
        lab = Lab(server, install(url=url_of(server, name), extra=settings(project)), name)

        def incidents() -> list[tuple[str, bool]]:
            return lab.installation.query(
                "SELECT code, recovered_at IS NOT NULL FROM qbwatch.incidents ORDER BY opened_at"
            )

        lab.start()
        lab.drop(FEW[:2])
        lab.installation.wait_settled(2)
        with read_only(lab.installation.root / "state"):
            lab.drop(FEW[2:])

            problem = lab.wait_for_one_problem("disk_read_only")

            assert "read-only" in problem["summary"].lower()
            assert len(items(lab.installation)) == 2
            wait_until(lambda: incidents() == [("disk_read_only", False)], 60, "it to be an incident")
        lab.assert_well(FEW, expected_of(install, FEW, project))
        wait_until(lambda: incidents() == [("disk_read_only", True)], 150, "the incident to be over")
        assert lab.installation.stop() == 0


def test_the_disk_of_the_log_is_full(
    server: EmbeddedPostgres, project: Path, install: Callable[..., Installation]
) -> None:
    with new_database(server) as name:
        lab = Lab(server, install(url=url_of(server, name), extra=settings(project)), name)
        (lab.installation.root / "daemon.log").symlink_to("/dev/full")
        lab.start()
        lab.drop(FEW)
        wait_until(lambda: len(items(lab.installation)) == len(FEW), 60, "the files to come in")
        lab.assert_well(FEW, expected_of(install, FEW, project))
        assert lab.installation.stop() == 0
