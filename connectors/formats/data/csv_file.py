"""CSV and TSV: a unit is a cell. Separator, quotation and line ends stay as they are."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from connectors.formats.coding import coded_of
from connectors.formats.data.paths import has_letters
from connectors.formats.flat import FlatFilter
from connectors.formats.merging import Encode
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found
from schemas.errors import PermanentError

# The likeliest first: commas stand in prose and in numbers, too.
SEPARATORS = ("\t", ";", "|", ",")
# Lines that tell which separator it is.
_PROBED = 50
# The line by which Excel is told the separator; it is no row.
_DECLARED = re.compile(r"sep=([^\r\n])(?:\r\n|\n|\r|\Z)", re.IGNORECASE)


class Cell(NamedTuple):
    """A field: its span in the file, its value, and where it stands (row and column from 1)."""

    start: int
    end: int
    value: str
    is_quoted: bool
    row: int
    column: int


def cells(text: str, separator: str, at: int = 0) -> Iterator[Cell]:
    """Yield the fields from `at` on. Raises PermanentError: `malformed_document` where a quotation has no end."""
    bare = re.escape(separator)
    field = re.compile(rf'"((?:[^"]|"")*)"(?={bare}|[\r\n]|\Z)|[^{bare}\r\n]*')
    row, column = 1, 1
    while at < len(text):
        one = field.match(text, at)
        assert one
        if one[1] is None and one[0].startswith('"') and one[0].count('"') % 2:
            raise malformed(f"row {row}, column {column}: a quotation has no end, or text behind it")
        value = one[0] if one[1] is None else one[1].replace('""', '"')
        yield Cell(one.start(), one.end(), value, one[1] is not None, row, column)
        at = one.end()
        row, column = (row, column + 1) if text[at : at + 1] == separator else (row + 1, 1)
        at += 2 if text.startswith("\r\n", at) else 1


def separator_of(text: str) -> str:
    """Choose the separator that most of the first lines have equally often; a comma where none has any."""
    bare = re.sub(r'"[^"]*"', "", text[:100_000])
    lines = [line for line in bare.splitlines()[:_PROBED] if line.strip()]
    even = {separator: _even_lines(separator, lines) for separator in SEPARATORS}
    return max(even, key=lambda separator: even[separator]) if any(even.values()) else ","


def _even_lines(separator: str, lines: list[str]) -> int:
    counted = Counter(line.count(separator) for line in lines)
    return max((counted[number] for number in counted if number), default=0)


def table(text: str, options: Options) -> Iterator[Found]:
    """Find the cells of a file; `columns` (from 1, or names) and `header` ("keep") narrow them."""
    declared = _DECLARED.match(text)
    separator = declared[1] if declared else separator_of(text)
    wanted: set[int] | None = None
    names: dict[str, int] = {}
    for cell in cells(text, separator, declared.end() if declared else 0):
        if cell.row == 1:
            names[cell.value.strip()] = cell.column
        elif wanted is None:
            wanted = _columns(options, names)
        if _is_text(cell, options) and (cell.row == 1 or not wanted or cell.column in wanted):
            coded = coded_of(cell.value)
            if coded:
                kind = "quoted" if cell.is_quoted else separator
                start, end = (cell.start + 1, cell.end - 1) if cell.is_quoted else (cell.start, cell.end)
                yield Found(start, end, coded, f"row {cell.row}, column {cell.column}", kind)


def _is_text(cell: Cell, options: Options) -> bool:
    is_kept_header = cell.row == 1 and options.settings.get("header") == "keep"
    return has_letters(cell.value) and not cell.value.startswith("=") and not is_kept_header


def _columns(options: Options, names: dict[str, int]) -> set[int]:
    asked = [name.strip() for name in options.settings.get("columns", "").split(",") if name.strip()]
    unknown = [name for name in asked if not name.isdecimal() and name not in names]
    if unknown:
        raise PermanentError(
            "unknown_column",
            f"the table has no column {unknown[0]}",
            field="filter_options.columns",
            limit=", ".join(names),
            cure="name columns of the first row, or their numbers from 1",
        )
    return {int(name) if name.isdecimal() else names[name] for name in asked}


def _quoted(text: str) -> str:
    return text.replace('"', '""')


def _bare(separator: str, text: str) -> str:
    # Any separator, so that readers who guess which one it is are not led astray.
    return f'"{_quoted(text)}"' if any(sign in text for sign in (separator, *SEPARATORS, *'"\r\n')) else text


def _encoder(name: str) -> Encode:
    return _quoted if name == "quoted" else partial(_bare, name)


CSV = FlatFilter(
    frozenset({"text/csv", "text/tab-separated-values"}),
    "2",
    table,
    _encoder,
)
