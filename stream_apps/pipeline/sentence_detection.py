"""Find sentences as yasbd does, at a fraction of its time. Pure.

yasbd looks for each of its exceptions in the whole text. Nearly all sentences end behind a plain word, where no
exception can hold. So its own pattern is asked at terminators only, and the library itself where there may be an
abbreviation, an initial, a number, a list or a table of contents: wherever this module is not sure.
"""

import re
from bisect import bisect_left
from functools import cache
from itertools import pairwise
from typing import Any

from yasbd import BoundaryDetector, __version__, get_supported_langs
from yasbd.rules import load_rule

# What follows was proved against the patterns of this version. Any other answers by itself, at its own pace.
KNOWN_VERSION = "1.0.4"
# They end sentences at words, without a terminator.
_UNSHORTENED = frozenset({"th", "my"})

_CLOSERS = frozenset(")]}\"'”’»›")
# Between letters with cases they end a sentence in every language.
_ALWAYS_TERMINATORS = frozenset("。！？।")
_DOT_LIKE = ".．။।॥·•∙⋅"
_LIST_START = re.compile(rf"[-*+•◦]|\S{{1,2}}[{_DOT_LIKE})]")
_LIST_MARKER = re.compile(rf"(?<!\S)(?:[-*+]|\S{{1,2}}[{_DOT_LIKE})]{{1,2}})(?!\S)")
_INITIAL = re.compile(r"\s+.\.")
_NO_CLOSER = re.compile(r" *(?:[^\W_]|\Z)")
_ASCII_QUOTES = re.compile(r"[\"'`(\[{]")
# Abbreviations that stand in patterns of the library instead of its sets.
_MORE_ABBREVIATIONS = {"es": ("ud", "uds", "vd", "vds", "no", "nos", "para"), "kk": ("ж", "жж")}


class SentenceDetector:
    """The sentences of one language, as the library finds them."""

    def __init__(self, language: str) -> None:
        self._library = BoundaryDetector(language)
        is_known = __version__ == KNOWN_VERSION and language not in _UNSHORTENED
        self._shortcut = Shortcut(language) if is_known else None

    def segment(self, text: str) -> list[str]:
        """Return the sentences with the white space before them. `text` has no white space but spaces."""
        boundaries = self._shortcut.boundaries(text) if self._shortcut else None
        if boundaries is None:
            return list(self._library.segment(text, preserve_whitespace=True))
        return [text[start:end] for start, end in pairwise(boundaries)]


@cache
def detector_of(language: str) -> SentenceDetector | None:
    """Return the detector of a language ("pt"), None where the library does not know it."""
    return SentenceDetector(language) if language in languages() else None


@cache
def languages() -> frozenset[str]:
    """Return the languages that the library knows."""
    return frozenset(get_supported_langs()) - {"auto"}


