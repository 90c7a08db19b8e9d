"""Write the codes of marked-up segments as the markup that they stand for. Pure.

Segments of one batch share the numbers: code `n` is `code_starts[n]` where it opens or stands alone, and
`code_ends[n]` where it closes.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from schemas.coded_text import CODE, closing, isolated, opening, restored
from schemas.markup import escaped, is_marked_up
from schemas.messages import SegmentBatch
from stream_apps.pipeline.split import CodeOriginal


class NumberedCodes(NamedTuple):
    """The texts of a batch, whose codes are numbered through, and what each number stands for."""

    texts: Sequence[str]
    starts: Sequence[str]
    ends: Sequence[str]


def numbered_through(texts: Sequence[str], codes: Sequence[Sequence[CodeOriginal]]) -> NumberedCodes:
    """Give the codes of a batch numbers of their own, where each of its segments counts from 0."""
    whole: list[CodeOriginal] = []
    numbered: list[str] = []
    for text, mine in zip(texts, codes, strict=True):
        numbered.append(_moved(text, len(whole)))
        whole += mine
    return NumberedCodes(numbered, [one.start for one in whole], [one.end for one in whole])


def with_markup(batch: SegmentBatch, texts: Sequence[str]) -> Sequence[str]:
    """Return the texts of a marked-up batch with its markup, and what stands between as markup writes it."""
    if not (batch.job.inline_codes and is_marked_up(batch.job.kind, batch.job.content_type)):
        return texts
    originals = _originals(batch)
    return [restored(text, originals, escaped) for text in texts]


def _originals(batch: SegmentBatch) -> Mapping[str, str]:
    originals: dict[str, str] = {}
    for number, (start, end) in enumerate(zip(batch.code_starts, batch.code_ends, strict=False)):
        originals |= {opening(number): start, isolated(number): start, closing(number): end}
    return originals


def _moved(text: str, by: int) -> str:
    return CODE.sub(lambda code: chr(ord(code[0]) + by), text) if by else text
