"""A text in segments: the form in which it leaves the pipeline's first step. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Split:
    """A text in segments: `lead`, then each of `texts` followed by its gap, is the text, character by character.

    No text is empty or has white space around it. Pieces without letters are no texts: they stand in the gaps, and
    `letterless` counts them.
    """

    lead: str
    texts: tuple[str, ...]
    gaps: tuple[str, ...]
    letterless: int = 0

    def joined(self) -> str:
        """Return the text that was split."""
        return self.lead + "".join(text + gap for text, gap in zip(self.texts, self.gaps, strict=True))
