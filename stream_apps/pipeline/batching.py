"""Make the batches of a request from its pieces. Pure.

Remembered translations travel in the batches but never change where a batch ends, so a repeat of the same request
gives the same batches, whatever was remembered in between.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.coded_text import detagged
from schemas.ids import JobKey
from schemas.messages import Job, SegmentBatch, TranslationRequest
from schemas.segments import Remembered, normalise
from schemas.terms import NO_TERMS, term_index
from schemas.validity import MOST_TERM_BYTES, check_texts
from stream_apps.pipeline.markup import NumberedCodes, numbered_through
from stream_apps.pipeline.pieces import Piece


@dataclass(frozen=True)
class Wishes:
    """What a request wants of the engine beside its languages."""

    engine_options: Mapping[str, str] = field(default_factory=dict)
    do_not_translate: Sequence[str] = ()
    entries: Mapping[str, str] = field(default_factory=dict)

    def terms_in(self, texts: Sequence[str]) -> dict[str, str]:
        """Return the entries that occur in the texts. Raises PermanentError where a batch cannot hold them."""
        if not self.entries:
            return {}
        index = term_index(tuple(self.entries.items()))
        found = sorted({one.term for text in texts for one in index.find(normalise(detagged(text)))})
        terms = {term: index.target_of(term) for term in found}
        check_texts("glossaries", terms, MOST_TERM_BYTES)
        return terms


def wishes_of(request: TranslationRequest, entries: Mapping[str, str] = NO_TERMS) -> Wishes:
    """Return what the request wants; `entries` are those of its glossaries."""
    return Wishes(request.engine_options, request.do_not_translate, entries)


def batches_of(
    key: JobKey,
    job: Job,
    pieces: Sequence[Piece],
    known: Sequence[Remembered | None],
    wishes: Wishes,
) -> list[SegmentBatch]:
    """Make one batch per piece; `known` has one entry per segment of the request."""
    batches: list[SegmentBatch] = []
    start = 0
    for number, piece in enumerate(pieces):
        mine = known[start : start + len(piece.texts)]
        start += len(piece.texts)
        coded = numbered_through(piece.texts, piece.codes) if piece.codes else NumberedCodes(piece.texts, (), ())
        batches.append(
            SegmentBatch(
                tenant=key.tenant,
                request_id=key.request_id,
                batch_number=number,
                job=job,
                lead=piece.lead,
                texts=coded.texts,
                gaps=piece.gaps,
                translations=[hit.text if hit else None for hit in mine],
                scores=[hit.score if hit else None for hit in mine],
                warnings=_warnings_of(mine),
                source_words=piece.words,
                engine_options=wishes.engine_options,
                do_not_translate=wishes.do_not_translate,
                code_starts=coded.starts,
                code_ends=coded.ends,
                message_forms=piece.message_forms,
                terms=wishes.terms_in(piece.texts),
            )
        )
    return batches


def _warnings_of(known: Sequence[Remembered | None]) -> list[str | None]:
    """Return the warning of each; nothing where there is none, as for most batches."""
    found = [hit.warning if hit else None for hit in known]
    return found if any(found) else []


def batch_partition(key: JobKey, batch_number: int, partitions: int) -> int:
    """Choose a partition: the batches of a request go round all of them, starting at one that its key decides."""
    return (zlib.crc32(key.encode()) + batch_number) % partitions
