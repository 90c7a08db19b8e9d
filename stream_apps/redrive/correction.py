"""Make the batches that fill the holes of a partly translated answer, or that merge a document again. Pure.

The holes are segments again; the text between them travels as lead and gaps, which come back unchanged. So the
ordinary worker and the ordinary join produce the corrected text; where every hole fails again, the same text.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from schemas.errors import PermanentError
from schemas.markup import is_marked_up
from schemas.message_parts import Hole, Kept
from schemas.messages import Job, SegmentBatch, TranslatedBatch, TranslationResult
from schemas.segments import count_words
from schemas.terms import NO_TERMS
from schemas.units import UNIT_SEPARATOR, units_of
from stream_apps.pipeline.batching import Wishes, batches_of
from stream_apps.pipeline.pieces import BatchLimits, Piece
from stream_apps.pipeline.result_events import billed_characters

_UTF8_BYTES = 4


@dataclass
class _Draft:
    """A batch being filled. Sizes are bytes of UTF-8."""

    lead: str = ""
    holes: list[Hole] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    size_bytes: int = 0

    def has_room(self, text: str, hole: Hole | None, limits: BatchLimits) -> bool:
        """Say whether the stretch still fits; the first one always does."""
        is_empty = not (self.lead or self.texts)
        is_full = hole is not None and len(self.texts) == limits.segments
        return is_empty or not (is_full or self.size_bytes + len(text.encode()) > limits.text_bytes)

    def add(self, text: str, hole: Hole | None) -> None:
        """Append the next stretch of the text."""
        self.size_bytes += len(text.encode())
        if hole:
            self.holes.append(hole)
            self.texts.append(text)
            self.gaps.append("")
        elif self.texts:
            self.gaps[-1] += text
        else:
            self.lead += text

    @property
    def piece(self) -> Piece:
        """Return the batch's text in the form in which intake cuts it."""
        return Piece(self.lead, self.texts, self.gaps, sum(map(count_words, self.texts)))


def correction_of(  # noqa: PLR0913, PLR0917  # the answer with its text, and what it does not repeat
    result: TranslationResult,
    text: str,
    origin: SegmentBatch,
    limits: BatchLimits,
    now_ms: int,
    entries: Mapping[str, str] = NO_TERMS,
) -> list[SegmentBatch]:
    """Return the batches of the next version of a PARTIAL result whose text, units joined, is `text`.

    `origin` is any batch of the request: it holds what a result does not repeat. `entries` are those of its
    glossaries, as a batch has only those that occur in it. Raises PermanentError where the
    result does not say where its holes are.
    """
    drafts = _drafts(text, _checked(result, text), limits)
    job = replace(
        _kept_job(next_job(origin.job, result, now_ms), result, text, drafts),
        # The holes of a text with tags show these, which workers keep in plain text, too.
        inline_codes=origin.job.inline_codes and not is_marked_up(origin.job.kind, origin.job.content_type),
    )
    wishes = Wishes(origin.engine_options, origin.do_not_translate, entries)
    nothing_known = [None] * sum(len(draft.holes) for draft in drafts)
    batches = batches_of(result.key, job, [draft.piece for draft in drafts], nothing_known, wishes)
    return [
        replace(batch, numbers=[hole.segment for hole in draft.holes])
        for batch, draft in zip(batches, drafts, strict=True)
    ]


def repetition_of(
    result: TranslationResult, origins: Mapping[int, SegmentBatch], now_ms: int
) -> list[SegmentBatch]:
    """Return all batches of a request again, of which no segment was translated.

    `origins` maps batch numbers to batches. Raises PermanentError when one is missing.
    """
    wanted = max((batch.job.batches for batch in origins.values()), default=1)
    missing = [number for number in range(wanted) if number not in origins]
    if missing:
        raise PermanentError(
            "batch_missing",
            f"{len(missing)} of {wanted} batches have no open dead letter",
            cure="send the request again under a new id, and drop its dead letters",
        )
    job = next_job(origins[0].job, result, now_ms)
    return [replace(origins[number], job=job) for number in range(wanted)]


def merged_again(
    unmerged: TranslationResult, failed: TranslationResult, header: Job, limits: BatchLimits, now_ms: int
) -> list[TranslatedBatch]:
    """Return the batches of the version after `failed`, with all that was translated already; no worker is needed.

    `unmerged` is the answer as it was before its file could not be put together, `header` that of any of its
    batches. Its holes stay. Raises PermanentError as `correction_of` does.
    """
    text = unmerged.text or ""
    drafts = _drafts(text, _checked(unmerged, text), limits)
    job = _kept_job(next_job(header, failed, now_ms), unmerged, text, drafts)
    return [_translated(unmerged, number, draft, job, now_ms) for number, draft in enumerate(drafts)]


