"""Do the totals that a report prints agree with its rows, to the cent and in every column?

Sums are kept per open section and go up into the one around it when it closes, so a report of any length needs no
list of its rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from qbwatch.core.money import EXACT
from qbwatch.formats.refusal import Refusal
from qbwatch.formats.report_layout import ReportLayout

_NAMED = 5  # disagreements that the reason names

Figures = Mapping[int, Decimal]


@dataclass(slots=True)
class Running:
    """What has been read below one section: sums by position, of all its rows and of its own, and its last balance."""

    sums: dict[int, Decimal]
    own: dict[int, Decimal]
    seen: set[int] = field(default_factory=set)
    balance: Decimal | None = None
    balances_inside: Decimal | None = None

    @classmethod
    def of(cls, layout: ReportLayout) -> Running:
        """Nothing read yet."""
        zero = {position: Decimal(0) for position, _ in layout.printed}
        return cls(dict(zero), dict(zero))

    def add(self, position: int, amount: Decimal) -> None:
        """A record's figure."""
        self.seen.add(position)
        self.sums[position] = EXACT.add(self.sums[position], amount)
        self.own[position] = EXACT.add(self.own[position], amount)

    def take_in(self, inner: Running) -> None:
        """A section inside of this one has ended."""
        self.seen |= inner.seen
        for position, amount in inner.sums.items():
            self.sums[position] = EXACT.add(self.sums[position], amount)
        if (ending := inner.ending) is not None:
            self.balances_inside = EXACT.add(self.balances_inside or Decimal(0), ending)

    @property
    def ending(self) -> Decimal | None:
        """The balance that it ends with, its sections' included; None where none is printed."""
        known = [each for each in (self.balance, self.balances_inside) if each is not None]
        return EXACT.add(known[0], known[-1]) if len(known) == 2 else known[0] if known else None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One printed figure that isn't what the rows above it come to."""

    line: int
    label: str
    column: str
    printed: Decimal
    computed: Decimal


@dataclass(slots=True)
class TotalsCheck:
    """The verdicts on all printed totals of a report: rows ``checked``, and what is wrong with some of them."""

    layout: ReportLayout
    checked: int = 0
    wrong_rows: int = 0
    wrong: list[Disagreement] = field(default_factory=list)

    def compare(self, line: int, label: str, printed: Figures, running: Running, *, is_own: bool = False) -> bool:
        """Check one row of totals; True when something of it could be checked and all of that agrees.

        Blank figures are not checked, neither are prices. A balance is only looked at where nothing else is printed:
        it carries what was there before the period.
        """
        candidates = [running.own, running.sums] if is_own else [running.sums]
        verdicts = [self._disagreements(line, label, printed, running, sums) for sums in candidates]
        best = min(verdicts, key=lambda each: len(each[1]))
        count, wrong = best
        balance = self.layout.balance
        if not count and balance is not None and balance in printed:
            count, wrong = 1, self._wrong_balance(line, label, printed[balance], running)
        if not count:
            return False
        self.checked += 1
        self.wrong_rows += bool(wrong)
        self.wrong += wrong
        return not wrong

    def _disagreements(
        self, line: int, label: str, printed: Figures, running: Running, sums: Figures
    ) -> tuple[int, list[Disagreement]]:
        """How many figures could be checked, and those that are wrong."""
        names = dict(self.layout.printed)
        elsewhere = [sums[position] for position in names if position not in printed]
        wrong, count = [], 0
        for position, figure in printed.items():
            if position in names and sums[position] == figure:
                count += 1
            elif figure in elsewhere and (figure or position not in running.seen) and not self._is_priced(position):
                count += 1  # the total of another column, which isn't printed in its own place
            elif position in names:
                count += 1
                wrong.append(Disagreement(line, label, names[position], figure, sums[position]))
        return count, wrong

    def _is_priced(self, position: int) -> bool:
        return position in self.layout.figures and position not in dict(self.layout.printed)

    def _wrong_balance(self, line: int, label: str, figure: Decimal, running: Running) -> list[Disagreement]:
        if figure in running.sums.values() or figure == running.ending:
            return []
        computed = running.ending if running.ending is not None else Decimal(0)
        return [Disagreement(line, label, "balance", figure, computed)]

    def refuse_if_wrong(self) -> None:
        """Raises `Refusal` naming lines and columns; the amounts are told to who checks the file alone."""
        if not self.wrong:
            return
        named = "; ".join(f"line {each.line}, column {each.column!r}" for each in self.wrong[:_NAMED])
        more = f" and {len(self.wrong) - _NAMED} more" if len(self.wrong) > _NAMED else ""
        raise Refusal(
            "totals_disagree",
            f"totals that the report prints don't agree with its rows: {named}{more}",
            "rows are missing, doubled or changed: export the report again, and don't edit it",
            {"printed_totals": self.told()},
        )

    def told(self) -> dict[str, object]:
        """For the answer of `check`."""
        return {
            "checked": self.checked,
            "wrong": self.wrong_rows,
            "disagreements": [
                {
                    "line": each.line,
                    "label": each.label,
                    "column": each.column,
                    "printed": f"{each.printed:f}",
                    "computed": f"{each.computed:f}",
                }
                for each in self.wrong
            ],
        }
