"""What leaves the house in a message: no customer's name, no amount, no cell of a file.

Messages go through other people's machines. Reasons quote cells (``'Acme'``), Postgres quotes values, and a file may be
called after a customer. So what is quoted is left out unless the word before it says that it is the name of a column,
sheet or the like; and whatever is known to be a customer's name is left out wherever it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Final

Redact = Callable[[str], str]

_COMMAND = re.compile(r"`[^`]*`|qbwatch [a-z]+(?: -[-\w]+| '[^'\n]*')*")
_QUOTED = re.compile(r"""(?P<word>\b\w+[ ,]{1,2})?(?<![\w])(?:'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")(?!\w)""")
_HARMLESS = frozenset(
    {"column", "sheet", "header", "dataset", "table", "relation", "model", "schema", "database", "role", "user",
     "order", "titled", "setting", "parameter", "constraint", "function", "type", "operator"}
)  # fmt: skip
_ROW = re.compile(r"(?<==)\((?:[^()\n]|\([^()\n]*\))*\)|(?<=row contains )\(.*\)")
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
_AMOUNT = re.compile(
    r"""(?x) (?<![\w.,-]) [-(]* (?:
        [$€£]\s?-?\d[\d,]*(?:\.\d+)?                    # with a sign of a currency
      | \d[\d,]*\.\d{2}                                 # with cents
      | \d{1,3}(?:,\d{3})+\.\d+                         # with thousands and decimals
      | \d[\d,]*(?:\.\d+)?(?=\ in\ the\ (?:file|table)) # a sum that is compared
    ) (?![\w.]|,\d) \)?"""
)
_SHORTEST_NAME = 4
# Customers who are called so would otherwise blot out what a message says.
_OWN_WORDS: Final = frozenset(
    {"account", "accounts", "bill", "bills", "cash", "check", "checks", "customer", "customers", "data", "file",
     "files", "invoice", "invoices", "item", "items", "order", "orders", "payment", "payments", "postgres", "qbwatch",
     "report", "reports", "sales", "services", "terms", "test", "vendor", "vendors"}
)  # fmt: skip


def redaction(customers: Collection[str] = ()) -> Redact:
    """A function that leaves out cells, amounts, addresses, and these names."""
    names = sorted({name.strip() for name in customers if _is_telling(name)}, key=len, reverse=True)
    lowered = [(name, name.lower()) for name in names]

    def redact(text: str) -> str:
        text = _without_names(text, lowered)
        found, position = "", 0
        for command in _COMMAND.finditer(text):  # what is to be typed stays as it is
            found += _without_values(text[position : command.start()]) + command[0]
            position = command.end()
        return found + _without_values(text[position:])

    return redact


def _is_telling(name: str) -> bool:
    name = name.strip()
    return len(name) >= _SHORTEST_NAME and not name.isdigit() and name.lower() not in _OWN_WORDS


def _without_names(text: str, names: Collection[tuple[str, str]]) -> str:
    lower = text.lower()
    for name, lowered in names:
        if lowered in lower:
            text = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", "[name]", text, flags=re.IGNORECASE)
    return text


def _without_values(text: str) -> str:
    text = _QUOTED.sub(_judge, text)
    text = _ROW.sub("([value])", text)
    return _AMOUNT.sub("[amount]", _ADDRESS.sub("[address]", text))


def _judge(found: re.Match[str]) -> str:
    word = found["word"] or ""
    return found[0] if word.strip(" ,").lower() in _HARMLESS else f"{word}[value]"
