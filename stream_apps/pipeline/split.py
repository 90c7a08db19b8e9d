"""A text in segments: the form in which it leaves the pipeline's first step. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from schemas.message_parts import Warning as Mark


class CodeOriginal(NamedTuple):
    """What an inline code stands for: where it opens or stands alone, and where it closes."""

    start: str
    end: str


class Split(NamedTuple):
    """A text in segments: `lead`, then each of `texts` followed by its gap, is the text, character by character.

    `message_forms` is empty, or parallel to `texts`: how a sentence stands in its message, None for the others.
    The split of a message is another text than the one that was split: what stood around a plural stands in its
    branches, and the translation of a gettext entry where it will be.
    `codes` is empty, or parallel to `texts`: what the inline codes of each stand for, by number. Of marked-up text
    the gaps are as it was, and the texts are coded.

    No text is empty or has white space around it. What passes through stands in the gaps, and `marks` counts it.
    """

    lead: str
    texts: tuple[str, ...]
    gaps: tuple[str, ...]
    marks: Sequence[Mark] = ()
    message_forms: Sequence[str | None] = ()
    codes: Sequence[Sequence[CodeOriginal]] = ()

    def joined(self) -> str:
        """Return the text that was split."""
        return self.lead + "".join(text + gap for text, gap in zip(self.texts, self.gaps, strict=True))


def concatenated(splits: Sequence[Split]) -> Split:
    """Return the split of texts that follow each other."""
    between: list[str] = [""]
    texts: list[str] = []
    forms: list[str | None] = []
    codes: list[Sequence[CodeOriginal]] = []
    counts: Counter[str] = Counter()
    for split in splits:
        between[-1] += split.lead
        between += split.gaps
        texts += split.texts
        forms += split.message_forms or [None] * len(split.texts)
        codes += split.codes or [()] * len(split.texts)
        counts.update({mark.cause: mark.count for mark in split.marks})
    marks = tuple(Mark(cause=cause, count=count) for cause, count in counts.items())
    return Split(
        between[0],
        tuple(texts),
        tuple(between[1:]),
        marks,
        tuple(forms) if any(forms) else (),
        tuple(codes) if any(codes) else (),
    )