class Shortcut:
    """The library's boundaries of a text where they are sure without its exceptions."""

    def __init__(self, language: str) -> None:
        rule: Any = load_rule(language, ext_registry={})  # its patterns are made at run time
        terminators = "".join(sorted(rule.TERMINATORS | _ALWAYS_TERMINATORS))
        self._terminator = re.compile(f"[{re.escape(terminators)}]")
        self._candidate = rule.CANDIDATE_BOUNDARY_FINDER
        self._leader = rule.TOC_LEADER_FINDER
        self._quotes = rule.QUOTE_AND_PAREN_FINDER
        self._quote_end = rule.QUOTE_AND_PAREN_END_FINDER
        self._abbreviations = abbreviations_of(rule) | frozenset(_MORE_ABBREVIATIONS.get(language, ()))
        self._names = _spellings(rule.NAMES_WITH_EXCLAMATION)

    def boundaries(self, text: str) -> list[int] | None:
        """Return 0, the offsets behind each sentence and the length, or None: ask the library."""
        if _may_be_list(text) or ("..." in text and self._leader.search(text)):
            return None
        # A terminator at the very end bounds nothing.
        terminators = [found.start() for found in self._terminator.finditer(text, 0, len(text) - 1)]
        ends = {end for at in terminators if (end := self._candidate_end(text, at)) < len(text)}
        if any(self._may_be_exception(text, end) for end in ends):
            return None
        if terminators and (not text.isascii() or _ASCII_QUOTES.search(text)):
            ends = self._outside_quotes(text, terminators, ends)
        return [0, *sorted(ends), len(text)]

    def _candidate_end(self, text: str, at: int) -> int:
        """Return where the candidate of the terminator at `at` ends; the text's length if there is none."""
        before = at - 1
        while before >= 0 and text[before] == " ":
            before -= 1
        # The library's pattern may begin at a letter before the terminator: of a script without cases, or before
        # a terminator of such a script.
        found = None
        if before >= 0 and not (text[before].isascii() and text[at].isascii()):
            found = self._candidate.match(text, before)
        found = found or self._candidate.match(text, at)
        return found.end() if found else len(text)

    def _may_be_exception(self, text: str, end: int) -> bool:
        """Return whether one of the library's exceptions may end at `end`, a candidate before the text's end."""
        mark, at = text[end - 1], end - 1
        if mark in "!！‼":
            return not text[at - 1 : at].isalpha() or folded(text[max(at - 60, 0) : at]).endswith(self._names)
        if mark not in _DOT_LIKE:
            return False
        token = text[text.rfind(" ", 0, at) + 1 : at]
        if mark != ".":
            # The number of a list, at the beginning; a letter of full width.
            return mark == "．" or text.lstrip().startswith(token)
        if token[-1:] in _CLOSERS and text[end] == " ":
            return False
        return text[end] != " " or self._may_be_abbreviation(token) or bool(_INITIAL.match(text, end))

    def _may_be_abbreviation(self, token: str) -> bool:
        """Return whether a word before a full stop may be an abbreviation, an initial or a number."""
        word = token if token.isalpha() else _last_letters(token)
        rest, before = word[1:], token[: len(token) - len(word)]
        # In capitals it may be a Roman number, too. A mark before it may belong to the word.
        if not rest or rest != rest.lower() or not before.isascii():
            return True
        return folded(word) in self._abbreviations

    def _outside_quotes(self, text: str, terminators: list[int], ends: set[int]) -> set[int]:
        """Return the ends without those inside quotes and parentheses, and with those behind a quoted sentence."""
        spans = [found.span() for found in self._quotes.finditer(text)]
        if spans and not all(_NO_CLOSER.match(text, at + 1) for at in terminators):
            ends = ends.union(found.end() for found in self._quote_end.finditer(text))
        starts = [start for start, _ in spans]
        before = {end: bisect_left(starts, end) for end in ends if end < len(text)}
        return {end for end, count in before.items() if not count or end >= spans[count - 1][1]}


def abbreviations_of(rule: Any) -> frozenset[str]:
    """Return the last word of each abbreviation and section marker in the library's patterns of a language."""
    names = [name for name in dir(rule) if name.endswith("_ABBRVS") or name == "SECTION_MARKERS"]
    spelled = _spellings(one for name in names for one in getattr(rule, name))
    return frozenset(_last_letters(one) for one in spelled)


def folded(text: str) -> str:
    """Return the text so that any two texts that a pattern takes for the same, whatever their case, are equal."""
    return text.casefold().replace("ı", "i").replace("i\u0307", "i")


def _spellings(words: Any) -> tuple[str, ...]:
    # Some of the library's patterns are verbose: in them the spaces of its words count for nothing.
    return tuple(sorted({folded(spelled) for word in words for spelled in (word, word.replace(" ", ""))}))


def _may_be_list(text: str) -> bool:
    may_begin = ":" in text or _LIST_START.match(text)
    return bool(may_begin) and len(_LIST_MARKER.findall(text)) > 1


def _last_letters(token: str) -> str:
    start = len(token)
    while start and token[start - 1].isalpha():
        start -= 1
    return token[start:]
