"""Pair the source of texts with their translations: texts of an array, paragraphs of a single text. Pure."""

import re
from collections.abc import Iterator, Sequence

from connectors.formats.bilingual.pairs import Pair
from producers.http.translations.text_ids import text_ids_of
from schemas.messages import TranslationResult

# Paragraphs, and what stands between them, which is no part of either.
_PARAGRAPH = re.compile(r"\S(?:.|\n(?![ \t\r]*\n))*")


def text_pairs(sources: Sequence[str], result: TranslationResult) -> list[Pair]:
    """Return the pairs of a result whose sources these are; blank ones are left out.

    A single text is one pair where its translation has another number of paragraphs.
    """
    if result.texts:
        return list(_of_array(sources, result))
    return list(_of_text(sources[0], result.text or "", result))


def _of_array(sources: Sequence[str], result: TranslationResult) -> Iterator[Pair]:
    ids = text_ids_of(result.metadata, len(result.texts))
    holes = {hole.unit for hole in result.holes}
    for number, (source, target) in enumerate(zip(sources, result.texts, strict=True)):
        if source.strip():
            yield Pair(ids[number] or f"text {number + 1}", source, target, number not in holes)


def _of_text(source: str, target: str, result: TranslationResult) -> Iterator[Pair]:
    before, behind = list(_PARAGRAPH.finditer(source)), list(_PARAGRAPH.finditer(target))
    if len(before) != len(behind):
        yield Pair("text", source, target, not result.holes)
        return
    for number, (one, other) in enumerate(zip(before, behind, strict=True), 1):
        has_hole = any(other.start() <= (hole.start or 0) < other.end() for hole in result.holes)
        yield Pair(f"paragraph {number}", one[0].rstrip(), other[0].rstrip(), not has_hole)
