"""``revert``, ``skip``, ``accept`` and ``rebuild`` as a person types them: with a daemon and without one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
from installation import Installation
from small_exports import customers, invoices
from waiting import wait_until

INVOICE, NEXT = "Invoice_04_01_2025_2_00_00.csv", "Invoice_04_02_2025_2_00_00.csv"
FULL, NEXT_FULL = "01_BACKUP_Customer_04_01_2025.csv", "01_BACKUP_Customer_04_02_2025.csv"
AMOUNTS = "SELECT _key, product_service_amount::text FROM raw.quickbooks_invoices ORDER BY _key, _line"


def put(installation: Installation, name: str, content: bytes) -> None:
    (installation.input / name).write_bytes(content)


def test_without_a_daemon_a_file_is_reverted_and_the_next_run_lets_dbt_follow(
    install: Callable[..., Installation],
) -> None:
    office = install()
    put(office, INVOICE, invoices(a=["1.00"]))
    put(office, NEXT, invoices(a=["2.00"], b=["3.00"]))
    assert office.run("once").returncode == 0

    foretold = office.run("revert", "--dry-run", "Invoice_04_02")
    assert foretold.stdout == f"Reverting {NEXT} would remove 1 row, restore 1.\n"
    assert office.query(AMOUNTS) == [("a", "2.00"), ("b", "3.00")]

    said = office.json("revert", NEXT)
    assert (said["removed"], said["restored"], said["dry_run"]) == (1, 1, False)
    assert office.query(AMOUNTS) == [("a", "1.00")]
    assert "reverted by a person" in office.run("why", NEXT).stdout
    assert office.run("once").returncode == 0
    assert office.query("SELECT count(*) FROM analytics_mart.fct_order_line_items") == [(1,)]

    again = office.run("revert", NEXT)
    assert (again.returncode, again.stdout) == (1, "")
    assert f"nothing to revert: {NEXT} is skipped" in again.stderr


def test_a_daemon_reverts_and_lets_dbt_follow_by_itself(install: Callable[..., Installation]) -> None:
    office = install()
    office.start()
    put(office, INVOICE, invoices(a=["1.00"]))
    put(office, NEXT, invoices(a=["2.00"], b=["3.00"]))
    wait_until(lambda: office.outcomes().get(NEXT) == "loaded", 30, "the files to be loaded")

    done = office.run("revert", NEXT)

    assert "removes 1 row, restores 1." in done.stdout, done.stderr
    assert office.query(AMOUNTS) == [("a", "1.00")]
    wait_until(
        lambda: office.query("SELECT count(*) FROM analytics_mart.fct_order_line_items") == [(1,)], 60, "dbt to follow"
    )
    verified = office.json("rebuild", "--verify")
    assert verified["equal"] is True
    assert "1.00" not in office.log


def test_a_held_export_is_skipped_or_accepted_by_a_person(install: Callable[..., Installation]) -> None:
    office = install()
    put(office, FULL, customers(c1="Acme", c2="Beta"))
    put(office, NEXT_FULL, customers())
    assert office.run("once").returncode == 3
    assert office.json("status")["quarantined"][0]["reason"] == f"it has no row, where {FULL} had 2"

    assert office.json("skip", NEXT_FULL) == {"version": 1, "skipped": 1}
    assert office.json("status")["quarantined"] == []
    assert "nothing to accept" in office.run("accept", FULL).stderr

    assert office.json("retry", NEXT_FULL)["released"] == 1
    assert office.run("once").returncode == 1
    accepted = office.json("accept", "BACKUP_Customer_04_02")
    assert (accepted["name"], accepted["accepted"], accepted["questions"]) == (NEXT_FULL, 1, ["no_rows"])
    assert office.run("once").returncode == 0
    assert office.query("SELECT count(*) FROM raw.quickbooks_customers WHERE _removed_at IS NULL") == [(0,)]
    assert "accepted by a person: no_rows" in office.run("why", NEXT_FULL).stdout


def test_verify_names_the_first_cell_that_differs_and_a_rebuild_mends_it(install: Callable[..., Installation]) -> None:
    office = install()
    put(office, INVOICE, invoices(a=["1.00"], b=["2.00"], c=["3.00"]))
    assert office.run("once").returncode == 0
    equal = office.run("rebuild", "--verify", "--dataset", "invoices")
    assert (equal.returncode, equal.stdout) == (0, "quickbooks.invoices: equal (1 file)\n")
    with psycopg.connect(office.url) as connection:
        connection.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 99 WHERE _key = 'b'")
        connection.execute("DELETE FROM raw.quickbooks_invoices WHERE _key = 'c'")

    told = office.run("rebuild", "--verify")

    assert told.returncode == 1
    assert "quickbooks.invoices: 2 rows differ" in told.stdout
    first = "first: key 'b', line 1, column product_service_amount: '99' in the table, '2.00' in the fold"
    assert first in " ".join(told.stdout.split())
    said = office.json("rebuild", "--verify", "--dataset", "invoices")["datasets"][0]
    assert (said["rows_differing"], said["first_difference"]["key"]) == (2, "b")
    assert office.query(AMOUNTS) == [("a", "1.00"), ("b", "99")]

    mended = office.json("rebuild")
    assert {
        "dataset": "quickbooks.invoices",
        "files": 1,
        "rows": {"inserted": 1, "updated": 1, "removed": 0},
    } in mended["datasets"]
    assert office.query(AMOUNTS) == [("a", "1.00"), ("b", "2.00"), ("c", "3.00")]
    assert office.run("rebuild", "--verify").returncode == 0


def test_a_damaged_copy_in_the_vault_is_found_and_changes_nothing(install: Callable[..., Installation]) -> None:
    office = install()
    put(office, INVOICE, invoices(a=["1.00"]))
    assert office.run("once").returncode == 0
    (copy,) = [path for path in (office.root / "state" / "vault").rglob("*") if path.suffix == ".zst"]
    copy.chmod(0o600)
    copy.write_bytes(copy.read_bytes()[:-5])
    for arguments in (("rebuild",), ("rebuild", "--verify")):
        done = office.run(*arguments)
        assert done.returncode == 1
        assert f"the copy of {INVOICE} in the vault is missing or damaged" in done.stderr
    assert office.query(AMOUNTS) == [("a", "1.00")]


def test_readers_of_a_view_are_never_locked_out_by_a_rebuild(install: Callable[..., Installation]) -> None:
    office = install()
    put(office, INVOICE, invoices(**{f"k{number}": ["1.00"] * 10 for number in range(2000)}))
    assert office.run("once").returncode == 0
    with psycopg.connect(office.url, autocommit=True) as connection:
        connection.execute(
            "CREATE VIEW public.revenue AS SELECT sum(product_service_amount) FROM raw.quickbooks_invoices"
        )
        connection.execute("UPDATE raw.quickbooks_invoices SET product_service_amount = 2")
    seen: set[str] = set()
    is_over = threading.Event()

    def read() -> None:
        with psycopg.connect(office.url, autocommit=True, options="-c lock_timeout=50ms") as connection:
            while not is_over.is_set():
                row = connection.execute("SELECT * FROM public.revenue").fetchone()
                assert row is not None
                seen.add(str(row[0]))

    reader = threading.Thread(target=read)
    reader.start()
    done = office.run("rebuild", "--dataset", "invoices")
    wait_until(lambda: "20000.00" in seen or not reader.is_alive(), 10, "the reader to see the mended table")
    is_over.set()
    reader.join()

    assert "20,000 updated" in done.stdout
    assert seen == {"40000", "20000.00"}  # the old sum, then the new one, and none between
