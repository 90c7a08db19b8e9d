"""Finish translated segments: put them into the form that their source had. Pure.

Workers and early answers finish alike, so that a batch gives the same text whichever way it went.
"""

from collections.abc import Sequence
from typing import NamedTuple

from schemas.coded_text import check, numbered_back, renumbered
from schemas.messages import SegmentBatch
from stream_apps.pipeline.markup import with_markup
from stream_apps.pipeline.message_forms import restored
from stream_apps.pipeline.tag_attributes import is_attribute
from stream_apps.pipeline.tagged_sentences import TaggedTexts, in_their_tags
from stream_apps.pipeline.wrapping import wrapped_again

BROKEN_MESSAGE, BROKEN_CODES = "broken_message", "broken_codes"


class Finished(NamedTuple):
    """What a batch answers; parallel arrays. `causes` has the holes that were found here, too."""

    translations: Sequence[str]
    gaps: Sequence[str]
    causes: Sequence[str | None]


def finished(batch: SegmentBatch, translations: Sequence[str], causes: Sequence[str | None]) -> Finished:
    """Return the translations as they stand in the text: with their own codes, branches of messages, in lines.

    Attributes of tags amid a sentence stand in their tags.

    A sentence that lost an argument or the number of its message, or whose inline codes are not each there once
    and well nested, becomes a hole, which shows its source.
    """
    if batch.job.inline_codes:
        translations, causes = _with_own_codes(batch.texts, translations, causes)
    if len(batch.message_forms) == len(batch.texts) and batch.message_forms:
        translations, causes = _restored(batch, translations, causes)
    translations, gaps = wrapped_again(batch, translations)
    written = with_markup(batch, translations)
    if not any(map(is_attribute, batch.message_forms)):
        return Finished(written, gaps, causes)
    texts = TaggedTexts(list(written), list(gaps), list(causes))
    return Finished(*in_their_tags(batch, translations, texts, BROKEN_CODES))


def _with_own_codes(
    sources: Sequence[str], translations: Sequence[str], causes: Sequence[str | None]
) -> tuple[Sequence[str], Sequence[str | None]]:
    """Give codes the numbers of the source, as engine and memory know them by appearance."""
    texts, found = list(translations), list(causes)
    for at, source in enumerate(sources):
        known = renumbered(source)
        if found[at] is None and check(known.text, texts[at]) is not None:
            found[at] = BROKEN_CODES
        texts[at] = source if found[at] else numbered_back(texts[at], known.numbers)
    return texts, found


def _restored(
    batch: SegmentBatch, translations: Sequence[str], causes: Sequence[str | None]
) -> tuple[Sequence[str], Sequence[str | None]]:
    texts, found = list(translations), list(causes)
    for at, (source, form) in enumerate(zip(batch.texts, batch.message_forms, strict=True)):
        if form is None or is_attribute(form):
            continue
        part = restored(source, texts[at], form)
        if part is None:
            found[at] = found[at] or BROKEN_MESSAGE
        texts[at] = part if part is not None else restored(source, source, form) or source
    return texts, found
