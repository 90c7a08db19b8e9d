"""Check batches that were taken together and plan their work: identical segments once, by context. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from schemas.languages import LanguagePair
from schemas.messages import SegmentBatch
from schemas.segments import TranslationContext, context_of
from schemas.validity import (
    MOST_TERM_BYTES,
    check_job,
    check_key,
    check_length,
    check_names,
    check_number,
    check_parallel,
    check_texts,
    out_of_bounds,
)

# Twice what intake sends: an engine's time and memory grow faster than the length of a segment.
LONGEST_SEGMENT = 2000
# A batch of holes repeats the source, and must always fit into a Kafka record.
MOST_TEXT_BYTES = 1_000_000
_PARALLEL = ("texts", "gaps", "translations", "scores")


class SegmentIndex(NamedTuple):
    """Which segment of a plan: the index of its batch, and its index within the batch."""

    batch: int
    segment: int


@dataclass
class Work:
    """Distinct normalised segments of one context in order of arrival.

    `wanted` tells where each one is wanted, `keys` under which key it is remembered, once a model is known.
    """

    context: TranslationContext
    wanted: dict[str, list[SegmentIndex]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


def check_batch(batch: SegmentBatch) -> None:
    """Raise PermanentError naming a field that is out of bounds or does not fit the others."""
    check_key(batch.key)
    check_job(batch.job)
    check_number("batch_number", batch.batch_number, most=batch.job.batches - 1)
    check_parallel({field: len(getattr(batch, field)) for field in _PARALLEL})
    for text in batch.texts:
        check_length("texts", text, LONGEST_SEGMENT)
    for score in batch.scores:
        check_number("scores", score or 0.0, most=1)
    check_number("source_words", batch.source_words, most=sum(map(len, batch.texts)))
    check_texts("engine_options", batch.engine_options)
    check_names("do_not_translate", batch.do_not_translate)
    check_texts("terms", batch.terms, MOST_TERM_BYTES)
    _check_size(batch)


def plan(batches: Sequence[SegmentBatch], normalised: Sequence[Sequence[str]]) -> list[Work]:
    """Return what there is to translate; `normalised` holds the normalised texts of each batch."""
    works: dict[TranslationContext, Work] = {}
    for number, (batch, texts) in enumerate(zip(batches, normalised, strict=True)):
        context = context_of(batch.tenant, batch.job, batch.do_not_translate, batch.engine_options, batch.terms)
        work = works.setdefault(context, Work(context))
        for segment in _open_segments(batch):
            work.wanted.setdefault(texts[segment], []).append(SegmentIndex(number, segment))
    return [work for work in works.values() if work.wanted]


def pair_of(batch: SegmentBatch) -> LanguagePair:
    """Return the languages of a batch."""
    return LanguagePair(batch.job.source_language, batch.job.target_language)


def _check_size(batch: SegmentBatch) -> None:
    size = sum(len(text.encode()) for text in (batch.lead, *batch.texts, *batch.gaps))
    if size > MOST_TEXT_BYTES:
        raise out_of_bounds("texts", f"{size} bytes together with their gaps", f"{MOST_TEXT_BYTES} bytes")


def _open_segments(batch: SegmentBatch) -> Iterable[int]:
    return (at for at, filled in enumerate(batch.translations) if filled is None)
