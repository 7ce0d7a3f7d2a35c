"""Which files hold no content where they claim to?"""

from __future__ import annotations

import pytest

from qbwatch.core.hollow import is_hollow

NULS = bytes(4096)
ROWS = b"a,b\r\n" * 500


@pytest.mark.parametrize("name", ["a.csv", "a.iif", "A.TXT", "a.xlsx", "a.xls"])
def test_a_file_of_nothing_but_nuls_is_hollow(name: str) -> None:
    assert is_hollow(name, [NULS, NULS])


def test_a_text_that_breaks_off_into_nuls_is_hollow_and_a_workbook_with_some_is_not() -> None:
    assert is_hollow("a.csv", [ROWS + NULS])
    assert is_hollow("a.csv ", [ROWS, NULS])
    assert not is_hollow("a.xls", [ROWS + NULS])


def test_a_small_text_whose_beginning_has_not_come_yet_is_hollow() -> None:
    assert is_hollow("a.csv", [bytes(100) + b"7,Acme\r\n"])


@pytest.mark.parametrize(
    "content", [ROWS, ROWS.decode().encode("utf-16"), "AĀ\U00010000".encode("utf-32"), ROWS + b"\0", b"\x1a"]
)
def test_a_text_is_not_hollow(content: bytes) -> None:
    assert not is_hollow("a.csv", [content])


def test_an_empty_file_is_empty_and_not_hollow() -> None:
    assert not is_hollow("a.csv", [])
