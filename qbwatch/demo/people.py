"""The firm's customers: invented cafés, shops and hotels, some with branches."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import count, product
from random import Random

from qbwatch.demo.firm import TERMS, Address, Customer
from qbwatch.demo.words import (
    BRANCHES,
    CITIES,
    CUSTOMER_KINDS,
    FIRST_NAMES,
    FOREIGN_CUSTOMERS,
    LAST_NAMES,
    NOTES,
    PLACES,
    REPS,
    STREETS,
    TRADES,
)

BRANCH_EVERY = 9


def customer_names(rng: Random) -> Iterator[str]:
    """Names without end and without repetition; every ninth is a branch of the one before it."""
    combined = [f"{place} {trade}" for place, trade in product(PLACES, TRADES)]
    rng.shuffle(combined)
    parent = ""
    for position, name in enumerate(_numbered((*FOREIGN_CUSTOMERS, *combined)), start=1):
        parent = parent or name
        if position % BRANCH_EVERY == 0:
            yield f"{parent}:{BRANCHES[position // BRANCH_EVERY % len(BRANCHES)]}"
        parent = name
        yield name


def _numbered(names: tuple[str, ...]) -> Iterator[str]:
    yield from names
    for number in count(2):
        for name in names:
            yield f"{name} No. {number}"


def make_customer(rng: Random, name: str, list_id: str, created: date) -> Customer:
    """A customer of that name with an invented person, address and conditions."""
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    domain = f"{_slug(name.partition(':')[0])}.example"
    billing = _address(rng, name)
    return Customer(
        id=list_id,
        name=name,
        first_name=first,
        last_name=last,
        email=_emails(rng, f"{_slug(first)}.{_slug(last)}", domain),
        phone=f"(908) 555-01{rng.randrange(100):02d}",
        kind=rng.choice(CUSTOMER_KINDS),
        terms=rng.choice(tuple(TERMS)),
        rep=rng.choice(REPS),
        account_number=f"{rng.randrange(100, 99999):06d}",
        credit_limit=rng.choice((None, Decimal("2500.00"), Decimal("12500.00"))),
        taxed=billing.state == "NJ" and rng.random() < 0.7,
        billing=billing,
        shipping=billing if rng.random() < 0.8 else _address(rng, name),
        notes=rng.choice(NOTES) if rng.random() < 0.08 else "",
        created=created,
        modified=created,
    )


def _emails(rng: Random, person: str, domain: str) -> str:
    mail = f"{person}@{domain}"
    return f"{mail}; accounts@{domain}" if rng.random() < 0.15 else mail


def _address(rng: Random, name: str) -> Address:
    city, state, digits = rng.choice(CITIES)
    street = f"{rng.randrange(1, 240)} {rng.choice(STREETS)}"
    entrance = ("Loading dock\nring twice",) if rng.random() < 0.06 else ()
    return Address(
        lines=(name.partition(":")[0], street, *entrance),
        city=city,
        state=state,
        postal_code=f"{digits}{rng.randrange(100):02d}",
        country=rng.choice(("USA", "")),
    )


def _slug(text: str) -> str:
    """The text as a domain or mailbox spells it: plain lower-case letters and digits, joined by hyphens."""
    plain = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("Ø", "O")).encode("ascii", "ignore").decode()
    return "-".join("".join(sign if sign.isalnum() else " " for sign in plain.lower()).split())
