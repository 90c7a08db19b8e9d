"""Every format: its name, what it is called outside, and its filter; and the choice of a filter for a file."""

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO, NamedTuple

from connectors.formats.catalogues.po import PO
from connectors.formats.data.csv_file import CSV
from connectors.formats.data.json_file import JSON
from connectors.formats.data.yaml_file import YAML_FILE
from connectors.formats.markup.html import HTML
from connectors.formats.office.docx import DOCX
from connectors.formats.office.pptx import PPTX
from connectors.formats.office.xlsx import XLSX
from connectors.formats.plain.markdown import MARKDOWN
from connectors.formats.plain.txt import TXT
from connectors.formats.protocol import Extraction, Filter, Options
from connectors.formats.refusals import mismatch, unknown_format
from connectors.formats.sniffing import Kind, sniffed
from connectors.formats.subtitles.subrip import SUBRIP
from connectors.formats.subtitles.webvtt import WEBVTT

# Says nothing: recognise it.
ANY = frozenset({"", "application/octet-stream"})


@dataclass(frozen=True)
class Format:
    """A format by its name. `is_text`: its content does not tell it from other text; name or media type do."""

    name: str
    filter: Filter
    media_type: str
    extensions: frozenset[str]
    is_text: bool = field(default=False)


class Extracted(NamedTuple):
    """What a file is, and its units."""

    format: str
    media_type: str
    version: str
    extraction: Extraction


def _format(name: str, one: Filter, *extensions: str, is_text: bool = False) -> Format:
    media_types = sorted(one.media_types)
    return Format(name, one, media_types[0], frozenset(extensions or {name}), is_text)


_ALL = (
    _format("txt", TXT, "txt", "text", is_text=True),
    _format("srt", SUBRIP, is_text=True),
    _format("vtt", WEBVTT, is_text=True),
    _format("json", JSON, "json", "jsonl", "ndjson", is_text=True),
    _format("yaml", YAML_FILE, "yaml", "yml", is_text=True),
    _format("csv", CSV, "csv", "tsv", is_text=True),
    _format("md", MARKDOWN, "md", "markdown", is_text=True),
    _format("docx", DOCX, "docx", "dotx"),
    _format("pptx", PPTX, "pptx", "ppsx", "potx"),
    _format("xlsx", XLSX, "xlsx", "xltx"),
    _format("html", HTML, "html", "htm", "xhtml", is_text=True),
    _format("po", PO, "po", "pot", is_text=True),
)
FORMATS: dict[str, Format] = {one.name: one for one in _ALL}


def format_of(source: BinaryIO, name: str = "", media_type: str = "") -> Format:
    """Choose the format of a file by its content; among text formats by its media type, then by its name.

    Raises PermanentError: `unknown_format`, `content_type_mismatch` and what sniffing raises.
    """
    found = sniffed(source)
    asked = _by_media_type(media_type)
    if asked is None and _bare(media_type) not in {*ANY, "text/plain"}:
        raise unknown_format(f"{media_type} is no format that we know", known())
    asked = asked or _by_extension(name)
    if found == Kind.TEXT:
        return _text_format(name, media_type, asked)
    if asked and asked.name != found and not (asked.is_text and _is_text(found)):
        raise mismatch(media_type if _by_media_type(media_type) else name, found)
    return FORMATS[found] if not (asked and asked.is_text) else asked


def extract(source: BinaryIO, name: str, media_type: str, options: Options) -> Extracted:
    """Recognise a file and find its units. Raises PermanentError with the causes of both."""
    chosen = format_of(source, name, media_type)
    extraction = chosen.filter.extract(source, options)
    return Extracted(chosen.name, chosen.media_type, chosen.filter.version, extraction)


def filter_of(format_name: str) -> Filter:
    """Return the filter of a format, to merge what was extracted."""
    return FORMATS[format_name].filter


def known() -> str:
    """List the formats, for messages."""
    return ", ".join(sorted(FORMATS))


def _text_format(name: str, media_type: str, asked: Format | None) -> Format:
    if asked is None:
        return FORMATS["txt"]
    if not asked.is_text:
        raise mismatch(media_type if _by_media_type(media_type) else name, "text")
    return asked


def _is_text(name: str) -> bool:
    return FORMATS[name].is_text


def _by_media_type(media_type: str) -> Format | None:
    bare = _bare(media_type)
    # Everything may be sent as plain text; its name tells more then.
    if bare in ANY or bare == "text/plain":
        return None
    return next((one for one in FORMATS.values() if bare in one.filter.media_types), None)


def _by_extension(name: str) -> Format | None:
    extension = PurePath(name).suffix.lstrip(".").lower()
    return next((one for one in FORMATS.values() if extension in one.extensions), None)


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
