"""A text in segments: the form in which it leaves the pipeline's first step. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.messages import Warning as Mark


@dataclass(frozen=True)
class Split:
    """A text in segments: `lead`, then each of `texts` followed by its gap, is the text, character by character.

    No text is empty or has white space around it. What passes through stands in the gaps, and `marks` counts it.
    """

    lead: str
    texts: tuple[str, ...]
    gaps: tuple[str, ...]
    marks: Sequence[Mark] = ()

    def joined(self) -> str:
        """Return the text that was split."""
        return self.lead + "".join(text + gap for text, gap in zip(self.texts, self.gaps, strict=True))
