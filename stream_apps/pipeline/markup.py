"""Write the codes of marked-up segments as the markup that they stand for. Pure.

Segments of one batch share the numbers: code `n` is `code_starts[n]` where it opens or stands alone, and
`code_ends[n]` where it closes.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from schemas.coded_text import CODE, closing, isolated, opening, restored
from schemas.markup import MARKUP, escaped, is_marked_up, quoted
from schemas.messages import SegmentBatch
from stream_apps.pipeline.split import CodeOriginal
from stream_apps.pipeline.tag_attributes import is_attribute

# What begins or ends a tag, or an attribute.
_QUOTES = ("'", '"')
_MARKUP = re.compile("[<>\"']")


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
    originals, quotes = originals_of(batch), _Quotes(batch)
    return [
        restored(text, originals, quoted if quotes.are_around(at) else escaped) for at, text in enumerate(texts)
    ]


class _Quotes:
    """Tells which segments of a batch stand in attributes: by their form, or the markup before and behind them.

    A quotation amid prose may look so, too: quotes are entities there then, which readers do not see.
    """

    def __init__(self, batch: SegmentBatch) -> None:
        # Attributes of XML are no segments.
        self._is_html = MARKUP[batch.job.content_type] == "html"
        self._forms = batch.message_forms
        self._between = [batch.lead, *batch.gaps]
        # An attribute of many sentences may begin before the batch and end behind it.
        self._is_amid = 0 < batch.batch_number < batch.job.batches - 1

    def are_around(self, at: int) -> bool:
        """Tell whether a quote comes next, before any tag, or came last."""
        if not self._is_html:
            return False
        if at < len(self._forms) and is_attribute(self._forms[at]):
            return True
        for gap in islice(self._between, at + 1, None):
            if found := _MARKUP.search(gap):
                return found[0] in _QUOTES
        for gap in self._between[at::-1]:
            if marks := _MARKUP.findall(gap):
                return marks[-1] in _QUOTES
        return self._is_amid


def originals_of(batch: SegmentBatch) -> Mapping[str, str]:
    """Return what the codes of a batch stand for."""
    originals: dict[str, str] = {}
    for number, (start, end) in enumerate(zip(batch.code_starts, batch.code_ends, strict=False)):
        originals |= {opening(number): start, isolated(number): start, closing(number): end}
    return originals


def _moved(text: str, by: int) -> str:
    return CODE.sub(lambda code: chr(ord(code[0]) + by), text) if by else text
