"""Documents of a few lines for the tests of filters, and what filters say of them."""

import io
import zipfile
from collections.abc import Mapping

from connectors.formats.protocol import Extraction, Options
from connectors.formats.registry import extract, filter_of
from schemas.coded_text import CLOSING, CODE, ISOLATED, number_of

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_TYPES = "application/vnd.openxmlformats-officedocument.wordprocessingml"


def shown(text: str) -> str:
    """Show codes as `<1`, `1>` and `[1]`."""
    return CODE.sub(lambda code: _code(code[0]), text)


def _code(code: str) -> str:
    number = number_of(code)
    if ord(code) < CLOSING:
        return f"<{number}"
    return f"{number}>" if ord(code) < ISOLATED else f"[{number}]"


def options(target: str = "pt-BR", **settings: str) -> Options:
    """Return options with these settings of the filter."""
    return Options("en", target, settings)


def extracted(name: str, data: bytes, **settings: str) -> Extraction:
    """Extract a file of this name."""
    return extract(io.BytesIO(data), name, "", options(**settings)).extraction


def texts(name: str, data: bytes, **settings: str) -> list[str]:
    """Return the units as they are shown."""
    return [shown(unit.text) for unit in extracted(name, data, **settings).units]


def translated(name: str, data: bytes, *units: str, target: str = "pt-BR", **settings: str) -> bytes:
    """Merge units in place of the file's; without any, its own in capitals."""
    chosen = options(target, **settings)
    found = extract(io.BytesIO(data), name, "", chosen)
    output = io.BytesIO()
    words = list(units) or [unit.text.upper() for unit in found.extraction.units]
    filter_of(found.format).merge(io.BytesIO(data), found.extraction.skeleton, words, output, chosen)
    return output.getvalue()


def package(parts: Mapping[str, str | bytes]) -> bytes:
    """Make an archive of these parts."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return output.getvalue()


def word(body: str, **parts: str) -> bytes:
    """Make a Word document of the content of its body."""
    return package(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/word/document.xml" ContentType="{_TYPES}.document.main+xml"/></Types>',
            "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
            **parts,
        }
    )


def body_of(data: bytes) -> str:
    """Return the content of the body of a Word document."""
    document = zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml").decode()
    return document.partition("<w:body>")[2].partition("</w:body>")[0]
