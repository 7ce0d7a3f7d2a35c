"""The demo's story: full exports of a fictional firm, then three business days of what its exporter drops.

Everything follows from a seed, a last day and a scale; the same three give the same bytes. Nothing here reads a clock
or touches a disk: `drop` puts files where they belong.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, time
from random import Random

from qbwatch.demo.desk import Desk, Scene, open_desk
from qbwatch.demo.events import (
    happen_before_the_first_day,
    happen_on_the_first_day,
    happen_on_the_second_afternoon,
    happen_on_the_second_morning,
)
from qbwatch.demo.expected import Expected, expect
from qbwatch.demo.exports import PLAIN, WITH_BOM, Dataset, Export, ExportFile, Layout
from qbwatch.demo.history import Scale, business_days_until, write_history
from qbwatch.demo.schedule import Exporter

USUAL = Scale()
"""The size of the demo: a firm with some 220 invoices."""

_INVOICES = list(Dataset).index(Dataset.INVOICES)
_AFTERNOON = time(14, 30, 5)
_LATER_THAT_MORNING = time(9, 40, 17)


@dataclass(frozen=True, slots=True)
class Wave:
    """Files that arrive together, in the order they are dropped, and the truth once they are loaded."""

    title: str
    files: tuple[ExportFile, ...]
    expected: Expected


@dataclass(frozen=True, slots=True)
class BusinessDay:
    """A day and its waves: one in the night, on the second day another in the afternoon."""

    day: date
    waves: tuple[Wave, ...]


@dataclass(frozen=True, slots=True)
class Story:
    """All that is dropped, and what it has to come to.

    ``damaged`` is the sales receipts' file of the second day's night, written day first since the regional settings of
    the office PC had changed; it stands in that day's first wave. ``mended`` is the same export, run again later that
    day. ``expected`` is the end without the damaged file, ``expected_mended`` the end with the mended one, whenever
    that one is dropped. ``scenes`` names the records to look at, by internal id.
    """

    seed: tuple[ExportFile, ...]
    days: tuple[BusinessDay, ...]
    damaged: ExportFile
    mended: ExportFile
    expected_after_seed: Expected
    expected: Expected
    expected_mended: Expected
    scenes: dict[Scene, str]

    @property
    def waves(self) -> tuple[Wave, ...]:
        """The waves of all days, in order."""
        return tuple(wave for day in self.days for wave in day.waves)


def story(last_day: date, seed: int = 7, scale: Scale = USUAL) -> Story:
    """The story whose third day is the last business day on or before ``last_day``.

    Its last file speaks for 3:00:02 of that day in the firm's time zone. Raises ValueError for a scale too small.
    """
    eve, *days = business_days_until(last_day, 4)
    desk = open_desk(Random(seed))
    exporter = Exporter(desk.books)
    write_history(desk, scale, eve)
    full = exporter.full(eve)
    after_seed = exporter.expected()
    telling = _Telling(desk, exporter, scale.a_day)
    first = telling.first_day(days[0], eve)
    second, damaged, mended = telling.second_day(days[1], first)
    third = telling.third_day(days[2], days[1])
    return Story(
        seed=full,
        days=(first, second, third),
        damaged=damaged,
        mended=mended.write(),
        expected_after_seed=after_seed,
        expected=exporter.expected(),
        expected_mended=expect([*exporter.given, mended]),
        scenes=dict(desk.scenes),
    )


@dataclass(frozen=True, slots=True)
class _Telling:
    """The days one after the other: first what happens at the firm, then what the exporter makes of it."""

    desk: Desk
    exporter: Exporter
    a_day: int

    def first_day(self, day: date, eve: date) -> BusinessDay:
        """One night: a file with a byte order mark, one in cp1252."""
        happen_before_the_first_day(self.desk, eve, self.a_day)
        night = self.exporter.night(
            day,
            eve,
            {
                Dataset.CUSTOMERS: WITH_BOM,
                Dataset.ITEMS: PLAIN,
                Dataset.INVOICES: Layout("cp1252"),
                Dataset.RECEIPTS: PLAIN,
            },
        )
        return BusinessDay(day, (self._wave("the first night's exports", *night),))

    def second_day(self, day: date, before: BusinessDay) -> tuple[BusinessDay, ExportFile, Export]:
        """A night with a lost column and a damaged file, whose sound export comes back too; an afternoon's export."""
        happen_on_the_first_day(self.desk, before.day, self.a_day)
        night = self.exporter.night(
            day,
            before.day,
            {Dataset.CUSTOMERS: Layout(lost="Status"), Dataset.ITEMS: PLAIN, Dataset.INVOICES: WITH_BOM},
        )
        sound = self.exporter.see(Dataset.RECEIPTS, day, before.day)
        damaged = replace(sound, layout=Layout(day_first=True)).write()
        first = self._wave("the second night's exports, one of them damaged", *night, damaged)

        happen_on_the_second_morning(self.desk, day)
        again = _copy_of(before.waves[0].files[_INVOICES])
        invoices = replace(self.exporter.see(Dataset.INVOICES, day, before.day), clock=_AFTERNOON)
        later = self._wave(
            "a copy of yesterday's file, and an export in the afternoon", again, self.exporter.give(invoices)
        )
        return BusinessDay(day, (first, later)), damaged, replace(sound, clock=_LATER_THAT_MORNING)

    def third_day(self, day: date, before: date) -> BusinessDay:
        """One night: a file with a new column."""
        happen_on_the_second_afternoon(self.desk, before, self.a_day)
        night = self.exporter.night(
            day,
            before,
            {
                Dataset.CUSTOMERS: Layout(gained="Route"),
                Dataset.ITEMS: PLAIN,
                Dataset.INVOICES: PLAIN,
                Dataset.RECEIPTS: WITH_BOM,
            },
        )
        return BusinessDay(day, (self._wave("the third night's exports", *night),))

    def _wave(self, title: str, *files: ExportFile) -> Wave:
        return Wave(title, files, self.exporter.expected())


def _copy_of(file: ExportFile) -> ExportFile:
    """The same bytes under the name a browser gives to a second download."""
    return replace(file, name=file.name.replace(".csv", " (1).csv"))
