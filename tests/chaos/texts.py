"""Make the texts to translate: distinct English prose, mostly short, some very long. Pure."""

import random
import re
from functools import cache

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z])")
_PLAIN = re.compile(r"""[A-Z][\w ,;:'"()-]{25,220}[.!?]""")
_TAIL = 1.1
_PARAGRAPH_SENTENCES = 5


@cache
def sentences() -> tuple[str, ...]:
    """Return plain sentences of the Python language reference, which ships with the standard library."""
    from pydoc_data.topics import topics

    paragraphs = ("\n\n".join(topics[name] for name in sorted(topics))).split("\n\n")
    pieces = (piece for text in paragraphs for piece in _SENTENCE_END.split(" ".join(text.split())))
    return tuple(dict.fromkeys(piece for piece in pieces if _PLAIN.fullmatch(piece)))


def texts(seed: int, count: int, longest: int) -> list[str]:
    """Draw `count` distinct texts; the longest has `longest` sentences, half of them have one or two."""
    chance = random.Random(f"texts {seed}")
    sizes = [*(_size((rank + 0.5) / (count - 1), longest) for rank in range(count - 1)), longest]
    chance.shuffle(sizes)
    return [_text(number, size, chance) for number, size in enumerate(sizes)]


def probe_text(number: int) -> str:
    """Make a short text that occurs once, so that the translation memory does not know it."""
    every = sentences()
    return f"Question {number + 1} of today. {every[number % len(every)]}"


def _size(share: float, longest: int) -> int:
    """Return the quantile of a Pareto distribution from 1, cut at `longest`."""
    return min(longest, int((1 - share) ** (-1 / _TAIL)))


def _text(number: int, size: int, chance: random.Random) -> str:
    chosen = [f"This is text number {number + 1}.", *chance.choices(sentences(), k=size - 1)]
    paragraphs = [chosen[at : at + _PARAGRAPH_SENTENCES] for at in range(0, size, _PARAGRAPH_SENTENCES)]
    return "\n\n".join(" ".join(paragraph) for paragraph in paragraphs)
