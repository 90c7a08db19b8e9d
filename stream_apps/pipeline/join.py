"""Join the translated batches of a request into its result. Pure: the same batches give the same text."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count, islice, repeat
from typing import Any

from schemas.errors import PermanentError
from schemas.message_parts import Hole, Kept, Suspect
from schemas.message_parts import Warning as Mark
from schemas.messages import Job, TranslatedBatch, TranslationResult
from schemas.states import ResultStatus
from schemas.units import UNIT_SEPARATOR, characters_of, has_units, shown
from schemas.validity import check_job, check_key, check_length, check_number, check_parallel

_PARALLEL = ("translations", "gaps", "causes", "scores", "cached")
_MOST_TIMINGS = 32
_LONGEST_SECONDS = 10**9
# A result must fit into a record, even where a model is wrong throughout; `warnings` counts all of them.
_MOST_SUSPECTS = 1000
# Of batches that wait side by side only the longest wait counts; work adds up.
_TIMINGS: dict[str, Callable[[list[float]], float]] = {"queue": max}

# A part of the text, and what is to be said of it.
_Piece = tuple[str, Hole | Suspect | None]


def split_of(job: Job) -> str:
    """Name the way the request was cut: only batches of the same split fit together.

    The payload is part of it: two payloads under one key may be cut into equally many batches.
    """
    return f"{job.pipeline_version}/{job.batches}/{job.fingerprint}"


def check_batch(batch: TranslatedBatch) -> None:
    """Check a batch. Raises PermanentError naming the field that is out of bounds or does not fit the others."""
    check_key(batch.key)
    check_job(batch.job)
    if not 0 <= batch.batch_number < batch.job.batches:
        raise _unfit("batch_number", str(batch.batch_number), f"0 to {batch.job.batches - 1}")
    check_parallel({field: len(getattr(batch, field)) for field in _PARALLEL})
    check_number("source_words", batch.source_words)
    check_number("cached_words", batch.cached_words)
    check_number("target_words", batch.target_words, most=sum(map(len, batch.translations)))
    for field in ("model", "device", "market"):
        check_length(field, getattr(batch, field))
    for cause in batch.causes:
        check_length("causes", cause or "")
    for warning in batch.warnings:
        check_length("warnings", warning or "")
    for score in batch.scores:
        check_number("scores", score or 0.0, most=1)
    for number in batch.numbers:
        check_number("numbers", number)
    for field in ("numbers", "warnings"):
        if len(getattr(batch, field)) not in {0, len(batch.translations)}:
            raise _unfit(field, f"{len(getattr(batch, field))} entries", f"no entry, or {len(batch.translations)}")
    _check_timings(batch)


def join(batches: Sequence[TranslatedBatch], now_ms: int) -> TranslationResult:
    """Build the result from all batches of a request, in the order of their numbers.

    A segment that failed is a hole that holds its source text. When every segment failed there is no text, and
    what was not translated is not billed: source_words is 0. The batches of a correction hold the former holes as
    segments, with all the text between them as gaps; the figures of that text are in `job.kept`.

    Of an array the result holds `texts`, as many as came. Of a document it holds the units, joined, as `text`.
    """
    job = batches[0].job
    kept = job.kept or Kept()
    pieces = list(_pieces(batches))
    holes = [mark for _, mark in pieces if isinstance(mark, Hole)]
    segments = kept.segments + sum(len(batch.translations) for batch in batches)
    cached = kept.cached_segments + sum(sum(batch.cached) for batch in batches)
    text = "".join(piece for piece, _ in pieces) if len(holes) < segments or segments == 0 else None
    marks = list(_placed(pieces, job.kind, has_text=text is not None))
    suspects = (mark for mark in marks if isinstance(mark, Suspect))
    return TranslationResult(
        **batches[0].key._asdict(),
        **echoed(job),
        **(_failure(holes) if text is None else {}),
        **shown(text, job.kind),
        status=_status(len(holes), segments),
        units=_borders(pieces) + 1 if has_units(job.kind) else 0,
        holes=tuple(mark for mark in marks if isinstance(mark, Hole)),
        warnings=() if text is None else _warnings(batches),
        suspects=() if text is None else tuple(islice(suspects, _MOST_SUSPECTS)),
        segments=segments,
        source_words=0 if text is None else job.words,
        target_words=0 if text is None else kept.target_words + sum(batch.target_words for batch in batches),
        target_characters=characters_of(text or "", job.kind),
        cached_segments=cached,
        cached_words=0 if text is None else kept.cached_words + sum(batch.cached_words for batch in batches),
        cached_share=cached / max(segments, 1),
        confidence=_confidence(batches, kept),
        model=", ".join(sorted({*kept.models, *(batch.model for batch in batches if batch.model)})),
        device=", ".join(sorted({batch.device for batch in batches if batch.device})),
        market=", ".join(sorted({batch.market for batch in batches if batch.market})),
        busy_ms=1000 * sum(batch.timings.get("translate", 0.0) for batch in batches),
        timings=_timings(batches) | {"total": seconds_since_acceptance(job, now_ms)},
        completed_at=now_ms,
    )


def text_of(batch: TranslatedBatch) -> str:
    """Return the part of the result's text that the batch makes up."""
    return "".join(piece for piece, _ in _pieces([batch]))


