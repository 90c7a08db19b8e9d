"""The result of a segmentation: nothing of the text is lost. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Split:
    """`lead`, then each of `texts` followed by its gap, is the text again, character by character.

    No text is empty or has white space around it.
    """

    lead: str
    texts: tuple[str, ...]
    gaps: tuple[str, ...]

    def joined(self) -> str:
        """The text that was split."""
        return self.lead + "".join(text + gap for text, gap in zip(self.texts, self.gaps, strict=True))


def split_at(text: str, ends: Iterable[int]) -> Split:
    """Cut where `ends` says (ascending offsets); white space around a piece goes into the gaps."""
    pieces: list[tuple[int, int]] = []
    start = 0
    for end in (*ends, len(text)):
        stripped = text[start:end].strip()
        if stripped:
            begin = text.index(stripped, start)
            pieces.append((begin, begin + len(stripped)))
        start = end
    if not pieces:
        return Split(text, (), ())
    nexts = [begin for begin, _ in pieces[1:]] + [len(text)]
    gaps = tuple(text[end:following] for (_, end), following in zip(pieces, nexts, strict=True))
    return Split(text[: pieces[0][0]], tuple(text[begin:end] for begin, end in pieces), gaps)
