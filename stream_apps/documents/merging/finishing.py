"""Finish the answer of a document: put the file together, store it, and say where its holes are.

Where that fails the translation is kept, so that a redrive can merge it again (stream_apps/redrive).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from connectors.formats.protocol import Options
from connectors.formats.registry import translated_name
from connectors.telemetry.log_fields import about
from connectors.telemetry.metrics import DOCUMENT_SECONDS
from schemas.documents import translated_object, translated_units_name, units_name, unmerged_name
from schemas.errors import PermanentError
from schemas.language_names import UNDETERMINED
from schemas.message_parts import Document, Hole, Suspect
from schemas.messages import Job, TranslationResult, changed
from schemas.states import RequestKind
from schemas.units import units_of
from stream_apps.documents.formats import Formats
from stream_apps.documents.storage import DocumentStore, KeptUnit

STAGE = "merging"
_Mark = TypeVar("_Mark", Hole, Suspect)


@dataclass(frozen=True)
class DocumentMerger:
    """Merges documents. Doing it again gives the same file under the same name."""

    store: DocumentStore
    formats: Formats

    def finish(self, result: TranslationResult, job: Job) -> TranslationResult:
        """Return the answer with its file in the object store, in place of its text.

        Raises PermanentError where the file cannot be put together, TransientError while the store is away.
        """
        document = job.document
        if document is None or result.text is None:  # nothing could be translated: there is no file
            return result
        with DOCUMENT_SECONDS.labels(STAGE).time(), about(result.key):
            try:
                return self._merged(result, job, document)
            except PermanentError:
                self.store.keep(unmerged_name(result.key, result.version), json.dumps(result.to_datum()).encode())
                raise

    def _merged(self, result: TranslationResult, job: Job, document: Document) -> TranslationResult:
        key, version = result.key, f"{document.filter}-{document.filter_version}"
        kept = self.store.load_units(units_name(key, version))
        translations = units_of(result.text or "", RequestKind.DOCUMENT)
        texts = _in_place(kept, translations)
        options = _options_of(job, document)
        file_name = translated_name(document.file_name, document.filter, options)
        name = translated_object(key, result.version, file_name)
        with self.store.copy(key) as source:
            output = source.folder / "merged"
            skeleton = self.store.load(document.skeleton_ref)
            self.formats.merge(document.filter, source.path, skeleton, texts, output, options)
            written = self.store.keep_file(name, output)
        places = [unit.place for unit in kept if unit.translate]
        return changed(
            result,
            text=None,
            content_ref=name,
            content_type=document.output_content_type,
            content_bytes=written.size,
            content_sha256=written.sha256,
            file_name=file_name,
            units=document.units,
            units_ref=self.store.keep(translated_units_name(key, result.version), (result.text or "").encode()),
            holes=tuple(_placed(hole, places) for hole in result.holes),
            suspects=tuple(_placed(suspect, places) for suspect in result.suspects),
        )


def _options_of(job: Job, document: Document) -> Options:
    """Return the options as extraction had them: a language that was detected was unknown then."""
    is_known = job.detected_language is None and job.source_language != UNDETERMINED
    source = job.source_language if is_known else ""
    return Options(source, job.target_language, document.filter_options)


def _in_place(kept: Sequence[KeptUnit], translations: Sequence[str]) -> list[str]:
    """Return the texts of all units: translated ones where there are translations, else as they were."""
    if len(translations) != sum(unit.translate for unit in kept):
        raise PermanentError(
            "unfit_units",
            f"{len(translations)} translated units do not fit to the document's {len(kept)}",
            field="units",
            cure="send the document again under a new id",
        )
    left = iter(translations)
    return [next(left) if unit.translate else unit.text for unit in kept]


def _placed(mark: _Mark, places: Sequence[str]) -> _Mark:
    return replace(mark, place=places[mark.unit]) if 0 <= mark.unit < len(places) else mark
