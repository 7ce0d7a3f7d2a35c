"""The terminal interface does what its keys say: each action on a real daemon, seen in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from alert_services import endpoint
from driving import Driver, app_of, drive
from installation import Installation
from small_exports import customers, invoices
from tiny_project import write_tiny_project
from waiting import wait_until
from without_dbt import COMMAND

INVOICE, NEXT = "Invoice_04_01_2025_2_00_00.csv", "Invoice_04_02_2025_2_00_00.csv"
FULL, NEXT_FULL = "01_BACKUP_Customer_04_01_2025.csv", "01_BACKUP_Customer_04_02_2025.csv"
AMOUNTS = "SELECT _key, product_service_amount::text FROM raw.quickbooks_invoices ORDER BY _key, _line"


@pytest.fixture
def office(install: Callable[..., Installation]) -> Installation:
    """A running daemon whose dbt takes no time."""
    made = install(command=COMMAND)
    made.start()
    return made


def put(office: Installation, name: str, content: bytes) -> None:
    """An export, written at once."""
    unfinished = office.root / name
    unfinished.write_bytes(content)
    unfinished.rename(office.input / name)


@contextmanager
def locked(office: Installation, table: str) -> Iterator[None]:
    """Whoever wants to write to the table waits."""
    with psycopg.connect(office.url) as connection:
        connection.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE".encode())
        yield


def test_pause_ends_a_run_before_its_next_file_and_resume_goes_on(office: Installation) -> None:
    async def story(person: Driver) -> None:
        await person.sees("daemon idle")
        await person.keys("p")
        await person.sees("Nothing more is begun", "the same: qbwatch pause")
        await person.keys("y")
        await person.sees("Pause: paused", "daemon paused")
        for name, key in ((INVOICE, "a"), (NEXT, "b")):
            put(office, name, invoices(**{key: ["1.00"]}))
        await person.until(lambda: len(office.outcomes()) == 2, "both files to be taken in")
        assert set(office.outcomes().values()) == {"pending"}
        with locked(office, "raw.quickbooks_invoices"):
            await person.keys("u", "y")
            await person.until(lambda: "loading" in office.outcomes().values(), "the first file to be loaded")
            await person.keys("p", "y")
            await person.sees("ends after its current step")
        await person.until(lambda: office.status()["daemon"]["state"] == "paused", "the run to end")
        assert office.outcomes() == {INVOICE: "loaded", NEXT: "pending"}
        await person.keys("u", "y")
        await person.until(lambda: set(office.outcomes().values()) == {"loaded"}, "the other file to be loaded")

    drive(app_of(office), story)


def test_stop_run_rolls_the_file_in_hand_back(office: Installation) -> None:
    async def story(person: Driver) -> None:
        await person.sees("daemon idle")
        with locked(office, "raw.quickbooks_customers"):
            put(office, FULL, customers(a="Ann", b="Bob"))
            await person.until(lambda: "loading" in office.outcomes().values(), "the file to be loaded")
            await person.keys("5")
            await person.sees("Stop the run")
            await person.pilot.click("#stop-run")
            await person.sees("is cancelled now", "the same: qbwatch stop-run")
            await person.pilot.click("#yes")
            await person.sees("cancelled; what it had in hand waits as before", "daemon paused")
            assert office.outcomes() == {FULL: "pending"}
        assert office.query("SELECT count(*) FROM raw.quickbooks_customers") == [(0,)]
        assert office.status()["last_run"]["status"] == "cancelled"

    drive(app_of(office), story)


def test_what_was_skipped_is_loaded_by_a_retry(office: Installation) -> None:
    async def story(person: Driver) -> None:
        await person.sees("daemon idle")
        await person.keys("p", "y")
        await person.sees("daemon paused")
        put(office, INVOICE, invoices(a=["1.00"]))
        await person.keys("2")
        await person.sees("pending", INVOICE)
        await person.keys("x")
        await person.sees("will be left out", f"qbwatch skip {INVOICE}")
        await person.keys("y")
        await person.sees("skipped", "1 part left out")
        assert office.outcomes() == {INVOICE: "skipped"}
        await person.keys("u", "y")
        await person.sees("daemon idle")
        assert office.outcomes() == {INVOICE: "skipped"}
        await person.keys("r")
        await person.sees("1 part goes back into the queue")
        await person.keys("y")
        await person.until(lambda: office.outcomes() == {INVOICE: "loaded"}, "it to be loaded")
        await person.sees("1 loaded")

    drive(app_of(office), story)


def test_a_held_file_is_accepted_and_several_that_are_marked_are_skipped(office: Installation) -> None:
    put(office, FULL, customers(**{f"c{number}": f"Customer {number}" for number in range(40)}))
    office.wait_settled(1)
    put(office, NEXT_FULL, customers(c1="Customer 1"))
    damaged = ["Invoice_04_03_2025_2_00_00.csv", "Invoice_04_04_2025_2_00_00.csv"]
    for name in damaged:
        put(office, name, b'"Invoice No\r\n' + name.encode())
    wait_until(lambda: list(office.outcomes().values()).count("quarantined") == 3, 30, "three to be quarantined")

    async def story(person: Driver) -> None:
        await person.keys("2", "s", "s")
        await person.sees("quarantined by as_of")
        await person.until(lambda: person.list("files-list").total == 3, "the three")
        await person.keys("a")
        await person.sees("there is nothing to accept here")
        await person.keys("space", "space", "x")
        await person.sees("2 parts will be left out", *damaged)
        await person.keys("y")
        await person.until(lambda: person.list("files-list").total == 1, "one to be left")
        await person.keys("home", "enter")
        await person.sees(NEXT_FULL, "why:")
        await person.keys("escape", "a")
        await person.sees("never asked again")
        await person.keys("y")
        await person.until(lambda: office.outcomes()[NEXT_FULL] == "loaded", "it to be loaded")

    drive(app_of(office), story)
    assert {office.outcomes()[name] for name in damaged} == {"skipped"}


def test_revert_says_what_it_would_change_and_then_does_it(office: Installation) -> None:
    put(office, INVOICE, invoices(a=["1.00"]))
    put(office, NEXT, invoices(a=["2.00"], b=["3.00"]))
    office.wait_settled(2)

    async def story(person: Driver) -> None:
        await person.keys("2", "slash")
        await person.type("04_02")
        await person.until(lambda: person.list("files-list").total == 1, "the filter to work")
        await person.keys("enter", "v")
        await person.sees("would remove 1 row, restore 1", f"the same: qbwatch revert {NEXT}")
        assert office.query(AMOUNTS) == [("a", "2.00"), ("b", "3.00")]
        await person.keys("n", "v")
        await person.sees("would remove 1 row")
        await person.keys("y")
        await person.sees("removed 1 row, restored 1")
        assert office.query(AMOUNTS) == [("a", "1.00")]

    drive(app_of(office), story)


def test_a_queue_of_three_is_done_in_the_order_that_a_person_gave_it(office: Installation) -> None:
    put(office, INVOICE, invoices(a=["1.00"]))
    office.wait_settled(1)
    before = office.query("SELECT max(id) FROM qbwatch.runs")[0][0]

    def asked() -> list[str]:
        return [f"{each['request']} {each['detail']}".strip() for each in office.status()["daemon"]["requests"]]

    async def story(person: Driver) -> None:
        await person.keys("3")
        with locked(office, "qbwatch.runs"):
            for choice, expected in (("d", ["transform"]), ("s", ["transform", "once seed"])):
                await person.keys("n", choice, "y")
                await person.until(lambda: asked() == expected, str(expected))  # noqa: B023 (asked at once)
            await person.keys("n", "d", "y")
            await person.until(lambda: asked() == ["transform", "once seed", "transform"], "the third to wait")
            await person.keys("n", "i", "y")
            await person.until(lambda: len(asked()) == 4, "the fourth to wait")
            queue = person.list("queue")
            await person.until(lambda: queue.total == 4, "all four to be shown")
            queue.focus()
            await person.keys("end", "x")
            await person.sees("once incremental", "will not be done")
            await person.keys("y")
            await person.until(lambda: len(asked()) == 3, "the fourth to be taken out")
            await person.sees("it was taken out of the queue by")
            await person.keys("escape", "end", "K")
            await person.until(lambda: asked() == ["transform", "transform", "once seed"], "the third to be moved")
            await person.sees("2.", "3.")
        await person.until(lambda: asked() == [], "all to be done")
        await person.until(lambda: len(person.app.told) == 6, "an answer to each of the six wishes")

    drive(app_of(office), story)
    done = office.query(f"SELECT mode, why FROM qbwatch.runs WHERE id > {before} ORDER BY id")
    assert [mode for mode, _ in done] == ["repair", "repair", "seed"]


_RULES = """\
version: 2
models:
  - name: tiny_customers
    columns:
      - name: customer_name
        data_tests:
          - accepted_values:
              name: only_ann
              arguments:
                values: ['[red]Ann']
              config:
                store_failures: true
                severity: warn
