"""Text -> segments: paragraphs, then sentences, then what is still too long for an engine is cut."""

from collections.abc import Iterator
from dataclasses import dataclass

from stream_apps.intake.segmentation.paragraphs import paragraph_ends
from stream_apps.intake.segmentation.sentences import cuts, sentence_ends
from stream_apps.intake.segmentation.split import Split, split_at

# Part of the pipeline version: whoever changes a rule of this folder counts it up, for a replay of an
# older request must not be taken for the same batches.
SEGMENTATION_VERSION = "1"


@dataclass(frozen=True)
class Segmenter:
    """A pure function of text and language. No segment has more than `longest` characters."""

    longest: int = 1000

    def split(self, text: str, language: str) -> Split:
        """The segments of the text; `language` is a BCP-47 tag."""
        return split_at(text, self._ends(text, language))

    def _ends(self, text: str, language: str) -> Iterator[int]:
        start = 0
        for paragraph_end in paragraph_ends(text):
            paragraph = text[start:paragraph_end]
            for end in sentence_ends(paragraph, language) if paragraph.strip() else ():
                yield from self._within(text, start, paragraph_end - len(paragraph) + end)
                start = paragraph_end - len(paragraph) + end
            start = paragraph_end
            yield start

    def _within(self, text: str, start: int, end: int) -> Iterator[int]:
        yield from (start + cut for cut in cuts(text[start:end], self.longest))
        yield end
