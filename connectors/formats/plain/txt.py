"""Plain text: a unit is a block of lines between blank ones. What stands between blocks stays as it is."""

import re
from collections.abc import Iterator

from connectors.formats.coding import coded_of
from connectors.formats.flat import FlatFilter
from connectors.formats.protocol import Options
from connectors.formats.splicing import Found

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def blocks(text: str, _options: Options) -> Iterator[Found]:
    """Find the blocks of a text."""
    start = end = first = 0
    for number, line in enumerate(_LINE.finditer(text), 1):
        content = line[0].rstrip("\r\n")
        if content.strip():
            start, first = (start, first) if end else (line.start(), number)
            end = line.start() + len(content)
        elif end:
            yield from _found(text, start, end, first)
            end = 0
    if end:
        yield from _found(text, start, end, first)


def _found(text: str, start: int, end: int, line: int) -> Iterator[Found]:
    coded = coded_of(text[start:end])
    if coded:
        yield Found(start, end, coded, f"line {line}")


TXT = FlatFilter(frozenset({"text/plain"}), "1", blocks)
