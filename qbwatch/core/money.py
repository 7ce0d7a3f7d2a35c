"""What amount does this text state, to the last digit?

Exact decimals only: a float never appears. Every notation that QuickBooks, its exporters and spreadsheets are known
to write is read; whatever is ambiguous or merely accepted by Python's ``Decimal`` (``NaN``, ``1E5``, ``1_000``,
full-width digits) is refused by name, because a wrong amount that loads quietly is the worst outcome there is.

The decimal mark is a point, and the currency the company's own: a decimal comma or another currency's sign is refused
rather than guessed at, so amounts of two currencies are never summed. A currency stands in a column of its own.
"""

from __future__ import annotations

import re
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact

# Sums keep every digit; the default context would round them to 28.
EXACT = Context(prec=1_000_000, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])

_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_NUMBER = r"(?P<number>(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]*)?|\.[0-9]+)"
_NOTATION = re.compile(
    rf"(?P<lead>-)?\s*\$?\s*(?P<open>\()?\s*\$?\s*(?P<inner>-)?\s*{_NUMBER}\s*(?P<close>\))?(?P<trail>-)?"
)
_MINUS_SIGNS = str.maketrans({"−": "-", "‒": "-", "–": "-"})

# Why a text is no amount that may be read: the first pattern that fits says it.
_WHY = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (r"#{2,}", "a spreadsheet's column was too narrow to show it"),
        (r"#[A-Z/0]+[!?]?", "a spreadsheet's error"),
        (r"[$()\s-]+", "a sign without a number"),
        (r"[-+(]?s?nan\)?|[-+(]?inf(inity)?\)?", "no number"),
        (r"[-+($]*[0-9][0-9.,]*E[-+]?[0-9]+\)?", "a number that a spreadsheet rounded"),
        (r"[-+(]*[0-9]{1,3}(\.[0-9]{3})*,[0-9]{1,2}\)?-?(\s*[^\s0-9]+)?", "a decimal comma"),
        (r"[-+($]*[0-9.,]*,[0-9.,]*\)?-?", "commas that don't stand between thousands"),
        (r".*[€£¥₹₽₩¢].*", "another currency's sign"),
        (r"[-(]?[A-Z]{2,3}\s*[$]?\s*[-(]?[0-9].*|[-(]?[$]?[0-9][0-9.,]*\)?\s*[A-Z]{3}", "a currency's code"),
        (r".*[0-9]\s*[CD]R", "a sign in letters"),
        (r"[-+($]*[0-9][0-9.,]*(\s[0-9][0-9.,]*)+\)?-?", "blanks between its digits"),
        (r"=.*", "a formula"),
        (r".*%", "a percentage where an amount belongs"),
        (r".*[^\x00-\x7f].*", "letters or digits other than 0 to 9"),
    )
)


class NotAnAmount(ValueError):
    """The text is not an amount we may read; the message says why."""


def is_blank(text: str) -> bool:
    """True for an empty cell: nothing, or only white space (no-break spaces included)."""
    return not text or text.isspace()


def parse_amount(text: str) -> Decimal | None:
    """The exact amount that ``text`` states; None for a blank cell; a lone dash is how spreadsheets show zero.

    Reads ``-900.00``, ``(420.81)``, ``$-100.00``, ``-$100``, ``$(182.77)``, ``5.00-``, ``−5`` (U+2212), ``1,234.50``.
    Raises `NotAnAmount` for anything else, ``1.000,00``, ``12,34,5``, ``(-5)`` and ``1E5`` among them.
    """
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    if is_blank(text):
        return None
    cleaned = text.replace("\u00a0", " ").strip().translate(_MINUS_SIGNS)
    if cleaned == "-":
        return Decimal(0)
    match = _NOTATION.fullmatch(cleaned)
    if match is None:
        raise NotAnAmount(_why_none(cleaned))
    if bool(match["open"]) != bool(match["close"]):
        raise NotAnAmount("not an amount: a parenthesis without its partner")
    signs = [match["lead"], match["open"], match["inner"], match["trail"]]
    if sum(1 for sign in signs if sign) > 1:
        raise NotAnAmount("not an amount: more than one minus sign")
    amount = Decimal(match["number"].replace(",", "").rstrip("."))
    # Decimal's own minus would round to the 28 digits of the default context.
    return amount.copy_negate() if any(signs) and amount else amount


def is_amount(text: str) -> bool:
    """Whether a text states an amount; a blank states none."""
    try:
        return parse_amount(text) is not None
    except NotAnAmount:
        return False


def _why_none(text: str) -> str:
    shown = text[:100]  # a pattern is never run over a text without end
    why = next((why for pattern, why in _WHY if pattern.fullmatch(shown)), None)
    return f"not an amount: {why}" if why else "not an amount"


def parse_percent(text: str) -> Decimal | None:
    """The percentage that ``6.625%`` states (6.625), or None when the text has no percent sign."""
    stripped = text.strip()
    return parse_amount(stripped[:-1]) if stripped.endswith("%") and len(stripped) > 1 else None