def echoed(job: Job) -> dict[str, Any]:
    """Return the fields that every result repeats of its job."""
    return {
        "version": job.revision,
        "kind": job.kind,
        "priority": job.priority,
        "content_type": job.content_type,
        "source_language": job.source_language,
        "detected_language": job.detected_language,
        "target_language": job.target_language,
        "source_characters": job.characters,
        "glossaries": job.glossaries,
        "pipeline_version": job.pipeline_version,
        "pool": job.pool,
        "submitted_at": job.submitted_at,
        "metadata": job.metadata,
        "labels": job.labels,
        "callback": job.callback,
    }


def seconds_since_acceptance(job: Job, now_ms: int) -> float:
    """Return the seconds since Kafka stored the request, else since it was sent, else 0."""
    since_ms = job.accepted_at or job.submitted_at or now_ms
    return max(now_ms - since_ms, 0) / 1000


def _check_timings(batch: TranslatedBatch) -> None:
    check_number("timings", len(batch.timings), most=_MOST_TIMINGS)
    for name, seconds in batch.timings.items():
        check_length("timings", name)
        check_number("timings", seconds, most=_LONGEST_SECONDS)


def _pieces(batches: Sequence[TranslatedBatch]) -> Iterator[_Piece]:
    """Yield the text in order, piece by piece, each with its mark where it has one."""
    in_order = count()
    for batch in batches:
        yield batch.lead, None
        size = len(batch.translations)
        numbers, warnings = batch.numbers or islice(in_order, size), batch.warnings or repeat(None, size)
        rows = zip(numbers, _without_borders(batch), batch.gaps, batch.causes, warnings, strict=True)
        for number, text, gap, cause, warning in rows:
            yield text, _mark(number, cause, warning)
            yield gap, None


def _mark(segment: int, cause: str | None, warning: str | None) -> Hole | Suspect | None:
    if cause is not None:
        return Hole(segment=segment, cause=cause)
    return Suspect(segment=segment, cause=warning) if warning else None


def _without_borders(batch: TranslatedBatch) -> Sequence[str]:
    """Return the translations; of units, without separators that an engine made up: those in the gaps count."""
    if not has_units(batch.job.kind):
        return batch.translations
    return [text.replace(UNIT_SEPARATOR, " ") for text in batch.translations]


def _borders(pieces: Sequence[_Piece]) -> int:
    return sum(text.count(UNIT_SEPARATOR) for text, _ in pieces)


def _placed(pieces: Sequence[_Piece], kind: str, *, has_text: bool) -> Iterator[Hole | Suspect]:
    """Yield the marks, each with its unit, and with its position in the text of the unit where there is one."""
    start, unit = 0, 0 if has_units(kind) else -1
    for text, mark in pieces:
        if mark:
            located = replace(mark, start=start, length=len(text)) if has_text else mark
            yield replace(located, unit=unit)
        borders = text.count(UNIT_SEPARATOR) if has_units(kind) else 0
        unit += borders
        start = len(text) - text.rindex(UNIT_SEPARATOR) - 1 if borders else start + len(text)


def _warnings(batches: Sequence[TranslatedBatch]) -> tuple[Mark, ...]:
    """Return what intake marked, then what workers did: each cause with the number of its segments."""
    known = tuple(batches[0].job.warnings)
    causes = [cause for batch in batches for cause in batch.warnings if cause]
    if not causes:
        return known
    found = Counter(causes)
    return (*known, *(Mark(cause=cause, count=found[cause]) for cause in sorted(found)))


def _status(holes: int, segments: int) -> ResultStatus:
    if not holes:
        return ResultStatus.COMPLETED
    return ResultStatus.PARTIAL if holes < segments else ResultStatus.FAILED


def _failure(holes: Sequence[Hole]) -> dict[str, Any]:
    cause = Counter(hole.cause for hole in holes).most_common(1)[0][0]
    return {"error_cause": cause, "error_message": f"none of the {len(holes)} segments could be translated"}


def _confidence(batches: Sequence[TranslatedBatch], kept: Kept) -> float | None:
    """Average the scores, weighted by the length of the translations, without holes; None if one is unknown."""
    weighted = [(kept.confidence, kept.characters)] if kept.segments else []
    weighted += [
        (score, len(translation))
        for batch in batches
        for score, translation, cause in zip(batch.scores, batch.translations, batch.causes, strict=True)
        if cause is None
    ]
    length = sum(weight for _, weight in weighted)
    if not length or any(score is None for score, _ in weighted):
        return None
    return sum((score or 0.0) * weight for score, weight in weighted) / length


def _timings(batches: Sequence[TranslatedBatch]) -> dict[str, float]:
    names = dict.fromkeys(name for batch in batches for name in batch.timings)
    return {
        name: _TIMINGS.get(name, sum)([batch.timings[name] for batch in batches if name in batch.timings])
        for name in names
    }


def _unfit(field: str, found: str, limit: str) -> PermanentError:
    return PermanentError(
        "unfit_batch",
        f"{field} is {found}",
        field=field,
        limit=limit,
        cure="send the whole request again under a new id",
    )
