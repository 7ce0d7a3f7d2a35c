"""Invoice exports of any size, the same in every run: 24 columns in the exporter's notation, some 220 bytes a line."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

HEADER = (
    "S.No,Trans #,Invoice No,Customer,Invoice Date,Due Date,Terms,Status,Memo,Currency,Exchange Rate,Product/Service,"
    "Product/Service Description,Product/Service Quantity,Product/Service Rate,Product/Service  Amount,"
    "Product/Service Sales Tax,Total Tax,Tax Persentage,Total Amount,Print Later,Billing Address City,Created Date,"
    "QuickBooks Internal Id"
)
_FIRST_DAY = date(2023, 1, 1)
_LINES_AT_MOST = 8  # of an invoice
_NAMES = [
    f"{first} {second} {kind}"
    for first in ("Acme", "Coldharbour", "Eider", "Rowan", "Skerry")
    for second in ("Wharf", "Guild", "Works", "Tea")
    for kind in ("LLC", "plc", "Söhne", "& Co", "Inc, Ltd")
]


def invoice_lines(lines: int, *, seed: int = 1, changed_documents: float = 0.0, first: int = 1) -> bytes:
    """An export of so many lines; a share of its documents differs from those of the same seed without changes.

    ``first`` is the number of the first document, so that several exports hold different ones.
    """
    written = [HEADER, *_rows(lines, random.Random(seed), random.Random(seed + 1), changed_documents, first)]
    return "\r\n".join(written).encode() + b"\r\n"


def _rows(lines: int, chance: random.Random, change: random.Random, share: float, first: int) -> Iterator[str]:
    written, number = 0, first - 1
    while written < lines:
        number += 1
        is_changed = change.random() < share
        for row in _document(number, chance, is_changed=is_changed)[: lines - written]:
            written += 1
            yield f"{written},{row}"


def _document(number: int, chance: random.Random, *, is_changed: bool) -> list[str]:
    day = _FIRST_DAY + timedelta(days=number // 400)
    taxed = chance.random() < 0.4
    chosen = [(chance.randrange(400), chance.randrange(1, 40), chance.randrange(100, 9999))
              for _ in range(chance.randint(1, _LINES_AT_MOST))]  # fmt: skip
    total = sum(quantity * price for _, quantity, price in chosen)
    before = (
        f"{_quoted(f'{number:,}')},INV-{number:06},{_quoted(_NAMES[number % len(_NAMES)])},{_day(day)},"
        f"{_day(day + timedelta(days=30))},Net 30,{'Paid' if number % 3 else 'Open'},"
        f"{'Changed since' if is_changed else '' if number % 4 else 'Thank you for your business'},US Dollar,1"
    )
    after = (
        f"{'Tax' if taxed else 'Non'},{_money(total * 6625 // 100_000 if taxed else 0)},{'6.625%' if taxed else ''},"
        f"{_money(total)},false,Copperleaf,{_day(day)},{0x20000 + number:X}-{1_700_000_000 + number}"
    )
    return [
        f"{before},P{item:04},{_quoted(_description(item))},{quantity},{_money(price)},{_money(quantity * price)},"
        + after
        for item, quantity, price in chosen
    ]


def _description(item: int) -> str:
    return f"Loose leaf tea no. {item}, 250 g tin" if item % 5 == 0 else f"Loose leaf tea number {item} in a tin"


def _day(day: date) -> str:
    return day.strftime("%m-%d-%Y")


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"


def _quoted(text: str) -> str:
    return f'"{text}"' if "," in text else text
