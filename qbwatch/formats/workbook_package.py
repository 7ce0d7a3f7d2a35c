"""The package that an .xlsx or .ods file is: a zip of XML parts, opened with limits.

A workbook comes from outside. What it unpacks to is bounded in sum and in ratio before any of it is unpacked; no part
may declare a document type, so there are no entities to expand; nothing outside of the package is ever followed.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO
from xml.parsers import expat

from qbwatch.formats.refusal import Refusal
from qbwatch.formats.workbook_cells import PLAIN, Shown, shown_by

MOST_UNPACKED = 1 << 30  # bytes of all parts together
_MOST_PARTS = 5000
_RATIO_FROM = 16 << 20  # bytes; small parts may be as regular as they like
_MOST_RATIO = 250
_CHUNK = 1 << 18

Attributes = dict[str, str]


def damaged(what: str) -> Refusal:
    """The package or one of its parts can't be read."""
    return Refusal(
        "damaged_workbook", f"the workbook is damaged: {what}", "open it in Excel and save it again, or export it again"
    )


@contextmanager
def opened(stream: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """A package within the limits. Raises `Refusal`."""
    try:
        with zipfile.ZipFile(stream) as package:
            _check_limits(package.infolist())
            yield package
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise damaged(str(error)) from None
    except RuntimeError as error:  # zipfile's word for an encrypted part
        if "encrypted" not in str(error):
            raise
        raise protected() from None


def protected() -> Refusal:
    """A password is needed to read it."""
    return Refusal(
        "password_protected",
        "the workbook is protected with a password",
        "save it without a password, or export it again",
    )


def _check_limits(parts: list[zipfile.ZipInfo]) -> None:
    hint = "split it into smaller exports, or save it as CSV"
    if len(parts) > _MOST_PARTS:
        raise Refusal("workbook_too_large", f"the workbook is a zip of {len(parts):,} parts", hint)
    if (size := sum(part.file_size for part in parts)) > MOST_UNPACKED:
        told = f"the workbook unpacks to {size >> 20:,} MB; the most is {MOST_UNPACKED >> 20:,} MB"
        raise Refusal("workbook_too_large", told, hint)
    for part in parts:
        if part.header_offset < 0:  # zipfile would look for it before the file's beginning
            raise damaged(f"its part {part.filename!r} can't be where it is said to be")
        if part.file_size > _RATIO_FROM and part.file_size > _MOST_RATIO * max(part.compress_size, 1):
            told = (
                f"its part {part.filename!r} unpacks to {part.file_size // max(part.compress_size, 1):,} times its size"
            )
            raise Refusal("zip_bomb", told, "no export is packed like that: export it again")


def parse(
    stream: BinaryIO,
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Push a part through the handlers, piece by piece. Raises `Refusal` for what is no XML, or no plain XML."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    if end:
        parser.EndElementHandler = end
    if text:
        parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk)
            yield
        parser.Parse(b"", True)
        yield
    except expat.ExpatError as error:
        raise damaged(f"no proper XML ({error})") from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise damaged(str(error)) from None


def _refuse_doctype(*_: object) -> None:
    raise Refusal(
        "entity_bomb", "the workbook declares a document type, which no spreadsheet program writes", "export it again"
    )


def local(name: str) -> str:
    """An element's name without its prefix."""
    return name.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class SheetPart:
    """A sheet as the workbook lists it; ``part`` is the name of its part, None when the package lacks it."""

    name: str
    part: str | None
    hidden: str | None


@dataclass(slots=True)
class Book:
    """What the workbook's own part, its relationships and its styles say."""

    sheets: list[SheetPart] = field(default_factory=list)
    is_1904: bool = False
    strings: str | None = None
    styles: list[Shown] = field(default_factory=list)

    def shown(self, style: str | None) -> Shown:
        """How cells of a style show their number."""
        if style is None:
            return self.styles[0] if self.styles else PLAIN
        index = int(style)
        return self.styles[index] if index < len(self.styles) else PLAIN


def read_book(package: zipfile.ZipFile) -> Book:
    """The list of sheets and what is needed to read them. Raises `Refusal` when this is no .xlsx."""
    names = {name.lower().lstrip("/"): name for name in package.namelist()}
    main = _main_part(package, names)
    relations = _relations(package, names, main)
    book = Book()

    def start(tag: str, attributes: Attributes) -> None:
        tag = local(tag)
        if tag == "workbookPr":
            book.is_1904 = attributes.get("date1904") in ("1", "true", "on")
        elif tag == "sheet":
            relation = next((value for key, value in attributes.items() if local(key) == "id" and ":" in key), "")
            kind, target = relations.get(relation, ("", ""))
            hidden = "it is hidden" if attributes.get("state", "visible") != "visible" else None
            part = names.get(target.lower())
            if kind and kind != "worksheet":
                hidden, part = f"it is a {kind.removesuffix('sheet') or 'special'} sheet", None
            book.sheets.append(SheetPart(attributes.get("name", ""), part, hidden))

    _read(package, main, start)
    by_kind = {kind: names.get(target.lower()) for kind, target in relations.values()}
    book.strings = by_kind.get("sharedStrings")
    if styles := by_kind.get("styles"):
        book.styles = _styles(package, styles)
    return book


def _read(package: zipfile.ZipFile, part: str, start: Callable[[str, Attributes], None]) -> None:
    with package.open(part) as stream:
        for _ in parse(stream, start):  # type: ignore[arg-type]
            pass


def _main_part(package: zipfile.ZipFile, names: dict[str, str]) -> str:
    for kind, target in _relations(package, names, "").values():
        if kind == "officeDocument" and target.lower() in names:
            return names[target.lower()]
    if "xl/workbook.xml" in names:
        return names["xl/workbook.xml"]
    raise Refusal("zip_archive", "it is a zip archive, and no workbook", "unpack it and drop the exports themselves")


def _relations(package: zipfile.ZipFile, names: dict[str, str], of: str) -> dict[str, tuple[str, str]]:
    """The kind and the target of each relationship of a part, by its id; those that lead outside are left out."""
    path = PurePosixPath(of)
    relations = names.get(str(path.parent / "_rels" / f"{path.name}.rels").lower())
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attributes: Attributes) -> None:
        if local(tag) == "Relationship" and attributes.get("TargetMode") != "External":
            target = attributes.get("Target", "")
            whole = target.lstrip("/") if target.startswith("/") else str(path.parent / target)
            found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], whole)

    if relations is not None:
        _read(package, relations, start)
    return found


def _styles(package: zipfile.ZipFile, part: str) -> list[Shown]:
    codes: dict[int, str] = {}
    styles: list[Shown] = []
    within: list[str] = []

    def start(tag: str, attributes: Attributes) -> None:
        tag = local(tag)
        within.append(tag)
        if tag == "numFmt" and "numFmts" in within:
            codes[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
        elif tag == "xf" and "cellXfs" in within:
            number = int(attributes.get("numFmtId", 0))
            styles.append(shown_by(number, codes.get(number)))

    with package.open(part) as stream:
        for _ in parse(stream, start, lambda _: within.pop() and None):  # type: ignore[arg-type]
            pass
    return styles
