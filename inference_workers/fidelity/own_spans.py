"""Find what a caller has a say in: terms and placeholders to keep, and terms with a translation. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import Any

import re2

from inference_workers.fidelity.automata import compiled_small
from schemas.terms import NO_TERMS, TermIndex, term_index
from schemas.validity import PATTERN_OPTION, placeholder_pattern_of


@dataclass(frozen=True)
class OwnSpans:
    """A pattern, and the terms that stand in it as they are; `glossary` has those that are translated.

    `pattern` is None where nothing is kept. For `own_spans`.
    """

    pattern: Any
    terms: frozenset[str]
    glossary: TermIndex | None = None

    def of(self, text: str, most: int) -> Iterator[tuple[int, int]]:
        """Yield start and end of the first spans. A term is a whole word; a placeholder may stand inside one."""
        for found in islice(self.pattern.finditer(text) if self.pattern else (), most):
            start, end = found.span()
            if start < end and (found[0] not in self.terms or _is_whole(text, start, end)):
                yield start, end


def own_spans(
    terms: Sequence[str], options: Mapping[str, str], glossary: Mapping[str, str] = NO_TERMS
) -> OwnSpans | None:
    """Return what to look for, or None. Raises PermanentError for a pattern that RE2 does not take."""
    asked = options.get(PATTERN_OPTION)
    kept = _compiled(tuple(sorted(terms, key=_longest_first)), asked) if terms or asked is not None else None
    if not glossary:
        return kept
    return replace(kept or OwnSpans(None, frozenset()), glossary=term_index(tuple(glossary.items())))


@lru_cache(maxsize=32)
def _compiled(terms: tuple[str, ...], asked: str | None) -> OwnSpans:
    pattern = placeholder_pattern_of({} if asked is None else {PATTERN_OPTION: asked})
    alternatives = [pattern] if pattern else []
    alternatives += [re2.escape(term) for term in terms if term]
    return OwnSpans(compiled_small(*alternatives), frozenset(terms))


def _longest_first(term: str) -> tuple[int, str]:
    return -len(term), term


def _is_whole(text: str, start: int, end: int) -> bool:
    inside = _is_word(text[start]) and start > 0 and _is_word(text[start - 1])
    return not inside and not (_is_word(text[end - 1]) and end < len(text) and _is_word(text[end]))


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"