"""


@pytest.mark.timeout(240)
def test_dbt_is_built_and_tested_and_says_how_it_went(install: Callable[..., Installation], tmp_path: Path) -> None:
    project = write_tiny_project(tmp_path / "tiny")
    (project / "models" / "rules.yml").write_text(_RULES, "utf-8")
    office = install(extra=f'\n[transform]\nproject = "{project}"\n')
    office.start()
    put(office, FULL, customers(a="[red]Ann", b="[/x]Bob"))
    office.wait_settled(1)

    async def story(person: Driver) -> None:
        await person.keys("4")
        await person.sees("tiny_customers", "tiny_lines")
        await person.keys("home", "b")
        await person.sees("Builds and tests tiny_customers", "--select tiny_customers")
        await person.keys("y")
        await person.sees("Transform: run ", timeout=60)
        await person.keys("T", "y")
        await person.sees("Test the data: ", "not: ", timeout=60)
        await person.keys("slash")
        await person.type("only_ann")
        await person.keys("enter")
        await person.sees("warn")
        await person.keys("enter")
        await person.sees("Rows that break the rule", "[/x]Bob")

    drive(app_of(office), story, size=(120, 40))


def test_an_incident_is_acknowledged_and_the_alerts_are_tried(
    install: Callable[..., Installation],
) -> None:
    with endpoint() as hook:
        office = install(command=COMMAND, extra=f'\n[alerts]\nurls = ["json://127.0.0.1:{hook.port}/hook"]\n')
        office.start()
        put(office, INVOICE, b'"Invoice No\r\n')

        async def story(person: Driver) -> None:
            await person.keys("6")
            await person.sees("open", "is quarantined")
            await person.keys("a")
            await person.sees("No more reminders")
            await person.keys("y")
            await person.sees("acknowledged")
            await person.keys("T", "y")
            await person.sees("Test the alerts: ", "delivered")
            await person.keys("enter")
            await person.sees("Incident ", "acknowledged")

        drive(app_of(office), story)
        assert office.query("SELECT acknowledged_at IS NOT NULL FROM qbwatch.incidents") == [(True,)]
        assert any("qbwatch: test" in str(each) for each in hook.bodies)


def test_each_button_of_control_is_answered(office: Installation) -> None:
    put(office, INVOICE, invoices(a=["1.00"]))
    office.wait_settled(1)

    async def story(person: Driver) -> None:
        await person.keys("5")
        await person.sees("daemon idle")
        for button, answer in (
            ("run-now", "qbwatch once: all is current"),
            ("run-incremental", "qbwatch once --force-incremental: all is current"),
            ("run-seed", "qbwatch once --force-seed: run 2 (seed): success"),
            ("run-full", "run 3 (seed): success"),
            ("reload", "qbwatch reload: nothing changed at once"),
            ("alerts-test", "not done: no alert service is configured"),
        ):
            await person.pilot.click(f"#{button}")
            await person.sees("Yes, do it")
            await person.keys("y")
            await person.until(partial(was_told, person, answer), answer)
        await person.keys("escape")
        await person.keys("7")
        await person.sees("a run was asked for")

    drive(app_of(office), story, size=(120, 40))


def was_told(person: Driver, answer: str) -> bool:
    """Whether the last answer is this."""
    return bool(person.app.told) and answer in ": ".join(person.app.told[-1][1:])


def test_read_only_asks_for_nothing(office: Installation) -> None:
    put(office, INVOICE, invoices(a=["1.00"]))
    office.wait_settled(1)

    async def story(person: Driver) -> None:
        await person.sees("daemon idle", "Read only, as asked")
        await person.keys("p")
        await person.sees("read only; the same at a shell: qbwatch pause")
        await person.keys("2", "v")
        await person.sees("read only; the same at a shell: qbwatch revert")
        assert len(person.app.screen_stack) == 1

    drive(app_of(office, read_only=True), story)
    assert office.status()["daemon"]["state"] == "idle"
    assert office.outcomes() == {INVOICE: "loaded"}
