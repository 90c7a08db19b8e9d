"""Cut a text that is too long for a model in two, where a reader would pause, and join the halves again. Pure."""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from inference_workers.fidelity.parts import Parts

# The best kind of border first: behind a sentence or a clause, behind a comma, at white space. Scripts that write
# without spaces have borders behind their own punctuation.
_BORDERS = tuple(
    re.compile(pattern)
    for pattern in (
        r"[.!?;:…][\"'”’»)\]]*(\s+)|\s+[–—-](\s+)|[。！？；：…]+[”’」』）]*(\s*)",
        r"[,،؛](\s+)|[，、](\s*)",
        r"(\s+)",
    )
)
# A half has at least a quarter of the text, so that few cuts are enough.
_LEAST_SHARE = 4
# The first character that east_asian_width calls wide: Hangul's first consonant.
_MAYBE_WIDE = re.compile("[\u1100-\U0010ffff]")
_JOINERS = "\u200d\ufe0f\ufe0e"
_SPACELESS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff65]"
)


class Halves(NamedTuple):
    """A text as `first gap second`; the gap is white space or empty."""

    first: str
    gap: str
    second: str


def cut_in_two(text: str, parts: Parts) -> Halves | None:
    """Cut at the best border near the middle, never inside what is hidden; None for what cannot be cut.

    Without any border the text is cut between two characters.
    """
    plain = list(_plain_spans(parts))
    least = len(text) // _LEAST_SHARE
    for pattern in _BORDERS:
        gaps = [gap for gap in _gaps(text, pattern, plain) if least <= gap[0] and gap[1] <= len(text) - least]
        if gaps:
            start, end = min(gaps, key=lambda gap: abs(gap[0] + gap[1] - len(text)))
            return Halves(text[:start], text[start:end], text[end:])
    return _cut_anywhere(text, plain)


def joined(halves: Halves, first: str, second: str) -> str:
    """Join the translations of the halves with their gap.

    A space is added where the source needs none between words and the translation does.
    """
    gap = halves.gap
    if not gap and first and second and _SPACELESS.match(halves.first[-1]) and not _is_spaceless(first, second):
        gap = " "
    return f"{first}{gap}{second}"


def width(text: str) -> int:
    """Count characters so that scripts compare: an ideograph or a syllable says as much as three letters."""
    # Most texts end here.
    if text.isascii() or not _MAYBE_WIDE.search(text):
        return len(text)
    return sum(3 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _is_spaceless(first: str, second: str) -> bool:
    return bool(_SPACELESS.match(first[-1]) or _SPACELESS.match(second[0]))


def _plain_spans(parts: Parts) -> Iterator[tuple[int, int]]:
    at = 0
    for number, plain in enumerate(parts.plain):
        yield at, at + len(plain)
        at += len(plain) + (len(parts.hidden[number]) if number < len(parts.hidden) else 0)


def _gaps(text: str, pattern: re.Pattern[str], spans: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    for start, end in spans:
        for found in pattern.finditer(text, start, end):
            gap = found.span(found.lastindex or 0)
            if text[: gap[0]].strip() and text[gap[1] :].strip():
                yield gap


def _cut_anywhere(text: str, spans: list[tuple[int, int]]) -> Halves | None:
    places = [at for start, end in spans for at in range(start, end + 1) if _may_part(text, at)]
    if not places:
        return None
    at = min(places, key=lambda place: abs(2 * place - len(text)))
    return Halves(text[:at], "", text[at:])


def _may_part(text: str, at: int) -> bool:
    """Tell whether both sides hold something and no character is taken apart."""
    if not (text[:at].strip() and text[at:].strip()):
        return False
    before, after = text[at - 1], text[at]
    return not (unicodedata.combining(after) or after in _JOINERS or before == "\u200d")