def _translated(unmerged: TranslationResult, number: int, draft: _Draft, job: Job, now_ms: int) -> TranslatedBatch:
    return TranslatedBatch(
        **unmerged.key._asdict(),
        batch_number=number,
        job=job,
        lead=draft.lead,
        gaps=draft.gaps,
        translations=draft.texts,
        causes=[hole.cause for hole in draft.holes],
        scores=[None] * len(draft.holes),
        cached=[False] * len(draft.holes),
        numbers=[hole.segment for hole in draft.holes],
        target_words=sum(map(count_words, draft.texts)),
        translated_at=now_ms,
    )


def next_job(job: Job, result: TranslationResult, now_ms: int) -> Job:
    """Return the job header for the version after `result`, as if it were accepted now."""
    return replace(
        job,
        revision=result.version + 1,
        billed_words=result.source_words,
        billed_characters=billed_characters(result),
        accepted_at=now_ms,
        # The old one has passed; it was kept or missed with the first answer.
        deadline=None,
    )


def _kept_job(job: Job, result: TranslationResult, text: str, drafts: Sequence[_Draft]) -> Job:
    """Return the header of batches that hold the text of the result again, its holes being segments."""
    return replace(
        job,
        kept=_kept(result, text),
        segments=result.segments,
        batches=len(drafts),
        words=result.source_words,
    )


def _kept(result: TranslationResult, text: str) -> Kept:
    holes = _in_whole_text(result, text)
    source = [text[hole.start : hole.start + hole.length] for hole in holes]
    return Kept(
        segments=result.segments - len(source),
        cached_segments=result.cached_segments,
        cached_words=result.cached_words,
        # A hole counts with the words of its source, which stand in the text instead.
        target_words=max(result.target_words - sum(map(count_words, source)), 0),
        characters=len(text) - sum(map(len, source)),
        confidence=result.confidence,
        models=result.model.split(", ") if result.model else (),
    )


def _checked(result: TranslationResult, text: str) -> list[Hole]:
    """Return the holes in order, placed in the whole text. Raises PermanentError where they do not fit into it."""
    holes = sorted(_in_whole_text(result, text), key=lambda hole: hole.start)
    end = 0
    for hole in holes:
        if hole.start < end or hole.length < 0:
            raise _holes_not_located(result)
        end = hole.start + hole.length
    if end > len(text):
        raise _holes_not_located(result)
    return holes


def _in_whole_text(result: TranslationResult, text: str) -> Iterator[Hole]:
    """Yield the holes with their places in the text of all units; a result names those in the unit's own text.

    Those of no length show nothing: they are attributes in the tags of a sentence that is a hole itself.
    """
    units = units_of(text, result.kind)
    starts = list(accumulate((len(unit) + len(UNIT_SEPARATOR) for unit in units), initial=0))
    for hole in result.holes:
        if hole.start < 0 or hole.unit >= len(units):
            raise _holes_not_located(result)
        if hole.length:
            yield replace(hole, start=hole.start + starts[max(hole.unit, 0)])


def _drafts(text: str, holes: Sequence[Hole], limits: BatchLimits) -> list[_Draft]:
    drafts = [_Draft()]
    for stretch, hole in _stretches(text, holes, max(limits.text_bytes // _UTF8_BYTES, 1)):
        if not drafts[-1].has_room(stretch, hole, limits):
            drafts.append(_Draft())
        drafts[-1].add(stretch, hole)
    return drafts


def _stretches(text: str, holes: Sequence[Hole], longest: int) -> Iterator[tuple[str, Hole | None]]:
    """Yield the holes, and the text between them in stretches of at most `longest` characters."""
    at = 0
    for hole in holes:
        yield from _cut(text[at : hole.start], longest)
        at = hole.start + hole.length
        yield text[hole.start : at], hole
    yield from _cut(text[at:], longest)


def _cut(text: str, longest: int) -> Iterator[tuple[str, None]]:
    return ((text[start : start + longest], None) for start in range(0, len(text), longest))


def _holes_not_located(result: TranslationResult) -> PermanentError:
    return PermanentError(
        "holes_without_places",
        f"version {result.version} of the result does not say where its holes are",
        cure="send the request again under a new id, and drop its dead letters",
    )
