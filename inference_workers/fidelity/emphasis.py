"""Check emphasis (`*so*`, `**so**`) that was left to the engine, and widen it to whole words. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import count
from operator import add

from schemas.coded_text import closing, opening

_MARKS = re.compile(r"\*+")
# A few letters of a word: **un**usual, **P**ortable. Not so in a*b*c, nor in f*ck.
_IN_WORD = re.compile(
    r"(?<![\w*])(?:"
    r"(?P<head>[^\W\d_]*)(?P<strong>\*\*)(?P<bold>[^\W\d_]+)\*\*(?P<rest>[^\W\d_]*)"
    r"|(?P<start>[^\W\d_]*)(?P<weak>\*)(?P<slanted>[^\W\d_]{2,})\*(?P<end>[^\W\d_]*)"
    r")(?![\w*])"
)


def widened(text: str) -> str:
    """Return the text with emphasis around whole words where it was around a part of one.

    A translation has other letters: nobody can say which of them were meant.
    """
    return _IN_WORD.sub(_around_word, text) if "*" in text else text


def _around_word(found: re.Match[str]) -> str:
    mark = found["strong"] or found["weak"]
    return mark + "".join(piece for piece in found.groups("") if piece != mark) + mark


def with_emphasis(translated: str, marks: Sequence[str]) -> str | None:
    """Return a translation whose emphasised words stand right between their marks, as engines sometimes do not.

    `marks` are those of the source, one for each pair. Returns None unless the translation has the same pairs,
    with words in each and no letter right outside.
    """
    if not marks:
        return translated
    found = _MARKS.findall(translated)
    if found[::2] != found[1::2] or Counter(found[::2]) != Counter(marks):
        return None
    pieces = _MARKS.split(translated)
    outside, inside = pieces[::2], pieces[1::2]
    touching = [*(before[-1:] for before in outside[:-1]), *(after[:1] for after in outside[1:])]
    if any(map(str.isalnum, touching)) or not all(map(_has_words, inside)):
        return None
    tight = (mark + words.strip() + mark for mark, words in zip(found[::2], inside, strict=True))
    return outside[0] + "".join(words + after for words, after in zip(tight, outside[1:], strict=True))


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def coded(plain: Sequence[str], hidden: Sequence[str], marks: Sequence[str]) -> str | None:
    """Return a text taken apart with inline codes in the place of the marks of its emphasised words.

    `marks` are those of the pairs in the plain text. Returns None where its asterisks are not these pairs alone.
    """
    if Counter(_MARKS.findall("".join(plain))[::2]) != Counter(marks):
        return None
    numbers = count()
    pieces = [_MARKS.sub(lambda _: _half(next(numbers)), piece) for piece in plain]
    return pieces[0] + "".join(map(add, hidden, pieces[1:]))


def decoded(text: str, plain: Sequence[str]) -> str:
    """Return a text with codes of `coded` as it was, or translated, with the marks of the plain text."""
    for number, mark in enumerate(_MARKS.findall("".join(plain))):
        text = text.replace(_half(number), mark)
    return text


def _half(number: int) -> str:
    """Return the code of a mark: every second one closes."""
    return (closing if number % 2 else opening)(number // 2)
