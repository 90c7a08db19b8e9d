"""What a workbook says about its cells: where each shared text stands, and which texts something else names.

Sheets may have millions of cells, so they are searched as bytes and no tree is made of them.
"""

import re
from html import unescape

from connectors.formats.office.parts import by_content_type, related
from connectors.formats.packages import Package
from connectors.formats.xml_tree import escaped

_CELL = re.compile(
    rb"<(?:\w+:)?c\s([^<>]*\bt=[\"']s[\"'][^<>]*)>\s*(?:<(?:\w+:)?f[^<>]*/>)?\s*<(?:\w+:)?v>(\d{1,9})<"
)
_REFERENCE = re.compile(rb"\br=[\"']([A-Z]+\d+)")
_FORMULA = re.compile(rb"<(?:\w+:)?(?:f|formula|formula1|formula2|definedName)(?:\s[^<>]*)?>([^<]+)<")
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
# Names that a text of a cell must go on having: columns of tables and of pivots, criteria of filters.
_NAMES = re.compile(
    rb"<(?:\w+:)?(?:tableColumn|cacheField|filter|s)\s[^<>]*\b(?:name|val|v)=(?:\"([^\"]*)\"|'([^']*)')"
)
_NAMING = re.compile(r"spreadsheetml\.(?:table|pivotCacheDefinition)")
# How workbooks write a return, and an underscore that would begin such an escape.
_ESCAPE = re.compile(r"_x(000[9AD]|00[2-9A-F][\dA-F])_", re.IGNORECASE)
_SHEETS = re.compile(r"spreadsheetml\.worksheet")


def unescaped(text: str) -> str:
    """Read the escapes of workbooks; those of what XML does not allow stay."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)


def underscored(text: str) -> str:
    """Write an underscore that would begin an escape of workbooks as one."""
    return re.sub(f"(?={_ESCAPE.pattern})_", "_x005F_", text, flags=re.IGNORECASE)


def cell_escaped(text: str) -> str:
    """Write a text of a cell or a comment."""
    return "_x000D_".join(map(escaped, underscored(text).split("\r")))


class Workbook:
    """`sheets`: the name of each sheet by its part. `named`: texts that must stay as they are."""

    def __init__(self, package: Package, main: str) -> None:
        self.sheets = _sheets(package, main)
        self.named: set[str] = set()
        self._places: dict[int, str] = {}
        for part, name in self.sheets.items():
            self._read_sheet(package.read(part), name)
        for part in (main, *by_content_type(package, _NAMING)):
            self._read_names(package.read(part))

    def place_of(self, shared: int) -> str:
        """Return the first cell with a shared text, such as `Sheet1!B7`."""
        return self._places.get(shared, f"text {shared}")

    def _read_sheet(self, data: bytes, name: str) -> None:
        for cell in _CELL.finditer(data):
            reference = _REFERENCE.search(cell[1])
            if reference:
                self._places.setdefault(int(cell[2]), f"{name}!{reference[1].decode()}")
        self._read_names(data)

    def _read_names(self, data: bytes) -> None:
        for formula in _FORMULA.finditer(data):
            for quoted in _QUOTED.finditer(unescape(formula[1].decode("utf-8", "replace"))):
                text = quoted[1].replace('""', '"')
                # A validation lists its values in one quotation.
                self.named.update(piece.strip() for piece in (text, *text.split(",")))
        for found in _NAMES.finditer(data):
            value = unescape((found[1] or found[2] or b"").decode("utf-8", "replace"))
            self.named.add(unescaped(value).strip())
        self.named.discard("")


def _sheets(package: Package, main: str) -> dict[str, str]:
    relations = related(package, main)
    names = {
        relations.get(element.attributes.get("r:id", ""), ""): element.attributes.get("name", "")
        for element in package.xml(main).root.walk()
        if element.name == "s:sheet"
    }
    return {part: names.get(part, part.rpartition("/")[2]) for part in by_content_type(package, _SHEETS)}
