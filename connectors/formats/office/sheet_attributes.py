"""What a sheet of a workbook tells who works with it: prompts and errors of validations, tips of links.

Sheets may have millions of cells, so they are searched as bytes and no tree is made of them.
"""

import re
from collections.abc import Iterator
from functools import partial
from html import unescape

from connectors.formats.coding import coded_of
from connectors.formats.merging import Encode
from connectors.formats.office.workbook import underscored, unescaped
from connectors.formats.splicing import Found
from connectors.formats.xml_tree import attribute_escaped

_ELEMENT = re.compile(rb"<(?:\w+:)?(dataValidation|hyperlink)(?=\s)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_ATTRIBUTE = re.compile(rb"\s(promptTitle|prompt|errorTitle|error|tooltip)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_CELLS = re.compile(rb"\s(?:sqref|ref)=[\"']([^\"']{1,100})")
# Excel takes a file with longer ones for damaged.
_LONGEST = {"promptTitle": 32, "errorTitle": 32}
_USUALLY_LONGEST = 255


def may_have_attributes(data: bytes) -> bool:
    """Tell whether a sheet may have any; quickly, and without a copy of it."""
    return b"dataValidation" in data or b"tooltip" in data


def sheet_attributes(data: bytes, part: str, sheet: str) -> Iterator[Found]:
    """Find the units in the attributes of a sheet, which is UTF-8."""
    for element in _ELEMENT.finditer(data):
        cells = _CELLS.search(element[0])
        place = f"{sheet}!{cells[1].decode('utf-8', 'replace')}" if cells else sheet
        for found in _ATTRIBUTE.finditer(data, *element.span()):
            yield from _attribute(found, part, place)


def _attribute(found: re.Match[bytes], part: str, place: str) -> Iterator[Found]:
    name = found[1].decode()
    group = 2 if found[2] is not None else 3
    coded = coded_of(unescaped(unescape(found[group].decode("utf-8", "replace"))))
    if coded and any(map(str.isalpha, coded.text)):
        longest = _LONGEST.get(name, _USUALLY_LONGEST)
        yield Found(*found.span(group), coded, f"{name} at {place}", str(longest), longest, part)


def encoder_of(name: str) -> Encode:
    """Return how a text is written that may be as long as the name of its encoder says."""
    return partial(_written, int(name))


def _written(longest: int, text: str) -> str:
    return attribute_escaped(underscored(_cut(text, longest))).replace("&#13;", "_x000D_")


def _cut(text: str, longest: int) -> str:
    """Cut what is too long, as Excel counts."""
    counted = text.encode("utf-16-le", "replace")
    if len(counted) <= 2 * longest:
        return text
    return counted[: 2 * (longest - 1)].decode("utf-16-le", "ignore").rstrip() + "…"
