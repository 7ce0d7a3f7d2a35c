"""Reports made at random are read back exactly, and no damage to a report raises anything but a refusal."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from small_reports import ANY_DAY, DESKTOP, ONLINE, QUOTED, SALES, open_report, read_report, read_whole, row_of, text_of

from qbwatch.core.dates import DateOrder
from qbwatch.formats.part import open_part
from qbwatch.formats.refusal import Refusal

LAYOUTS = {"online": ONLINE, "desktop": DESKTOP, "quoted": QUOTED}
NAMES = ["Acme", "Job1", "Job2", "Total Wine", "Wine", "Smith, LLC", "A:B Supply", "O’Neil", "Acme  Two", "12 Oaks", "Monday Market"]  # fmt: skip  # noqa: E501


@dataclass
class Tree:
    """A section: its name, the amounts of its own rows, and the sections inside of it."""

    name: str
    amounts: list[Decimal]
    inside: list[Tree] = field(default_factory=list)

    @property
    def sum(self) -> Decimal:
        return sum([*self.amounts, *(each.sum for each in self.inside)], Decimal(0))

    def rows(self) -> Iterator[tuple[str, str, Decimal | None]]:
        """What, label or path, and amount of each of its rows in the report's order."""
        yield "section", self.name, None
        for amount in self.amounts:
            yield "detail", self.name, amount
        for each in self.inside:
            for what, name, amount in each.rows():
                yield what, f"{self.name}:{name}" if what == "detail" else name, amount
        yield "total", self.name, self.sum


def trees(depth: int = 2) -> st.SearchStrategy[Tree]:
    amounts = st.lists(st.decimals(-(10**7), 10**7, places=2), min_size=1, max_size=4)
    inner = st.just([]) if depth == 0 else st.lists(trees(depth - 1), max_size=2, unique_by=lambda tree: tree.name)
    return st.builds(Tree, st.sampled_from(NAMES), amounts, inner)


def written(sections: list[Tree], layout: str, wording: str) -> str:
    header = LAYOUTS[layout]
    rows: list[list[str]] = [list(header)]
    kind = "transaction_type" if "Transaction Type" in header else "type"
    for tree in sections:
        for number, (what, label, amount) in enumerate(tree.rows()):
            if what == "section":
                rows.append(row_of(header, label))
            elif what == "total":
                rows.append(row_of(header, f"{wording} {label}", amount=f"${amount:,}"))
            else:
                cells = {kind: "Invoice", "date": f"01/{number % 28 + 1:02}/2025", "amount": str(amount)}
                rows.append(row_of(header, **cells))
    rows.append(row_of(header, "TOTAL", amount=f"{sum((tree.sum for tree in sections), Decimal(0))}"))
    return (SALES if layout == "online" else "") + text_of(rows, quoted=layout == "quoted")


@given(
    sections=st.lists(trees(), min_size=1, max_size=4),
    layout=st.sampled_from(sorted(LAYOUTS)),
    wording=st.sampled_from(["Total", "Total for"]),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_report_made_at_random_is_read_back_exactly(sections: list[Tree], layout: str, wording: str) -> None:
    expected = [(path, amount) for tree in sections for what, path, amount in tree.rows() if what == "detail"]
    totals = sum(1 for tree in sections for what, _, _ in tree.rows() if what == "total") + 1
    found = read_report(written(sections, layout, wording))
    amounts = [Decimal(amount or "nan") for amount in found.column("amount")]
    assert list(zip(found.column("section"), amounts, strict=True)) == expected
    assert found.sum_of("amount") == sum((tree.sum for tree in sections), Decimal(0))
    assert found.tally.totals_checked == totals
    assert found.tally.read == found.structural + found.tally.accepted
    assert found.part.is_complete


@given(sections=st.lists(trees(1), min_size=1, max_size=3), layout=st.sampled_from(sorted(LAYOUTS)), data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_record_can_be_lost_without_a_refusal(sections: list[Tree], layout: str, data: st.DataObject) -> None:
    lines = written(sections, layout, "Total for").splitlines(keepends=True)
    details = [place for place, line in enumerate(lines) if "Invoice" in line and _amount_on(line)]
    assume(details)
    place = data.draw(st.sampled_from(details))
    removed = "".join(line for number, line in enumerate(lines) if number != place)
    with pytest.raises(Refusal, match="don't agree with its rows"):
        read_whole(open_report(removed))


def _amount_on(line: str) -> Decimal:
    found = [cell.strip('"') for cell in line.strip().split(",") if "." in cell]
    return Decimal(found[-1])


def _reports(corpus: Path) -> list[Path]:
    found = sorted([*corpus.glob("qbo/*.csv"), *corpus.glob("desktop/*")])
    return [file for file in found if file.stat().st_size < 100_000]


def _read_or_refuse(data: bytes, name: str, order: DateOrder) -> None:
    try:
        found = read_whole(open_part(lambda: io.BytesIO(data), name, order).on(ANY_DAY))
    except Refusal:
        return
    assert found.tally.read == found.structural + found.tally.accepted + found.tally.rejected


@pytest.mark.parametrize("seed", range(8))
def test_no_damage_raises_anything_but_a_refusal(corpus: Path, seed: int) -> None:
    dice = random.Random(seed)
    for file in _reports(corpus):
        whole = file.read_bytes()
        for _ in range(12):
            data = bytearray(whole[: dice.randrange(1, len(whole) + 1)] if dice.random() < 0.4 else whole)
            for _ in range(dice.randrange(0, 12)):
                place = dice.randrange(len(data))
                data[place : place + dice.randrange(3)] = dice.choice(
                    [b",", b'"', b"\n", b"", b"Total ", b"\x00", b"\xe9", b"9", b"TOTAL", b"-", b"Total for ", b" "]
                )
            order = dice.choice(list(DateOrder))
            _read_or_refuse(bytes(data), file.name, order)


@pytest.mark.parametrize("seed", range(4))
def test_rows_and_cells_in_disorder_raise_nothing_but_a_refusal(corpus: Path, seed: int) -> None:
    dice = random.Random(seed)
    for file in _reports(corpus):
        lines = file.read_bytes().splitlines(keepends=True)
        for _ in range(6):
            shuffled = lines[:]
            for _ in range(dice.randrange(1, 6)):
                one, other = dice.randrange(len(shuffled)), dice.randrange(len(shuffled))
                shuffled[one], shuffled[other] = shuffled[other], shuffled[one]
            if dice.random() < 0.5:
                del shuffled[dice.randrange(len(shuffled))]
            _read_or_refuse(b"".join(shuffled), file.name, DateOrder.MDY)
