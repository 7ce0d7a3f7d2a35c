"""Names, days and numbers as the office reads them."""

from __future__ import annotations

import re
from datetime import date, datetime
from zoneinfo import ZoneInfo

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")  # strftime's depend on the machine's language
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MARTS = {
    "fct_orders": "Orders",
    "fct_order_line_items": "Order lines",
    "fct_customers": "Customers",
    "fct_products": "Products",
    "fct_companies": "Companies",
    "bridge_customer_company": "Customers by company",
    "fct_product_price_history": "Price history",
    "fct_receivables": "Receivables",
}
_LONGEST_NAME = 120  # characters of a file name; one may have 255


def is_mart(relation: str) -> bool:
    """Whether a relation of the status is a mart, and no dataset."""
    return "." not in relation


def title_of(relation: str | None) -> str:
    """A dataset or mart by the name it has in QuickBooks: ``quickbooks.sales_receipts`` → ``Sales receipts``."""
    if relation is None:
        return "Unknown"
    plain = relation.rpartition(".")[2].removeprefix("fct_").replace("_", " ")
    return _MARTS.get(relation, plain[:1].upper() + plain[1:])


def day(of: date) -> str:
    """``Tue, Nov 24``."""
    return f"{_DAYS[of.weekday()]}, {_MONTHS[of.month - 1]} {of.day}"


def day_and_year(of: date) -> str:
    """``Tue, Nov 24, 2026``."""
    return f"{day(of)}, {of.year}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """``Tue, Nov 24, 2026, 09:30``, on the office's clock."""
    local = at.astimezone(zone)
    return f"{day_and_year(local.date())}, {local:%H:%M}"


def short_moment(at: datetime, zone: ZoneInfo) -> str:
    """``Tue, Nov 24, 09:30``, on the office's clock."""
    local = at.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}"


def place_of(zone: ZoneInfo) -> str:
    """Whose clock it is: ``America/New_York`` → ``New York time``."""
    return zone.key.rpartition("/")[2].replace("_", " ") + ("" if zone.key in ("UTC", "Etc/UTC") else " time")


def counted(count: int, noun: str, plural: str = "") -> str:
    """``1 file``, ``2,345 files``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def file_name(name: str) -> str:
    """A shown name, cut in its middle where it is very long: its beginning says what it is, its end when."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[:half]}…{name[-half:]}"


def row_in(reason: str) -> int | None:
    """The row that the reason of a failure names first, if any."""
    found = re.search(r"\bline (\d{1,9})\b", reason)
    return int(found[1]) if found else None
