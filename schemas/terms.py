"""Find the terms of a glossary in a text: whole words, the longest first, as written or in capitals. Pure.

Intake finds those that occur in a batch, and the workers find them again in each segment, so both use this.
A term also matches with a capital first, and all in capitals; its translation is then written so, too.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from schemas.segments import UNSPACED, normalise

NO_TERMS: Mapping[str, str] = MappingProxyType({})
# A word; in scripts without spaces each character by itself; any other sign.
_TOKEN = re.compile(rf"{UNSPACED}|(?:(?!{UNSPACED})\w)+|[^\w\s]")
_WORD = re.compile(rf"(?!{UNSPACED})\w")


class Occurrence(NamedTuple):
    """A term in a text: where it begins and ends, how the glossary writes it, and what takes its place."""

    start: int
    end: int
    term: str
    target: str


class _Form(NamedTuple):
    """A way in which a term may be written, and its translation written alike."""

    written: str
    term: str
    target: str


class TermIndex:
    """The terms of one glossary, or of several together. Immutable."""

    def __init__(self, terms: Mapping[str, str]) -> None:
        self._targets = {normalise(term): target for term, target in terms.items()}
        self._forms = {form.written: form for form in _forms_of(terms)}
        lengths: dict[str, set[int]] = {}
        for written in self._forms:
            lengths.setdefault(_first_token(written), set()).add(len(written))
        # By the first word: how long the terms are that begin with it, the longest first.
        self._lengths = {token: sorted(some, reverse=True) for token, some in lengths.items()}

    def find(self, text: str) -> Iterator[Occurrence]:
        """Yield the terms in the text from left to right, none of which overlap."""
        behind = 0
        for token in _TOKEN.finditer(text) if self._lengths else ():
            start = token.start()
            form = self._form_at(text, start, token[0]) if start >= behind else None
            if form:
                behind = start + len(form.written)
                yield Occurrence(start, behind, form.term, form.target)

    def target_of(self, term: str) -> str:
        """Return the translation of a term that was found."""
        return self._targets[term]

    def _form_at(self, text: str, start: int, token: str) -> _Form | None:
        for length in self._lengths.get(token, ()):
            form = self._forms.get(text[start : start + length])
            if form and _ends_word(text, start + length):
                return form
        return None


@lru_cache(maxsize=8)
def term_index(terms: tuple[tuple[str, str], ...]) -> TermIndex:
    """Return the index of terms and translations; that of a glossary is wanted again and again."""
    return TermIndex(dict(terms))


def _forms_of(terms: Mapping[str, str]) -> Iterator[_Form]:
    """Yield each way to write a term once: as a glossary writes it goes before what follows from another entry."""
    sound = [(normalise(term), normalise(target)) for term, target in terms.items()]
    known = {term for term, _ in sound}
    for term, target in sound:
        yield _Form(term, term, target)
    for term, target in sound:
        for change in (_with_capital, str.upper):
            if (written := change(term)) not in known:
                known.add(written)
                yield _Form(written, term, change(target))


def _with_capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _first_token(text: str) -> str:
    found = _TOKEN.match(text)
    return found[0] if found else ""


def _ends_word(text: str, end: int) -> bool:
    return not (end < len(text) and _WORD.match(text[end - 1]) and _WORD.match(text[end]))
