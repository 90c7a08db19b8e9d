"""Tell what is no translation, and what a reader should look at. Pure."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from inference_workers.fidelity.automata import compiled
from inference_workers.fidelity.clauses import width
from inference_workers.fidelity.figures import same_figures
from inference_workers.fidelity.spans import SPANS
from schemas.languages import LanguagePair

# No translations: the segment is a hole.
EMPTY, LOOP, TRUNCATED = "empty_translation", "repetition_loop", "truncated"
# Translations that a reader should look at: the segment has a warning.
FIGURES_DIFFER, SPANS_DIFFER, BRACKETS_DIFFER, SOURCE_REPEATED, TOO_LONG, TOO_MANY_SPANS = (
    "figures_differ",
    "spans_differ",
    "brackets_differ",
    "source_repeated",
    "unlikely_length",
    "too_many_spans",
)

# A repetition loop says the same few words again and again, and has far more words than a translation needs.
_LONGEST_NGRAM = 4
_REPEATS = 4
# What an engine may make up. Whatever the source has of it is hidden, or was counted.
_NAMES = ("url", "e-mail address", "tag", "braces", "mask")
_MADE_UP = compiled(*(kind.pattern for kind in SPANS if kind.name in _NAMES))
# Most sentences have none of these: no figure, no bracket, and nothing of that kind. The ranges hold the digits of
# all scripts; to look for \d takes twice as long.
_TELLING = re.compile('[0-9()\\[\\]{}"<@:\u0660-\u1c59\ua620-\U0010ffff]')
_BRACKETS = '()[]"'
_NO_DIGITS = _BRACKETS + "{}<@:"
# Of so many words at least some differ between two languages.
_REPEATED_WORDS = 4


@dataclass(frozen=True)
class LengthBounds:
    """How much narrower or wider (`width`) a translation may be; shorter sources may differ more.

    A source narrower than `most_from_width` may be that many times as wide, and by `short_slack` more. What says
    the same again and again is a loop where it has more than `growth` times the words and `slack_words` more.
    """

    least: float = 0.4
    most: float = 3.0
    least_from_width: int = 100
    most_from_width: int = 60
    short_slack: float = math.inf
    growth: float = 2
    slack_words: int = 10

    def is_too_wide(self, source: str, translated: str) -> bool:
        """Tell whether the translation is far wider than one of this source can be."""
        wanted = width(source)
        slack = 0 if wanted >= self.most_from_width else self.short_slack
        return slack < math.inf and width(translated) > self.most * wanted + slack


# English and Portuguese keep 0.89 to 1.14 of their width (libraries' sentences); terser languages must pass too.
# Of 795 labels and sentences that people translated for Django none was twice as wide and 4 more, and none had
# half as many words again and 4 more.
_MEASURED = LengthBounds(0.5, 2.0, short_slack=8, growth=1.5, slack_words=4)
_BOUNDS = {LanguagePair("en", "pt"): _MEASURED, LanguagePair("pt", "en"): _MEASURED}
ANY_PAIR = LengthBounds()


def bounds_of(pair: LanguagePair | None) -> LengthBounds:
    """Return the bounds of a pair; wide ones for those that were not measured."""
    return _BOUNDS.get(pair, ANY_PAIR) if pair else ANY_PAIR


def flaw_of(source: str, translated: str, bounds: LengthBounds = ANY_PAIR) -> str | None:
    """Return `empty_translation`, `repetition_loop`, `truncated`, or None for a plausible translation."""
    if not translated.strip():
        return EMPTY
    words = translated.split()
    if len(words) > bounds.growth * len(source.split()) + bounds.slack_words and _has_loop(words):
        return LOOP
    wanted = width(source)
    is_short = wanted >= bounds.least_from_width and width(translated) < bounds.least * wanted
    return TRUNCATED if is_short else None


def doubt_of(source: Sequence[str], translated: Sequence[str], bounds: LengthBounds = ANY_PAIR) -> str | None:
    """Return why a reader should look at a translation, or None. Both come without what was hidden."""
    before, behind = " ".join(source), " ".join(translated)
    if doubt := _doubt_of_signs(before, behind, source, translated):
        return doubt
    if _is_repeated(before, behind):
        return SOURCE_REPEATED
    return TOO_LONG if bounds.is_too_wide(before, behind) else None


def _doubt_of_signs(before: str, behind: str, source: Sequence[str], translated: Sequence[str]) -> str | None:
    """Compare figures, brackets, and what an engine may have made up, as far as there are signs of them."""
    signs, found = ("".join(_TELLING.findall(text)) for text in (before, behind))
    if (signs.strip(_NO_DIGITS) or found.strip(_NO_DIGITS)) and not same_figures(source, translated):
        return FIGURES_DIFFER
    may_be_made_up = found.strip(_BRACKETS) or "www." in behind
    if may_be_made_up and (made_up := _made_up(behind)) and made_up - _made_up(before):
        return SPANS_DIFFER
    return None if _open_brackets(signs) == _open_brackets(found) else BRACKETS_DIFFER


def _made_up(text: str) -> Counter[bytes]:
    return Counter(one.group() for one in _MADE_UP.finditer(text.encode(errors="surrogatepass")))


def _open_brackets(text: str) -> list[int]:
    if not text:
        return [0] * 5
    opened = [text.count(opening) - text.count(closing) for opening, closing in ("()", "[]", "{}")]
    # Who closes a quotation is not said; that one is open is. "(in English)" is of no source.
    return [*opened, text.count('"') % 2, text.count("(")]


def _is_repeated(source: str, translated: str) -> bool:
    # Most differ in their first word.
    if source.split(None, 1)[:1] != translated.split(None, 1)[:1] or source.split() != translated.split():
        return False
    # Names and code are the same in every language.
    return sum(word.islower() and word.isalpha() for word in source.split()) >= _REPEATED_WORDS


def _has_loop(words: list[str]) -> bool:
    return any(_repeats(words, size) for size in range(1, _LONGEST_NGRAM + 1))


def _repeats(words: list[str], size: int) -> bool:
    run = 1
    for at in range(size, len(words) - size + 1, size):
        run = run + 1 if words[at : at + size] == words[at - size : at] else 1
        if run >= _REPEATS:
            return True
    return False
