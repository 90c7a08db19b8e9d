"""The texts of the benchmarks: real English sentences of the Python language reference, all different."""

import random
from collections.abc import Sequence
from functools import cache

from schemas.segments import count_words, normalise
from stream_apps.pipeline.segmentation import Segmenter

PARAGRAPH = 6
_LEAST_WORDS, _MOST_WORDS = 5, 30


def sentences(count: int, start: int = 0) -> list[str]:
    """Return `count` sentences from number `start` on; no two numbers have the same one."""
    found = _originals()
    return [_numbered(found[number % len(found)], number // len(found)) for number in range(start, start + count)]


def document(parts: Sequence[str]) -> str:
    """Join the sentences as paragraphs of a few sentences each."""
    paragraphs = [" ".join(parts[at : at + PARAGRAPH]) for at in range(0, len(parts), PARAGRAPH)]
    return "\n\n".join(paragraphs)


def _numbered(sentence: str, chapter: int) -> str:
    return f"In chapter {chapter} we read that {sentence}" if chapter else sentence


@cache
def _originals() -> tuple[str, ...]:
    from pydoc_data.topics import topics  # half a megabyte

    segmenter = Segmenter()
    segments = {normalise(text): None for topic in topics.values() for text in segmenter.split(topic, "en").texts}
    fitting = [text for text in segments if _is_sentence(text)]
    random.Random(7).shuffle(fitting)
    return tuple(fitting)


def _is_sentence(text: str) -> bool:
    ends = text[0].isupper() and text.endswith(".") and "\n" not in text
    return ends and _LEAST_WORDS <= count_words(text) <= _MOST_WORDS
