"""The world of the soak: a firm's nights, a clock that is moved from one to the next, and a daemon that is left alone.

Every file that is dropped gets the one fate that it must end with; every fault that lasts gets its incident.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from email.message import Message as Mail
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from alert_services import Endpoint, MailServer
from false_clock import FalseClock
from faulty import Lab
from soak_fates import DUPLICATE, LOADED, Fates
from soak_firm import Firm
from soak_telling import times_told
from waiting import wait_until

from qbwatch.demo.exports import Dataset, Export, ExportFile

OFFICE = ZoneInfo("America/New_York")
NIGHT, MORNING, EVENING = clock_time(3, 5), clock_time(6, 30), clock_time(23, 59, 59)
PATIENCE = 120.0  # seconds for anything that has to happen by itself
_LOOKS = 1.0  # seconds, for four looks of a daemon in a hurry
_STALL = 0.4  # seconds that a writer pauses in the middle of a file: longer than it takes to settle


@dataclass(slots=True)
class World:
    """``offset``: how far the false clock is ahead. ``told``: incidents by code that people must be told of.
    ``weeks``: how many came at once, when people may be told, too, that the files of its first days are missing."""

    lab: Lab
    clock: FalseClock
    firm: Firm
    hook: Endpoint
    mail: MailServer
    chance: Random
    project: Path
    offset: timedelta = timedelta(0)
    fates: Fates = field(default_factory=Fates)
    told: Counter[str] = field(default_factory=Counter)
    weeks: int = 0
    timeline: list[str] = field(default_factory=list)
    late: list[tuple[date, Export]] = field(default_factory=list)
    nights: int = 0
    shape: Counter[str] = field(default_factory=Counter)

    @property
    def input(self) -> Path:
        """The watched folder."""
        return self.lab.installation.input

    @property
    def has_own_disk(self) -> bool:
        """Whether the state folder lies on a small file system of its own, which may be filled."""
        return (self.lab.installation.root / "state").is_mount()

    @property
    def now(self) -> datetime:
        """The time of day that the daemon lives in."""
        return datetime.now(UTC) + self.offset

    def note(self, what: str) -> None:
        """One line of the timeline, which a failure prints."""
        self.timeline.append(f"{self.now.astimezone(OFFICE):%Y-%m-%d %H:%M}  {what}")

    def go_to(self, day: date, at: clock_time) -> None:
        """Set the clock, forwards only."""
        ahead = datetime.combine(day, at, OFFICE) - datetime.now(UTC)
        self.offset = max(self.offset, ahead)
        self.clock.set_off_by(self.offset)

    def let_pass(self, span: timedelta) -> None:
        """The clock moves on, and nothing happens meanwhile."""
        self.offset += span
        self.clock.set_off_by(self.offset)

    @contextmanager
    def wrong_clock(self, wrong: timedelta) -> Iterator[None]:
        """The machine's clock is off by so much for a while."""
        self.clock.set_off_by(self.offset + wrong)
        yield
        self.clock.set_off_by(self.offset)

    def begin_night(self) -> list[Export]:
        """The next night in which there are exports; those that are due, late ones among them."""
        exports = self.firm.next_night()
        self.nights += 1
        self.go_to(self.firm.today, NIGHT)
        due = [export for day, export in self.late if day <= self.firm.today]
        self.late = [(day, export) for day, export in self.late if day > self.firm.today]
        return [*due, *exports]

    def drop_night(self) -> None:
        """The next night's exports come, most of them as they should."""
        for export in self.begin_night():
            self.drop(self._odd(export) if self.chance.random() < 0.06 else export)

    def drop_week(self) -> None:
        """The sync client didn't run from Monday to Thursday: the files of five nights come at once."""
        self.go_to(self.firm.next_day() + timedelta(days=4), NIGHT)
        self.weeks += 1
        for _ in range(5):
            self.drop_night()
            self.evening()

    def drop(self, export: Export | None, fate: str = LOADED) -> None:
        """Give an export to the reader."""
        if export is not None:
            self.put(self.give(export), fate)

    def give(self, export: Export) -> ExportFile:
        """Its file; the reader knows it from now on. It takes the place of one of the same name."""
        given = self.firm.exporter.given
        given[:] = [each for each in given if each.name != export.name]
        return self.firm.exporter.give(export)

    def put(self, file: ExportFile, fate: str = LOADED, folder: Path | None = None) -> None:
        """Rename a whole file into place."""
        self.fates.expect(file, fate)
        folder = folder or self.lab.installation.root / "drop" / file.folder
        unfinished = folder / f".{file.name}.tmp"
        unfinished.write_bytes(file.content)
        os.utime(unfinished, (self.now.timestamp(),) * 2)
        unfinished.rename(folder / file.name)

    def _odd(self, export: Export) -> Export | None:
        """Something happens to a file on its way that no person need know of."""
        ways = ("twice", "late", "slowly", "anew", "touched")
        way = self.chance.choice(ways)
        self.note(f"{export.name} comes {way}")
        self.shape[way] += 1
        match way:
            case "twice":
                file = self.give(export)
                self.put(file)
                self.put(replace(file, name=file.name.replace(".csv", " (1).csv")), DUPLICATE)
            case "late":
                if export.day < self.firm.today or export.dataset is Dataset.INVOICES:
                    return export  # a missing invoice is a fault of its own
                self.late.append((self.firm.today + timedelta(days=self.chance.randint(1, 12)), export))
            case "slowly":
                self._write_slowly(self.give(export))
            case "anew":
                self.put(self.give(export))
                self.wait_admitted()
                again = self.firm.corrected(export)
                if again != export:
                    self.drop(again)
            case _:
                file = self.give(export)
                self.put(file)
                self.wait_admitted()
                os.utime(self.input / file.name)
        return None

    def _write_slowly(self, file: ExportFile) -> None:
        self.fates.expect(file, LOADED)
        half = len(file.content) // 2
        with (self.input / file.name).open("wb", buffering=0) as growing:
            growing.write(file.content[:half])
            time.sleep(_STALL)
            growing.write(file.content[half:])

    def wait_admitted(self) -> None:
        """Until the ledger knows every file."""
        installation, many = self.lab.installation, len(self.fates.of)
        query = "SELECT count(*) FROM qbwatch.files"
        wait_until(lambda: installation.query(query)[0][0] >= many, PATIENCE, f"{many} files to be in the ledger")

    def settle(self) -> float:
        """Until every file has its outcome and nothing is owed; the seconds that it took."""
        began = time.monotonic()
        self.lab.installation.wait_settled(len(self.fates.of), timeout=PATIENCE)
        return time.monotonic() - began

    def problem(self, code: str) -> None:
        """Until the status complains of it."""
        wait_until(lambda: code in self.lab.problems(), PATIENCE, f"the problem {code}")

    def tell(self, code: str, channel: Sequence[str | Mail] | None = None) -> None:
        """Until people were told of trouble that lasts: of this, and not of what else came or went meanwhile."""
        taken = self.hook.taken if channel is None else channel
        before = times_told(taken, code)
        self.told[code] += 1
        give_up_at = time.monotonic() + PATIENCE
        while times_told(taken, code) == before:  # it has to be seen at two looks
            assert time.monotonic() < give_up_at, f"no message about {code}"
            self.let_pass(timedelta(seconds=30))
            self.let_looks_pass(lambda: times_told(taken, code) > before)

    def let_looks_pass(self, enough: Callable[[], bool] = lambda: False, seconds: float = _LOOKS) -> None:
        """Time for a few looks at what is wrong."""
        until = time.monotonic() + seconds
        wait_until(lambda: enough() or time.monotonic() > until, PATIENCE)

    def recover(self) -> None:
        """Until no incident is open and every message is delivered.

        Trouble may just be coming to be known, with Postgres only from the next look on: looks have to pass first.
        """
        query = """SELECT count(*) FILTER (WHERE absent_since IS NULL), count(*) FROM qbwatch.incidents
                   WHERE recovered_at IS NULL"""
        waiting = "SELECT count(*) FROM qbwatch.deliveries WHERE delivered_at IS NULL"
        installation = self.lab.installation
        self.let_looks_pass()
        try:
            wait_until(lambda: installation.query(query)[0][0] == 0, PATIENCE, "the trouble to be over")
        except AssertionError as error:
            error.add_note(f"{[each for each in self.incidents() if not each[3]]}")
            raise
        for _ in range(8):
            if installation.query(query)[0][1] == 0:
                break
            self.let_pass(timedelta(minutes=2))
            self.let_looks_pass(lambda: installation.query(query)[0][1] == 0)
        assert installation.query(query)[0][1] == 0, self.incidents()
        wait_until(lambda: installation.query(waiting)[0][0] == 0, PATIENCE, "the messages to be delivered")

    def incidents(self) -> list[tuple[str, str, int, bool]]:
        """Code, summary, how often people were told that it is there (again when it came back) and whether it is over,
        of each incident."""
        query = """SELECT code, summary, coalesce(told.times, 0)::int, recovered_at IS NOT NULL
                   FROM qbwatch.incidents LEFT JOIN (
                       SELECT id, max(times) AS times
                       FROM (SELECT incident_id AS id, service, count(*) AS times FROM qbwatch.deliveries
                             WHERE kind = 'opened' GROUP BY 1, 2) AS by_service GROUP BY id) AS told USING (id)
                   ORDER BY opened_at"""
        return self.lab.installation.query(query)

    def evening(self) -> None:
        """At a quarter's end everything is exported once more."""
        if self.firm.is_end_of_quarter():
            self.note("full exports at the end of the quarter")
            self.go_to(self.firm.today, EVENING)
            for file in self.firm.exporter.full(self.firm.today):
                self.put(file)

    def withheld(self, dataset: Dataset) -> tuple[list[Export], Export]:
        """The next night's exports without one of them, and that one."""
        exports = self.begin_night()
        held = next(each for each in exports if each.dataset is dataset and each.day == self.firm.today)
        return [each for each in exports if each is not held], held
