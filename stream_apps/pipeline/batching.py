"""Cut the segments of a request into batches. Pure.

Remembered translations travel in the batches but never change where a batch ends, so a repeat of the same request
gives the same batches, whatever was remembered in between.
"""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from schemas.errors import PermanentError
from schemas.messages import Job, SegmentBatch
from schemas.segments import Remembered, count_words
from stream_apps.pipeline.segmentation import Split


@dataclass(frozen=True)
class BatchLimits:
    """The most segments, and the most UTF-8 bytes of source text, of one batch."""

    segments: int = 32
    text_bytes: int = 400_000


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
    request_id: str,
    job: Job,
    pieces: Sequence[Piece],
    known: Sequence[Remembered | None],
    options: Mapping[str, str],
) -> list[SegmentBatch]:
    """Make one batch per piece; `known` has one entry per segment of the request."""
    batches: list[SegmentBatch] = []
    start = 0
    for number, piece in enumerate(pieces):
        mine = known[start : start + len(piece.texts)]
        start += len(piece.texts)
        batches.append(
            SegmentBatch(
                request_id=request_id,
                batch_number=number,
                job=job,
                lead=piece.lead,
                texts=piece.texts,
                gaps=piece.gaps,
                translations=[hit.text if hit else None for hit in mine],
                scores=[hit.score if hit else None for hit in mine],
                source_words=piece.words,
                options=options,
            )
        )
    return batches


def batch_partition(request_id: str, batch_number: int, partitions: int) -> int:
    """Choose a partition: the batches of a request go round all of them, starting at one that its id decides."""
    return (zlib.crc32(request_id.encode()) + batch_number) % partitions


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
