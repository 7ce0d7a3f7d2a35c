"""Uploads that stall, for moments and for ten minutes: in the end all rows are there, once, and nothing is given up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from running_intake import MemoryLedger, PushedClock, RunningIntake, running
from small_exports import NEW_YORK, Office, customers
from waiting import wait_until

from qbwatch.admission import Admitter
from qbwatch.core.arrival import Admission, Arrival
from qbwatch.core.dates import DateOrder

ROWS = 100
WHOLE = customers(**{str(number): f"Customer {number}" for number in range(ROWS)})
AT_A_ROWS_END = WHOLE.index(b"\n", len(WHOLE) // 2) + 1
IN_A_ROW = AT_A_ROWS_END - 5
NAME = "Customers_04_20_2025.csv"
A_MOMENT = timedelta(seconds=6)  # longer than the settle time
TEN_MINUTES = timedelta(minutes=10)


@dataclass
class RealLedger(MemoryLedger):
    """The ledger in the database; what came is remembered beside it. ``doubts`` are the answers "not yet"."""

    admitter: Admitter = field(kw_only=True)
    doubts: int = 0

    def admit(self, arrivals: Sequence[Arrival]) -> list[Admission]:
        admissions = self.admitter.admit_all(arrivals)
        self.arrivals += [each for each, how in zip(arrivals, admissions, strict=True) if how is Admission.ADMITTED]
        self.doubts += admissions.count(Admission.DOUBTED)
        return admissions

    def is_known(self, root: str, path: bytes, look: object) -> bool:
        return self.admitter.known.is_known(root, path, look)  # type: ignore[arg-type]


@dataclass
class Uploads:
    """An office whose files come through a real intake; its clock can be pushed."""

    office: Office
    run: RunningIntake
    ledger: RealLedger
    clock: PushedClock

    @property
    def file(self) -> Path:
        return self.run.directory / NAME

    def stalls(self, stall: timedelta) -> None:
        """Time passes, in steps in which every wait of the intake comes to its turn."""
        step, run = timedelta(seconds=2), self.run
        for _ in range(round(stall / step)):
            scanned_at = run.intake.state().last_scan_at
            self.clock.ahead += step
            run.intake.rescan_soon()
            wait_until(lambda seen=scanned_at: run.intake.state().last_scan_at != seen, what="the intake to look again")

    def goes_on(self, cut: int) -> None:
        """The rest is appended, and comes to rest."""
        with self.file.open("ab") as file:
            file.write(WHOLE[cut:])
        self.stalls(A_MOMENT)

    def all_rows_are_there_once(self) -> None:
        self.office.work()
        query = "SELECT count(*), count(DISTINCT _key) FROM raw.quickbooks_customers"
        assert self.office.query(query) == [(ROWS, ROWS)]
        states = [state for _, state in self.office.states()]
        assert states[-1] == "loaded"
        assert "quarantined" not in states, "of a version that was superseded no question is left"


@pytest.fixture
def uploads(tmp_path: Path, database_url: str) -> Iterator[Uploads]:
    office = Office(tmp_path, database_url)
    clock = PushedClock()
    ledger = RealLedger(admitter=Admitter(office.engine, office.vault, NEW_YORK, DateOrder.MDY))
    waits = {"settle_for": timedelta(seconds=2), "doubt_for": timedelta(seconds=60)}
    with running(tmp_path, vault=office.vault, ledger=ledger, clock=clock, **waits) as run:
        yield Uploads(office, run, ledger, clock)


@pytest.mark.parametrize("stall", [A_MOMENT, TEN_MINUTES], ids=["a moment", "ten minutes"])
def test_an_upload_that_holds_its_file_open_is_waited_for_however_long_it_stalls(
    uploads: Uploads, stall: timedelta
) -> None:
    with uploads.file.open("wb", buffering=0) as file:
        file.write(WHOLE[:AT_A_ROWS_END])
        uploads.stalls(stall)
        assert uploads.ledger.arrivals == []
        expected = {"file_unsettled"} if stall >= TEN_MINUTES else set()
        wait_until(lambda: uploads.run.problems() == expected, what=f"problems to be {expected}")
        file.write(WHOLE[AT_A_ROWS_END:])
    uploads.stalls(A_MOMENT)
    [arrival] = uploads.run.admitted(NAME.encode())
    assert arrival.size_bytes == len(WHOLE)
    uploads.all_rows_are_there_once()


def test_an_upload_that_closes_its_file_in_the_middle_of_a_row_is_waited_for(uploads: Uploads) -> None:
    uploads.file.write_bytes(WHOLE[:IN_A_ROW])
    uploads.stalls(A_MOMENT)
    wait_until(lambda: uploads.ledger.doubts, what="half a row to be doubted")
    assert uploads.ledger.arrivals == []
    uploads.goes_on(IN_A_ROW)
    [arrival] = uploads.run.admitted(NAME.encode())
    assert arrival.size_bytes == len(WHOLE)
    uploads.all_rows_are_there_once()


@pytest.mark.parametrize(
    ("cut", "stall"),
    [(AT_A_ROWS_END, A_MOMENT), (AT_A_ROWS_END, TEN_MINUTES), (IN_A_ROW, TEN_MINUTES)],
    ids=["at a row's end, a moment", "at a row's end, ten minutes", "in a row, ten minutes"],
)
def test_an_upload_that_was_taken_too_early_is_superseded_by_the_whole(
    uploads: Uploads, cut: int, stall: timedelta
) -> None:
    uploads.file.write_bytes(WHOLE[:cut])
    uploads.stalls(stall)
    uploads.run.admitted(NAME.encode())
    uploads.office.work()
    uploads.goes_on(cut)
    wait_until(lambda: uploads.ledger.paths[NAME.encode()] == 2, what="the whole to be taken")
    uploads.all_rows_are_there_once()
