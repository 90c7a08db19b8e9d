"""Hide the pieces of a text that must not change from the engine, and put them back. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

# The order matters: where two alternatives match, the first one wins.
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
        # A text that contains what looks like one of our masks: it must not be taken for one.
        r"\bQZ\s?\d+\b",
    )
)
# Whatever is protected holds one of these signs, a full stop before a letter, or `www.`, `()` or `QZ`.
_SIGNS = "@<>&`{%/\\_"
_DOTTED = re.compile(r"\.\w")
# Latin letters, digits, and the punctuation of most languages.
_COMMON = [chr(code) for code in (*range(0x250), *range(0x2000, 0x2070), 0x20AC)]
_WORD = re.compile(r"[^\W\d_]{2,}")


@dataclass(frozen=True)
class Parts:
    """A text taken apart: `plain[0] hidden[0] plain[1] hidden[1] ... plain[-1]`."""

    plain: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def has_words(self) -> bool:
        """Return whether there is anything to translate."""
        return any(_WORD.search(text) for text in self.plain)

    @property
    def is_shouted(self) -> bool:
        """Return whether all words to translate are in capitals, and there are several."""
        words = 0
        for found in (found for text in self.plain for found in _WORD.finditer(text)):
            # Most texts are known by their first word.
            if not found[0].isupper():
                return False
            words += 1
        return words > 1


class Masker:
    """Takes texts apart. `unseen` matches characters that the model cannot represent, each by itself."""

    def __init__(self, unseen: re.Pattern[str] | None) -> None:
        also = f"|{unseen.pattern}" if unseen else ""
        # Neighbours are hidden as one, because models often merge two masks side by side.
        self._pattern = re.compile(f"(?:{_PROTECTED}{also})+", re.DOTALL)
        self._plain = _plain_pattern(unseen)

    def is_plain(self, text: str) -> bool:
        """Return whether surely nothing of the text must be hidden. False is no promise."""
        if not self._plain.fullmatch(text) or _DOTTED.search(text):
            return False
        return "www." not in text and "()" not in text and "QZ" not in text

    def take_apart(self, text: str) -> Parts:
        """Split the text into what is translated and what must not change."""
        if self.is_plain(text):
            return Parts((text,), ())
        plain: list[str] = []
        hidden: list[str] = []
        start = 0
        for found in self._pattern.finditer(text):
            plain.append(text[start : found.start()])
            hidden.append(found[0])
            start = found.end()
        return Parts((*plain, text[start:]), tuple(hidden))


def masked(parts: Parts, style: str) -> str:
    """Return the text with a numbered mask for each hidden piece. `style` has {} for the number."""
    pieces = [parts.plain[0]]
    for number, plain in enumerate(parts.plain[1:]):
        pieces += [style.format(number), plain]
    return "".join(pieces)


def unmasked(translated: str, hidden: Sequence[str], style: str) -> str | None:
    """Put each hidden piece back in place. Returns None unless every mask is there exactly once."""
    pattern = _mask_pattern(style)
    if not hidden:
        return None if pattern.search(translated) else translated
    numbers = [int(found[1]) for found in pattern.finditer(translated)]
    if sorted(numbers) != list(range(len(hidden))):
        return None
    return pattern.sub(lambda found: hidden[int(found[1])], translated)


def _plain_pattern(unseen: re.Pattern[str] | None) -> re.Pattern[str]:
    if unseen is None:
        return re.compile(f"[^{re.escape(_SIGNS)}]*")
    plain = (sign for sign in _COMMON if sign not in _SIGNS and not unseen.search(sign))
    return re.compile(f"[{re.escape(''.join(plain))}]*")


@cache
def _mask_pattern(style: str) -> re.Pattern[str]:
    return re.compile(re.escape(style).replace(r"\{\}", r"(\d{1,6})"))
