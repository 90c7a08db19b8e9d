"""Find the columns of a line: what tabs or wide gaps part, as in tables and in lists of options. Pure.

The cells of a row are no sentence together, and a segment keeps no tab and no run of spaces: cut there, they stand
between segments and come back as they were.
"""

import re
from collections.abc import Iterator

# People who type with two spaces do so between words too, but hardly with three.
_GAP = re.compile(r"(?<=\S)(?:\t[ \t]*| {3,}\t*| +\t[ \t]*)(?=\S)")
# Behind an option two are enough: `-v, --verbose  print more`.
_OPTION_GAP = re.compile(r"^[ \t]*-{1,2}\w\S*(?: \S+){0,3}( {2,})(?=\S)", re.MULTILINE)


def column_ends(text: str) -> Iterator[int]:
    """Yield the offset behind each gap between two columns."""
    if "\t" in text or "   " in text:
        yield from (found.end() for found in _GAP.finditer(text))
    if "-" in text and "  " in text:
        yield from (found.end(1) for found in _OPTION_GAP.finditer(text))
