"""A text taken apart into what is translated and what must come back as it is. Pure."""

import re
from collections.abc import Callable, Iterator, Sequence
from operator import add
from typing import NamedTuple

from schemas.coded_text import CODE, closing, codes_of, is_closing, is_opening, number_of, opening
from schemas.terms import TermIndex

_WORD = re.compile(r"[^\W\d_]{2,}")
_LEAST_SHOUTED = 3
# Shorter words in capitals are acronyms, but for these.
_SHORT_WORDS = frozenset(["AM", "DO", "GO", "IN", "ME", "MY", "NO", "OF", "ON", "OR", "SO", "TO", "UP", "WE"])


class Parts(NamedTuple):
    """A text taken apart: `plain[0] hidden[0] plain[1] hidden[1] ... plain[-1]`.

    `marks` tells of each hidden piece whether it is a mark, a tag or a sign, and no part of the sentence. `left`
    are spans that stand in the plain text and must be found in the translation; `emphasis` are the marks of words
    in the plain text that are emphasised, one for each pair of marks. `typed` is the plain text as its author
    typed it, where the model knows other dashes, dots or quotes. `is_crowded` tells of a text with more spans than
    any engine keeps apart, which is not taken apart.
    """

    plain: tuple[str, ...]
    hidden: tuple[str, ...]
    marks: tuple[bool, ...] = ()
    left: tuple[str, ...] = ()
    emphasis: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    is_crowded: bool = False

    @property
    def whole(self) -> str:
        """Return the text that the parts make up."""
        return self.plain[0] + "".join(map(add, self.hidden, self.plain[1:])) if self.hidden else self.plain[0]

    @property
    def has_spans(self) -> bool:
        """Return whether anything must come back as it is."""
        return bool(self.hidden or self.left or self.emphasis)

    @property
    def has_words(self) -> bool:
        """Return whether there is anything to translate."""
        return any(map(_WORD.search, self._words if self.left else self.plain))

    @property
    def _words(self) -> Iterator[str]:
        """Yield the plain text without the spans in it."""
        for text in self.plain:
            for span in self.left:
                text = text.replace(span, "", 1)  # noqa: PLW2901  # what is left of it
            yield text

    @property
    def edges(self) -> tuple[int, int]:
        """Count the hidden pieces at the beginning and at the end that no engine needs to see."""
        head, tail = (self._marks_at(step, _is_blank) for step in (1, -1))
        if head == len(self.hidden):
            return head, 0
        # Quotes and brackets outside marks are set aside on both sides or not at all.
        wide = tuple(self._marks_at(step, _is_wordless) for step in (1, -1))
        if all(wide) and sum(wide) <= len(self.hidden):
            head, tail = wide[0], wide[1]
        return self._without_halves(head, tail)

    def _without_halves(self, head: int, tail: int) -> tuple[int, int]:
        """Leave at the edges no inline code whose other half stands amid the words: it frames some of them."""
        behind = len(self.hidden) - tail
        inside = "".join(self.hidden[head:behind])
        if not CODE.search(inside):
            return head, tail
        halves = {_other_half(code) for code in codes_of(inside)}
        framing = [at for at, piece in enumerate(self.hidden) if halves & set(piece)]
        first = min((at for at in framing if at < head), default=head)
        last = max((at for at in framing if at >= behind), default=behind - 1)
        return first, len(self.hidden) - last - 1

    def _marks_at(self, step: int, may_stand_before: Callable[[str], bool]) -> int:
        count = 0
        for is_mark, plain in zip(self.marks[::step], self.plain[::step], strict=False):
            if not (is_mark and may_stand_before(plain)):
                break
            count += 1
        return count

    @property
    def is_shouted(self) -> bool:
        """Return whether all words to translate are in capitals, and there are several or a long one."""
        return are_shouted(self.words_in_capitals())

    @property
    def is_acronym(self) -> bool:
        """Return whether all there is to translate are two capitals, as in AI."""
        return is_acronym(self.words_in_capitals())

    def words_in_capitals(self) -> list[str]:
        """Return all words if all are in capitals, else none."""
        words: list[str] = []
        for text in self.plain:
            # Most texts are known by their first word.
            first = _WORD.search(text)
            if first and not first[0].isupper():
                return []
            words += _WORD.findall(text) if first else []
        return words if all(map(str.isupper, words)) else []


def are_shouted(words: Sequence[str]) -> bool:
    """Return whether there are several words in capitals, or a long one."""
    return len(words) > 1 or any(len(word) >= _LEAST_SHOUTED or word in _SHORT_WORDS for word in words)


def is_acronym(words: Sequence[str]) -> bool:
    """Return whether words in capitals are two letters, as in AI."""
    return len(words) == 1 and not are_shouted(words)


class PartsBuilder:
    """Collects stretches and spans in order. Neighbours become one, because models often merge two masks."""

    def __init__(self, is_mark: Callable[[str], bool], glossary: TermIndex | None = None) -> None:
        self._is_mark = is_mark
        self._glossary = glossary
        self._plain = [""]
        self._hidden: list[str] = []
        self._marks: list[bool] = []
        self._left: list[str] = []
        self._ends_in_left = False
        self.emphasis: list[str] = []
        self.count = 0

    def add(self, plain: str) -> None:
        """Add a stretch to translate; the terms of the glossary in it are hidden, and come back translated."""
        at = 0
        for found in self._glossary.find(plain) if self._glossary else ():
            self._add(plain[at : found.start])
            self.hide(found.target, is_mark=False)
            self.count += 1
            at = found.end
        self._add(plain[at:])

    def _add(self, plain: str) -> None:
        self._plain[-1] += plain
        self._ends_in_left &= not plain

    def leave(self, span: str) -> None:
        """Leave a span in the plain text, unless it touches a hidden one."""
        if self._hidden and not self._plain[-1] and not span[0].isspace():
            self.hide(span)
            return
        self._add(span)
        self._left.append(span.strip())
        self._ends_in_left = True

    def hide(self, span: str, *, is_mark: bool | None = None) -> None:
        """Hide a span, without the white space that a pattern took along in front."""
        bare = span.lstrip()
        if not bare:
            self._add(span)
            return
        if self._ends_in_left and bare == span:
            touching = self._left.pop()
            self._plain[-1] = self._plain[-1].removesuffix(touching)
            bare = touching + bare
        self._ends_in_left = False
        self._add(span[: len(span) - len(span.lstrip())])
        if is_mark is None:
            is_mark = self._is_mark(bare)
        if self._hidden and self._is_neighbour(is_mark):
            self._hidden[-1] += self._plain.pop() + bare
            self._marks[-1] &= is_mark
        else:
            self._hidden.append(bare)
            self._marks.append(is_mark)
        self._plain.append("")

    def _is_neighbour(self, is_mark: bool) -> bool:
        between, before = self._plain[-1], self._hidden[-1]
        if between and not between.isspace():
            return False
        return (not between and not before[-1].isspace()) or is_mark == self._marks[-1]

    def parts(self) -> Parts:
        return Parts(
            tuple(self._plain),
            tuple(self._hidden),
            tuple(self._marks),
            tuple(self._left),
            tuple(self.emphasis),
        )


def _other_half(code: str) -> str:
    number = number_of(code)
    return closing(number) if is_opening(code) else opening(number) if is_closing(code) else ""


def _is_blank(text: str) -> bool:
    return not text.strip()


def _is_wordless(text: str) -> bool:
    return not any(map(str.isalnum, text))
