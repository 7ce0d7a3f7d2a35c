"""Labels of sections and totals: when are two of them the same, and what is the whole name of a nested one?"""

from __future__ import annotations

import re

_TOTAL = re.compile(r"total\b", re.IGNORECASE)
_WITH_SUB = re.compile(r"\s+with\s+sub-?\s?\w+$", re.IGNORECASE)
_ACCOUNT_NUMBER = re.compile(r"[0-9][0-9.-]*\s+(?:·\s+)?")
_CUT_AT = 20  # characters that must agree before one label may be the other, cut short
_OTHER = " - other"

OPENING = frozenset({"beginning balance", "opening balance", "balance forward", "balance brought forward"})


def same_blanks(label: str) -> str:
    """A label for comparing: no case, and runs of blanks as one."""
    return " ".join(label.replace("\u00a0", " ").split()).casefold()


def _letters(label: str) -> str:
    return "".join(letter for letter in label.casefold() if letter.isalnum())


def says_total(label: str) -> bool:
    """Whether a label begins as a total's does; a customer's name may too."""
    return _TOTAL.match(label) is not None


def says_total_for(label: str) -> bool:
    """Whether a label begins as only a total's does."""
    return same_blanks(label).startswith("total for ")


def is_grand_total(label: str) -> bool:
    """Whether a label is that of the whole report's total."""
    return same_blanks(label) in ("total", "grand total")


def totalled(label: str) -> tuple[str, ...]:
    """The labels whose total this one may be: ``Total for X`` is X's, or that of a section called "for X"."""
    rest = _WITH_SUB.sub("", label)[len("total") :].strip()
    return (rest[4:].strip(), rest) if rest.lower().startswith("for ") else (rest,)


def with_sub_accounts(label: str) -> bool:
    """Whether a total says that it includes sub-accounts; the section's own may have been printed before."""
    return _WITH_SUB.search(label) is not None


def is_same(section: str, total_of: tuple[str, ...]) -> bool:
    """Whether a section is what a total names, blanks and case aside."""
    return same_blanks(section) in map(same_blanks, total_of)


def is_alike(section: str, total_of: tuple[str, ...]) -> bool:
    """Whether it may be: punctuation aside, or one of them cut short as QuickBooks does with long labels."""
    one = _letters(section)
    for other in map(_letters, total_of):
        shorter, longer = sorted((one, other), key=len)
        if shorter == longer or (len(shorter) >= _CUT_AT and longer.startswith(shorter)):
            return True
    return False


def whole_name(parent: str | None, label: str) -> str:
    """The name of what a nested section is about, as QuickBooks' lists have it: ``Parent:Child``.

    A label that carries its parent's name already stands as it is, and ``Parent - Other`` is the parent itself.
    """
    if parent is None:
        return label
    leaf = parent.rsplit(":", 1)[-1]
    if same_blanks(label) in (same_blanks(leaf + _OTHER), same_blanks(parent + _OTHER)):
        return parent
    plain, above = _ACCOUNT_NUMBER.sub("", label, count=1), _ACCOUNT_NUMBER.sub("", parent, count=1)
    return label if plain.startswith(above + ":") or label.startswith(parent + ":") else f"{parent}:{label}"
