"""What is hidden from the engine, how, and how it comes back. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

# The order matters: at one place the first alternative wins.
_PROTECTED = "|".join(
    (
        r"(?:https?|ftp)://[^\s<>\"']*[^\s<>\"'.,;:!?)\]]",
        r"www\.[^\s<>\"']*[^\s<>\"'.,;:!?)\]]",
        r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
        r"</?[A-Za-z][^<>]*>",
        r"&(?:[A-Za-z]+|#\d+);",
        r"```.*?```|`[^`]+`",
        r"\$?\{\{?[^{}\s][^{}]*\}\}?",
        r"%\(\w+\)[-+#0]*\d*(?:\.\d+)?[a-zA-Z]|%(?:\d+\$)?[-+#0]*\d*(?:\.\d+)?(?:hh|ll|[hljzt])?[sdiufFeEgGxXoc@](?![a-zA-Z])",
        r"[A-Za-z]:\\[\w.\\-]+|(?<![\w/])(?:~|\.{1,2})?/[\w.-]+(?:/[\w.-]+)*/?",
        r"\b__\w+__(?:\(\))?|\b\w+(?:\.\w+)*\(\)|\b\w*[a-z]\w*_\w+\b|\b[a-z_]\w+(?:\.[a-z_]\w+)+\b",
        # What looks like a mask of ours in the text itself must not be taken for one.
        r"\bQZ\s?\d+\b",
    )
)
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Parts:
    """A text taken apart: `plain[0] hidden[0] plain[1] hidden[1] ... plain[-1]`."""

    plain: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def has_words(self) -> bool:
        """Whether there is anything to translate."""
        return any(_WORD.search(text) for text in self.plain)

    @property
    def is_shouted(self) -> bool:
        """Whether all that is to be translated is in capitals, several words of it."""
        words = [word for text in self.plain for word in _WORD.findall(text)]
        return len(words) > 1 and all(word.isupper() for word in words)


class Masker:
    """Takes texts apart and puts them together for one model's traits."""

    def __init__(self, unseen: re.Pattern[str] | None) -> None:
        also = f"|{unseen.pattern}" if unseen else ""
        # Neighbours are hidden as one: two masks side by side are often merged by a model.
        self._pattern = re.compile(f"(?:{_PROTECTED}{also})+", re.DOTALL)

    def take_apart(self, text: str) -> Parts:
        """The text with all that must not change set aside."""
        plain: list[str] = []
        hidden: list[str] = []
        start = 0
        for found in self._pattern.finditer(text):
            plain.append(text[start : found.start()])
            hidden.append(found[0])
            start = found.end()
        return Parts((*plain, text[start:]), tuple(hidden))


def masked(parts: Parts, style: str) -> str:
    """The text for the engine: a numbered mask for each hidden piece. `style` has {} for the number."""
    pieces = [parts.plain[0]]
    for number, plain in enumerate(parts.plain[1:]):
        pieces += [style.format(number), plain]
    return "".join(pieces)


def unmasked(translated: str, hidden: Sequence[str], style: str) -> str | None:
    """The translation with each hidden piece back in place; None unless every mask is there exactly once."""
    pattern = _mask_pattern(style)
    numbers = [int(found[1]) for found in pattern.finditer(translated)]
    if sorted(numbers) != list(range(len(hidden))):
        return None
    return pattern.sub(lambda found: hidden[int(found[1])], translated)


def _mask_pattern(style: str) -> re.Pattern[str]:
    return re.compile(re.escape(style).replace(r"\{\}", r"(\d{1,6})"))
