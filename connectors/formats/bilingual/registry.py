"""Every kind of bilingual file: what it is asked for by, its ending, its media type, and what writes it."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from connectors.formats.bilingual.pairs import Bilingual, Write
from connectors.formats.bilingual.tables import comma_separated, html
from connectors.formats.bilingual.tool_files import tmx, xliff


class Kind(NamedTuple):
    """One kind of bilingual file."""

    ending: str
    media_type: str
    write: Write

    def named(self, document: Bilingual) -> str:
        """Name the file: `report.docx` becomes `report.en-pt-BR.xlf`."""
        stem = PurePosixPath(document.file_name).stem or "document"
        return f"{stem}.{document.source_language}-{document.target_language}.{self.ending}"


BILINGUAL: Mapping[str, Kind] = {
    "xliff": Kind("xlf", "application/xliff+xml", xliff),
    "tmx": Kind("tmx", "application/x-tmx+xml", tmx),
    "html": Kind("html", "text/html", html),
    "csv": Kind("csv", "text/csv", comma_separated),
}
