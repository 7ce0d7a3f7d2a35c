"""The firm's items: teas, teaware, and the rows of an invoice that are no products."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import count, islice
from random import Random

from qbwatch.demo.billing import DISCOUNT, SALES_TAX, SHIPPING, SUBTOTAL, TAX_PERCENT, in_cents, to_cents
from qbwatch.demo.firm import Item
from qbwatch.demo.words import PACKS, TEAS, WARE

TASTING = "Tasting Evening"


@dataclass(frozen=True, slots=True)
class _Blueprint:
    """An item before it has an id and a date."""

    name: str
    type: str
    subtype: str
    description: str = ""
    unit: str = ""
    price: Decimal | None = None
    cost: Decimal | None = None
    taxable: bool = True
    on_hand: int | None = None


_CHARGES: tuple[_Blueprint, ...] = (
    _Blueprint(SUBTOTAL, "Inventory", "ItemSubtotal"),
    _Blueprint(DISCOUNT, "OtherCharge", "ItemDiscount"),
    _Blueprint(SHIPPING, "OtherCharge", "ItemOtherCharge", "Parcel", price=Decimal("0.00"), taxable=False),
    _Blueprint(SALES_TAX, "NonInventory", "ItemSalesTax", f"Sales tax {TAX_PERCENT}%"),
    _Blueprint(TASTING, "Service", "ItemService", "Tasting, per guest", price=Decimal("35.00"), taxable=False),
    _Blueprint("Gift Wrapping", "OtherCharge", "ItemOtherCharge", "Wrapping", price=Decimal("2.50")),
)


def is_sold(item: Item) -> bool:
    """True for what a customer orders by the piece; the rest are charges that the firm adds."""
    return item.type == "Inventory" and item.price is not None


def make_items(rng: Random, how_many: int, list_id: Callable[[date], str], first: date) -> list[Item]:
    """The catalogue as it stood on its first day: the charges, the teaware, and teas up to the number asked for."""
    goods = islice(_goods(rng), max(how_many - len(_CHARGES), 1))
    return [_stocked(blueprint, list_id(first), first) for blueprint in (*_CHARGES, *goods)]


def make_novelty(rng: Random, list_id: str, on: date) -> Item:
    """A product launched while the story runs."""
    price = in_cents(rng.randrange(1200, 2400))
    novelty = _Blueprint(
        "SMK-T", "Inventory", "ItemInventory", 'Smoked plum, "winter" tin', "tin (tin)", price, to_cents(price / 2)
    )
    return _stocked(novelty, list_id, on)


def _goods(rng: Random) -> Iterator[_Blueprint]:
    """Teaware, then every tea in every pack, then the next lot of the same teas, without end."""
    for code, description in WARE:
        price = in_cents(rng.randrange(600, 9000))
        yield _good(rng, code, description, "each (ea)", price)
    for lot in count(1):
        for tea, name in TEAS:
            per_tin = in_cents(rng.randrange(550, 2200))
            for pack, size, unit, factor in PACKS:
                code = f"{tea}-{pack}" if lot == 1 else f"{tea}-{pack}{lot}"
                yield _good(rng, code, f"{name}, {size}", unit, to_cents(per_tin * factor))


def _good(rng: Random, code: str, description: str, unit: str, price: Decimal) -> _Blueprint:
    cost = to_cents(price * rng.randrange(40, 65) / 100)
    return _Blueprint(code, "Inventory", "ItemInventory", description, unit, price, cost, on_hand=rng.randrange(0, 400))


def _stocked(blueprint: _Blueprint, list_id: str, on: date) -> Item:
    return Item(
        id=list_id,
        name=blueprint.name,
        type=blueprint.type,
        subtype=blueprint.subtype,
        description=blueprint.description,
        unit=blueprint.unit,
        price=blueprint.price,
        cost=blueprint.cost,
        taxable=blueprint.taxable,
        on_hand=blueprint.on_hand,
        modified=on,
    )
