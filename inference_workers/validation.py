"""What a batch must be, before any model sees it. Pure."""

from schemas.messages import SegmentBatch
from schemas.validity import (
    check_id,
    check_job,
    check_length,
    check_number,
    check_parallel,
    check_texts,
    out_of_bounds,
)

# Twice what intake sends: an engine's time and memory grow faster than the length of a segment.
LONGEST_SEGMENT = 2000
# So that a batch of holes, which repeats the source, always fits into a Kafka record.
MOST_TEXT_BYTES = 1_000_000
_PARALLEL = ("texts", "gaps", "translations", "scores")


def check_batch(batch: SegmentBatch) -> None:
    """Raises PermanentError naming the field that is out of bounds, or does not fit the others."""
    check_id("request_id", batch.request_id)
    check_job(batch.job)
    check_number("batch_number", batch.batch_number, most=batch.job.batches - 1)
    check_parallel({field: len(getattr(batch, field)) for field in _PARALLEL})
    for text in batch.texts:
        check_length("texts", text, LONGEST_SEGMENT)
    for score in batch.scores:
        check_number("scores", score or 0.0, most=1)
    check_number("source_words", batch.source_words, most=sum(map(len, batch.texts)))
    check_texts("options", batch.options)
    _check_size(batch)


def _check_size(batch: SegmentBatch) -> None:
    size = sum(len(text.encode()) for text in (batch.lead, *batch.texts, *batch.gaps))
    if size > MOST_TEXT_BYTES:
        raise out_of_bounds("texts", f"{size} bytes together with their gaps", f"{MOST_TEXT_BYTES} bytes")
