"""Every format: its name, what it is called outside, and its filter; and the choice of a filter for a file."""

from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO, NamedTuple

from connectors.formats.catalogues.po import PO
from connectors.formats.data.csv_file import CSV
from connectors.formats.data.json_file import JSON
from connectors.formats.data.yaml_file import YAML_FILE
from connectors.formats.markup.epub import EPUB
from connectors.formats.markup.html import HTML
from connectors.formats.markup.xliff import XLIFF, XLIFF2
from connectors.formats.office.docx import DOCX
from connectors.formats.office.pptx import PPTX
from connectors.formats.office.xlsx import XLSX
from connectors.formats.opendocument.odf import ODP, ODS, ODT
from connectors.formats.pdf.pdf import OUTPUTS as PDF_OUTPUTS
from connectors.formats.pdf.pdf import PDF
from connectors.formats.plain.markdown import MARKDOWN
from connectors.formats.plain.txt import TXT
from connectors.formats.protocol import Extraction, Filter, Options
from connectors.formats.refusals import mismatch, unknown_format
from connectors.formats.sniffing import Kind, sniffed
from connectors.formats.subtitles.subrip import SUBRIP
from connectors.formats.subtitles.webvtt import WEBVTT
from schemas.errors import PermanentError

_PLAIN = "text/plain"
# Media types that say nothing: the name tells more, and the content most.
_SILENT = frozenset({"", "application/octet-stream", _PLAIN})


_SETTINGS = {
    "csv": "columns header",
    "html": "ignore_tags non_splitting_tags splitting_tags",
    "json": "exclude include",
    "po": "fuzzy",
    "yaml": "exclude include",
}


# The media type of files that are written, where a filter takes several.
_USUAL = {
    "html": "text/html",
    "po": "text/x-gettext-translation",
    "xliff": "application/x-xliff+xml",
    "xliff2": "application/xliff+xml",
}
# What else files are sent as: templates, and what systems call a table where a spreadsheet program opens it.
_ALSO = {
    **{
        f"application/vnd.oasis.opendocument.{kind}-template": name
        for kind, name in (("text", "odt"), ("presentation", "odp"), ("spreadsheet", "ods"))
    },
    **{
        f"application/vnd.openxmlformats-officedocument.{kind}.template": name
        for kind, name in (("wordprocessingml", "docx"), ("presentationml", "pptx"), ("spreadsheetml", "xlsx"))
    },
    **dict.fromkeys(("application/csv", "application/vnd.ms-excel", "text/x-csv"), "csv"),
    **{"text/json": "json", "text/x-yaml": "yaml"},
}
# The option that every format has: what is written.
OUTPUT = "output"


@dataclass(frozen=True)
class Format:
    """A format by its name. `is_text`: its content does not tell it from other text; name or media type do.

    `settings`: the filter options that it knows.
    """

    name: str
    filter: Filter
    media_type: str
    extensions: frozenset[str]
    is_text: bool = False
    settings: frozenset[str] = frozenset()


class Extracted(NamedTuple):
    """What a file is, and its units."""

    format: str
    media_type: str
    version: str
    extraction: Extraction


def _format(name: str, one: Filter, *extensions: str, is_text: bool = False) -> Format:
    settings = frozenset({OUTPUT, *_SETTINGS.get(name, "").split()})
    media_type = _USUAL.get(name) or min(one.media_types)
    return Format(name, one, media_type, frozenset(extensions or {name}), is_text, settings)


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
    _format("xliff", XLIFF, "xlf", "xliff"),
    _format("xliff2", XLIFF2, "xlf", "xliff"),
    _format("odt", ODT, "odt", "ott"),
    _format("odp", ODP, "odp", "otp"),
    _format("ods", ODS, "ods", "ots"),
    _format("epub", EPUB),
    _format("pdf", PDF),
    _format("html", HTML, "html", "htm", "xhtml", is_text=True),
    _format("po", PO, "po", "pot", is_text=True),
)
FORMATS: dict[str, Format] = {one.name: one for one in _ALL}


def format_of(source: BinaryIO, name: str = "", media_type: str = "") -> Format:
    """Choose the format of a file by its content; among text formats by its media type, then by its name.

    Raises PermanentError: `unknown_format`, `content_type_mismatch` and what sniffing raises.
    """
    found = sniffed(source)
    asked = _asked(name, media_type)
    if found in {one.name for one in asked}:
        return FORMATS[found]
    texts = [one for one in asked if one.is_text]
    if found == Kind.TEXT or FORMATS[found].is_text:
        if texts:
            return texts[0]
        if not asked:
            return FORMATS["txt" if found == Kind.TEXT else found]
    elif not asked:
        return FORMATS[found]
    raise mismatch(name if _bare(media_type) in _SILENT else media_type, found)


def extract(source: BinaryIO, name: str, media_type: str, options: Options) -> Extracted:
    """Recognise a file and find its units. Raises PermanentError with the causes of both."""
    chosen = format_of(source, name, media_type)
    _check_settings(chosen, options)
    extraction = chosen.filter.extract(source, options)
    return Extracted(chosen.name, chosen.media_type, chosen.filter.version, extraction)


def _check_settings(chosen: Format, options: Options) -> None:
    unknown = sorted(options.settings.keys() - chosen.settings)
    if unknown:
        raise PermanentError(
            "unknown_filter_option",
            f"documents of the format {chosen.name} have no option {unknown[0][:100]}",
            field=f"filter_options.{unknown[0][:100]}",
            limit=", ".join(sorted(chosen.settings)) or "none",
            cure="leave it out, or see docs/formats.md",
        )


def filter_of(format_name: str) -> Filter:
    """Return the filter of a format, to merge what was extracted."""
    return FORMATS[format_name].filter


def written_as(format_name: str, options: Options) -> Format:
    """Return the format of what merging writes: the same, but for PDF.

    Raises PermanentError: `unsupported_output`.
    """
    outputs = PDF_OUTPUTS if format_name == "pdf" else (format_name,)
    output = options.settings.get(OUTPUT, outputs[0])
    if output not in outputs:
        raise PermanentError(
            "unsupported_output",
            f"a document of the format {format_name} cannot be written as {output[:100]}",
            field="filter_options.output",
            limit=", ".join(outputs),
            cure="ask for one of these",
        )
    return FORMATS[output]


def translated_name(file_name: str, format_name: str, options: Options) -> str:
    """Name the translated file: `report.docx` becomes `report.pt-BR.docx`."""
    path = PurePath(file_name or "document")
    written = written_as(format_name, options)
    is_same = written.name == format_name and path.suffix
    return f"{path.stem}.{options.target_language}{path.suffix if is_same else f'.{written.name}'}"


def known() -> str:
    """List the formats, for messages."""
    return ", ".join(sorted(FORMATS))


def _asked(name: str, media_type: str) -> list[Format]:
    """List the formats that the media type means, else those that the name does; none where both say nothing."""
    bare = _bare(media_type)
    if bare not in _SILENT:
        asked = [one for one in FORMATS.values() if bare in one.filter.media_types or one.name == _ALSO.get(bare)]
        if not asked:
            raise unknown_format(f"{bare[:100]} is no format that we know", known())
        return asked
    extension = PurePath(name).suffix.lstrip(".").lower()
    asked = [one for one in FORMATS.values() if extension in one.extensions]
    if extension and not asked and bare != _PLAIN:
        raise unknown_format(f"files named .{extension[:100]} are of no format that we know", known())
    return asked


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()
