"""Read one request and cut it: all that concerns a request by itself, before the stores are asked about it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol, TypeVar

from schemas.codec import Codec
from schemas.documents import version_with_filter
from schemas.glossaries import Glossary
from schemas.language_names import UNDETERMINED
from schemas.languages import AUTO, Language, served_as
from schemas.markup import is_marked_up
from schemas.message_parts import Document
from schemas.message_parts import Warning as Mark
from schemas.messages import Job, TranslationRequest, changed
from schemas.own_topics import request_of
from schemas.priorities import Priority
from schemas.records import InboundRecord, accepted_ms, redriven_revision
from schemas.segments import TranslationContext, context_of, normalise
from schemas.topics import priority_of_topic
from schemas.units import characters_of, kind_of, units_of, whole_text
from stream_apps.glossaries.shelf import Shelf, Wanted, entries_of, is_for_source, resolved
from stream_apps.glossaries.store import GlossaryReader, InMemoryGlossaries
from stream_apps.intake.read_units import ReadUnit, reader_of
from stream_apps.intake.settings import IntakeLimits
from stream_apps.pipeline.content_rules import check_text
from stream_apps.pipeline.cutting_limits import CuttingLimits
from stream_apps.pipeline.deadline_policy import with_deadline_policy
from stream_apps.pipeline.deduplication import payload_fingerprint
from stream_apps.pipeline.language_detection import Detection
from stream_apps.pipeline.long_requests import check_critical_words
from stream_apps.pipeline.output_records import job_of
from stream_apps.pipeline.passing_through import cause_of, untouched
from stream_apps.pipeline.pieces import Piece, cut
from stream_apps.pipeline.request_limits import RequestLimits
from stream_apps.pipeline.request_rules import RequestedLanguages, check_identity, check_request
from stream_apps.pipeline.routing import pool_of
from stream_apps.pipeline.split import Split
from stream_apps.pipeline.stores import ObjectStore
from stream_apps.pipeline.units import split_units

T = TypeVar("T")
UNKNOWN = Language(UNDETERMINED)


@dataclass(frozen=True)
class Reading:
    """A request that has an identity. `payload` is the fingerprint of what it asks for."""

    record: InboundRecord
    request: TranslationRequest
    priority: Priority
    payload: str

    @property
    def is_redriven(self) -> bool:
        """Tell whether it is to be processed although it was seen before."""
        return redriven_revision(self.record.headers) is not None


@dataclass(frozen=True)
class CutRequest:
    """A request in pieces, with the header of its batches and the entries of its glossaries."""

    reading: Reading
    source: Language
    target: Language
    job: Job
    pieces: Sequence[Piece]
    entries: Mapping[str, str] = field(default_factory=dict)

    @property
    def context(self) -> TranslationContext:
        """Return what decides its translations beside the segments."""
        request = self.reading.request
        return context_of(request.tenant, self.job, request.do_not_translate, request.engine_options)

    def normalised(self) -> list[str]:
        """Return its segments as the translation memory knows them."""
        has_codes = self.job.inline_codes
        return [normalise(text, has_codes=has_codes) for piece in self.pieces for text in piece.texts]


class _Text(NamedTuple):
    """What the text of a request turned out to be; `source` is None where no language is likely."""

    source: Language | None
    target: Language
    characters: int
    marks: Sequence[Mark]
    glossaries: Sequence[Glossary]
    document: Document | None = None


class Glossaries(Protocol):
    """Where the glossaries of all tenants are."""

    async def read(self, at_ms: int) -> Shelf:
        """Return them as they were at that time or later. Raises TransientError."""


class ExpiredError(Exception):
    """The deadline of a request passed before it was read: not a mistake, so no dead letter."""


@dataclass(frozen=True)
class RequestCutter:
    """Checks and cuts requests. `split` and `detect` are pure."""

    codec: Codec
    objects: ObjectStore
    split: Callable[[str, str, str], Split]
    detect: Callable[[str], Detection]
    now_ms: Callable[[], int]
    limits: IntakeLimits
    requests: RequestLimits
    pipeline_version: str
    cutting: CuttingLimits = field(default_factory=CuttingLimits)
    glossaries: Glossaries = field(default_factory=lambda: GlossaryReader(InMemoryGlossaries(), lambda: 0))

    def read(self, record: InboundRecord) -> Reading:
        """Decode the request and check its identity. Raises PermanentError."""
        request = request_of(record, self.codec)
        check_identity(request, self.requests)
        return Reading(record, request, priority_of_topic(record.topic), payload_fingerprint(request))

    async def cut(self, reading: Reading) -> CutRequest:
        """Check the request and cut its text.

        Raises PermanentError for the first thing wrong, ExpiredError, and TransientError while the store of large
        texts is away.
        """
        reading, languages = self.checked(reading)
        request = reading.request
        text = whole_text(request)
        if text is None:
            text = await self._stored_text(request.content_ref or "")
        return await self.cut_text(reading, languages, text)

    def checked(self, reading: Reading) -> tuple[Reading, RequestedLanguages]:
        """Check the request; return it with the deadline that ends it, if any. Raises as `cut` does."""
        priority, accepted_at = reading.priority, accepted_ms(reading.record)
        languages = check_request(reading.request, priority, self.requests, accepted_at)
        request = with_deadline_policy(reading.request, priority, self.limits.late)
        if request.deadline is not None and request.deadline <= self.now_ms():
            raise ExpiredError
        return replace(reading, request=request), languages

    async def cut_text(
        self, reading: Reading, languages: RequestedLanguages, text: str, document: Document | None = None
    ) -> CutRequest:
        """Cut the text of a checked request, units joined. Raises PermanentError where something is too large."""
        kind = kind_of(reading.request)
        units = units_of(text, kind)
        read = reader_of(reading.request, self.cutting.amid)
        source = languages.source or await self._detected(
            text, lambda: "\n".join(read(one).words for one in units)
        )
        split = await self._off_loop(
            text, lambda: split_units(units, lambda unit: self._split(read(unit), source, languages.target))
        )
        pieces = cut(split, self.cutting.batch)
        named = await self._named(reading, languages)
        used = [one for one in named if source is None or is_for_source(one, source)]
        marks = (*split.marks, *(_unused(one) for one in named if one not in used))
        found = _Text(source, languages.target, characters_of(text, kind), marks, used, document)
        job = self._job(reading, found, pieces)
        return CutRequest(reading, source or UNKNOWN, languages.target, job, pieces, entries_of(used))

    async def _named(self, reading: Reading, languages: RequestedLanguages) -> list[Glossary]:
        """Return the glossaries that the request names, as they were when it was accepted."""
        request, at_ms = reading.request, accepted_ms(reading.record)
        if not request.glossaries:
            return []
        shelf = await self.glossaries.read(at_ms)
        return resolved(shelf, Wanted(request.tenant, request.glossaries, *languages.pair, at_ms))

    def header(self, reading: Reading) -> Job:
        """Build as much of the header as the request alone tells."""
        return job_of(reading.request, reading.record, reading.priority, self.requests, reading.payload)

    def _split(self, unit: ReadUnit, source: Language | None, target: Language) -> Split:
        if cause := cause_of(unit.words, source, target):
            return untouched(unit.text, cause)
        return unit.split(lambda text: self.split(text, str(source), str(target)))

    async def _detected(self, text: str, words: Callable[[], str]) -> Language | None:
        return (await self._off_loop(text, lambda: self.detect(words()))).language

    def _job(self, reading: Reading, text: _Text, pieces: Sequence[Piece]) -> Job:
        request, words = reading.request, sum(piece.words for piece in pieces)
        limits, source = self.limits, text.source or UNKNOWN
        check_critical_words(reading.priority, words, self.requests.max_critical_words)
        return changed(
            self.header(reading),
            pool=pool_of(
                limits.routes, limits.default_pool, reading.priority, served_as(source, text.target), words
            ),
            source_language=str(source),
            detected_language=str(text.source) if text.source and request.source_language == AUTO else None,
            target_language=str(text.target),
            glossaries=[one.exact_name for one in text.glossaries],
            pipeline_version=self._version_of(text.document),
            memory_scope=limits.memory_scopes.get(request.tenant, ""),
            segments=sum(len(piece.texts) for piece in pieces),
            batches=len(pieces),
            words=words,
            characters=text.characters,
            document=text.document,
            warnings=text.marks,
            inline_codes=is_marked_up(kind_of(request), request.content_type),
        )

    def _version_of(self, document: Document | None) -> str:
        if document is None:
            return self.pipeline_version
        return version_with_filter(self.pipeline_version, document.filter, document.filter_version)

    async def _stored_text(self, ref: str) -> str:
        text = await asyncio.to_thread(self.objects.read_text, ref, self.limits.max_content_bytes)
        return check_text(text, "content_ref", self.requests)

    async def _off_loop(self, text: str, work: Callable[[], T]) -> T:
        # Long texts must not keep the other agents, and the more urgent requests, waiting.
        return work() if len(text) <= self.limits.thread_characters else await asyncio.to_thread(work)


def _unused(glossary: Glossary) -> Mark:
    """Mark that a glossary was not used, because the text turned out to be in another language than its terms."""
    return Mark(cause="glossary_not_used", place=glossary.exact_name)
