"""Read one document: copy it, take it apart, keep what merging needs; what is left is a text like any other."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple

from connectors.formats.protocol import Options, Unit, Warned
from connectors.formats.registry import FORMATS, Extracted, Format, written_as
from schemas.coded_text import CODE
from schemas.documents import skeleton_name, units_name
from schemas.errors import PermanentError
from schemas.message_parts import Document
from schemas.message_parts import Warning as Mark
from schemas.messages import TranslationRequest
from schemas.units import UNIT_SEPARATOR, joined
from stream_apps.documents.formats import Formats
from stream_apps.documents.storage import DocumentStore, KeptUnit, Source
from stream_apps.pipeline.request_rules import RequestedLanguages


@dataclass(frozen=True)
class ReadDocument:
    """A document that is taken apart. `text`: the units to be translated, joined."""

    document: Document
    text: str
    has_codes: bool = False
    marks: tuple[Mark, ...] = ()
    pages: int | None = None


class _Taken(NamedTuple):
    """What a file turned out to be, how that was asked, and the format of its translation."""

    extracted: Extracted
    options: Options
    written: Format


@dataclass(frozen=True)
class DocumentReader:
    """Reads documents. Reading one again gives the same, and replaces what was kept by the same."""

    store: DocumentStore
    formats: Formats
    max_characters: int

    def read(self, request: TranslationRequest, languages: RequestedLanguages) -> ReadDocument:
        """Read the file of a request. Raises PermanentError for the first thing wrong with it, TransientError."""
        options = _options_of(request, languages)
        with self.store.source(request.key, request.content_ref or "") as source:
            _check_digest(request, source)
            name = request.file_name or PurePosixPath(request.content_ref or "").name
            extracted = self.formats.extract(source.path, name, request.content_type, options)
            written = _checked_output(request, extracted, options)
        units = extracted.extraction.units
        text = joined([_one_unit(unit) for unit in units if unit.translate])
        self._check_text(text)
        return ReadDocument(
            document=self._kept(request, name, source, _Taken(extracted, options, written)),
            text=text,
            has_codes=CODE.search(text) is not None,
            marks=tuple(map(_mark_of, extracted.extraction.warnings)),
            pages=extracted.extraction.pages,
        )

    def _kept(self, request: TranslationRequest, name: str, source: Source, taken: _Taken) -> Document:
        extracted = taken.extracted
        key, version = request.key, f"{extracted.format}-{extracted.version}"
        units = extracted.extraction.units
        self.store.keep_units(
            units_name(key, version), [KeptUnit(_one_unit(unit), unit.place, unit.translate) for unit in units]
        )
        return Document(
            source_ref=request.content_ref or "",
            source_sha256=source.written.sha256,
            source_bytes=source.written.size,
            media_type=extracted.media_type,
            file_name=name,
            skeleton_ref=self.store.keep(skeleton_name(key, version), extracted.extraction.skeleton),
            filter=extracted.format,
            filter_version=extracted.version,
            units=len(units),
            output_content_type=taken.written.media_type,
            output_mode=request.output_mode,
            filter_options=taken.options.settings,
        )

    def _check_text(self, text: str) -> None:
        if not text.replace(UNIT_SEPARATOR, "").strip():
            raise PermanentError(
                "no_text",
                "the document has no text to translate",
                field="content_ref",
                cure="send a document with text",
            )
        if len(text) > self.max_characters:
            raise PermanentError(
                "text_too_long",
                f"the document has {len(text)} characters of text",
                field="content_ref",
                limit=f"{self.max_characters} characters",
                cure="split the document into smaller ones",
            )


def _one_unit(unit: Unit) -> str:
    # A separator inside a unit would make two of it; in no format it means anything.
    return unit.text.replace(UNIT_SEPARATOR, " ")


def _mark_of(warned: Warned) -> Mark:
    return Mark(cause=warned.cause, count=warned.count, place=warned.place)


def _check_digest(request: TranslationRequest, source: Source) -> None:
    if request.content_sha256 not in (None, source.written.sha256):
        raise PermanentError(
            "content_changed",
            "the document is not the one that content_sha256 names",
            field="content_sha256",
            limit=f"{source.written.size} bytes were found, with another SHA-256",
            cure="store the file anew and send the request under a new id",
        )


def _options_of(request: TranslationRequest, languages: RequestedLanguages) -> Options:
    """Return what the filter hears; an output that is asked for by its media type is one of its settings."""
    output = next((one.name for one in FORMATS.values() if one.media_type == request.output_content_type), None)
    asked = {"output": output} if output else {}
    return Options(str(languages.source or ""), str(languages.target), {**request.filter_options, **asked})


def _checked_output(request: TranslationRequest, extracted: Extracted, options: Options) -> Format:
    """Return the format of the translation. Raises PermanentError where it is not the one that is asked for."""
    asked = request.output_content_type
    if asked is None:
        return written_as(extracted.format, options)
    with suppress(PermanentError):
        written = written_as(extracted.format, options)
        if written.media_type == asked:
            return written
    raise PermanentError(
        "unsupported_output",
        f"output_content_type is {asked[:80]!r}",
        field="output_content_type",
        limit=extracted.media_type,
        cure="leave it out: the translation has the format of the document, that of a PDF is Word",
    )
