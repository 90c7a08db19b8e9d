"""Plain text: a unit is a block of lines between blank ones, or up to a form feed. What stands between stays."""

import re
from collections.abc import Iterator

from connectors.formats.coding import coded_of
from connectors.formats.flat import FlatFilter
from connectors.formats.protocol import Options
from connectors.formats.splicing import Found

_LINE = re.compile(r"[^\r\n\f]*(?:\r\n|\n|\r|\f|\Z)")
_ENDS = "\r\n\f"


def blocks(text: str, _options: Options) -> Iterator[Found]:
    """Find the blocks of a text."""
    start = end = first = 0
    number = 1
    for line in _LINE.finditer(text):
        content = line[0].rstrip(_ENDS)
        if content.strip():
            start, first = (start, first) if end else (line.start(), number)
            end = line.start() + len(content)
        # A page that ends parts what stands on it from the next one.
        if end and (not content.strip() or line[0].endswith("\f")):
            yield from _found(text, start, end, first)
            end = 0
        number += not line[0].endswith("\f")
    if end:
        yield from _found(text, start, end, first)


def _found(text: str, start: int, end: int, line: int) -> Iterator[Found]:
    coded = coded_of(text[start:end])
    if coded:
        yield Found(start, end, coded, f"line {line}")


TXT = FlatFilter(frozenset({"text/plain"}), "2", blocks)
