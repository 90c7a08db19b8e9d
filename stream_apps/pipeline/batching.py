"""Cut the segments of a request into batches. Pure.

Remembered translations travel in the batches but never change where a batch ends, so a repeat of the same request
gives the same batches, whatever was remembered in between.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.errors import PermanentError
from schemas.ids import JobKey
from schemas.messages import Job, SegmentBatch, TranslationRequest
from schemas.segments import Remembered, count_words
from stream_apps.pipeline.segmentation import Split


@dataclass(frozen=True)
class BatchLimits:
    """The most segments, and the most UTF-8 bytes of source text, of one batch."""

    segments: int = 32
    text_bytes: int = 400_000


@dataclass(frozen=True)
class Wishes:
    """What a request wants of the engine beside its languages."""

    engine_options: Mapping[str, str] = field(default_factory=dict)
    do_not_translate: Sequence[str] = ()


def wishes_of(request: TranslationRequest) -> Wishes:
    """Return what the request wants."""
    return Wishes(request.engine_options, request.do_not_translate)


@dataclass(frozen=True)
class Piece:
    """Consecutive segments that travel in one batch."""

    lead: str
    texts: Sequence[str]
    gaps: Sequence[str]
    words: int


def cut(split: Split, limits: BatchLimits) -> list[Piece]:
    """Cut the split into pieces within the limits. Raises PermanentError when one segment alone exceeds them."""
    ends: list[int] = []
    size = len(split.lead.encode())
    start = 0
    for at, (text, gap) in enumerate(zip(split.texts, split.gaps, strict=True)):
        added = len(text.encode()) + len(gap.encode())
        if at > start and (at - start == limits.segments or size + added > limits.text_bytes):
            ends.append(at)
            start, size = at, 0
        size += added
        _check_size(size, limits)
    return _pieces(split, [*ends, len(split.texts)])


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
        batches.append(
            SegmentBatch(
                tenant=key.tenant,
                request_id=key.request_id,
                batch_number=number,
                job=job,
                lead=piece.lead,
                texts=piece.texts,
                gaps=piece.gaps,
                translations=[hit.text if hit else None for hit in mine],
                scores=[hit.score if hit else None for hit in mine],
                source_words=piece.words,
                engine_options=wishes.engine_options,
                do_not_translate=wishes.do_not_translate,
            )
        )
    return batches


def batch_partition(key: JobKey, batch_number: int, partitions: int) -> int:
    """Choose a partition: the batches of a request go round all of them, starting at one that its key decides."""
    return (zlib.crc32(key.encode()) + batch_number) % partitions


def _pieces(split: Split, ends: Sequence[int]) -> list[Piece]:
    pieces = []
    start = 0
    for end in ends:
        texts, gaps = split.texts[start:end], split.gaps[start:end]
        lead = "" if start else split.lead
        pieces.append(Piece(lead, texts, gaps, sum(map(count_words, texts))))
        start = end
    return pieces


def _check_size(size_bytes: int, limits: BatchLimits) -> None:
    if size_bytes > limits.text_bytes:
        raise PermanentError(
            "segment_too_large",
            f"one segment and the white space around it have {size_bytes} bytes",
            field="text",
            limit=f"{limits.text_bytes} bytes",
            cure="send less white space or shorter sentences",
        )
