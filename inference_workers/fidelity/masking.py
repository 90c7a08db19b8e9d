"""Take a text apart into what is translated and what must come back as it is. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from itertools import islice
from typing import Any

import re2

from inference_workers.fidelity.own_spans import OwnSpans
from inference_workers.fidelity.spans import FIGURES, SPANS, Kind

# A text with more spans is a table or worse, and no engine keeps so many masks apart.
MOST_SPANS = 200
# What the states of the automata may take, for each of them.
_MEMORY_BYTES = 64 << 20
_WORD = re.compile(r"[^\W\d_]{2,}")
_LEAST_SHOUTED = 3
# Shorter words in capitals are acronyms, but for these.
_SHORT_WORDS = frozenset(["AM", "DO", "GO", "IN", "ME", "MY", "NO", "OF", "ON", "OR", "SO", "TO", "UP", "WE"])
# What is in a link and in emphasis is translated: what opens, what is inside, what closes.
_WRAPPED = re.compile(r"(!?\[)([^\[\]]+)(\][\[(].*)|(\*+|~~|_)(?!_)(.+)(\4)", re.DOTALL)
_WRAPPERS = frozenset("![*~_")
_DEEPEST = 3
# Labels that look like a speaker in capitals.
_LABELS = frozenset(
    ("A", "ANSWER", "ATTENTION", "BUG", "CAUTION", "DANGER", "DEBUG", "ERROR", "EXAMPLE", "FATAL", "FIXME", "HINT",
     "IMPORTANT", "INFO", "NB", "NOTE", "NOTICE", "PS", "Q", "QUESTION", "REMINDER", "RESULT", "STEP", "SUMMARY",
     "TIP", "TODO", "UPDATE", "URGENT", "WARN", "WARNING")
)  # fmt: skip
# Marks, tags and signs are no part of a sentence.
_MARKS = "|".join(f"(?:{kind.pattern})" for kind in SPANS if kind.is_mark)
_MARK = re2.compile(rf"(?:{_MARKS}|</?[A-Za-z][^<>]*>|[^\pL\pN\s{{}}%$]|\s)+")
_TRIED = re2.compile("|".join(f"(?:{kind.pattern})" for kind in SPANS if kind.is_tried))
_MASK_LIKE = re.compile(r"qz|//x\.co/", re.IGNORECASE)
_PYTHON_CHARACTER = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})")


class Hiding(Enum):
    """How much is hidden: all spans but those that engines mostly keep, all spans, or figures too."""

    FEW = auto()
    SPANS = auto()
    FIGURES = auto()


@dataclass(frozen=True)
class Parts:
    """A text taken apart: `plain[0] hidden[0] plain[1] hidden[1] ... plain[-1]`.

    `marks` tells of each hidden piece whether it is a mark, a tag or a sign, and no part of the sentence. `left`
    are spans that stand in the plain text and must be found in the translation.
    """

    plain: tuple[str, ...]
    hidden: tuple[str, ...]
    marks: tuple[bool, ...] = ()
    left: tuple[str, ...] = ()
    count: int = 0

    @property
    def has_words(self) -> bool:
        """Return whether there is anything to translate."""
        return any(_WORD.search(text) for text in (self._words if self.left else self.plain))

    @property
    def _words(self) -> Iterator[str]:
        """Yield the plain text without the spans in it."""
        for text in self.plain:
            for span in self.left:
                text = text.replace(span, "", 1)  # noqa: PLW2901  # what is left of it
            yield text

    @property
    def is_crowded(self) -> bool:
        """Return whether there are more spans than any engine keeps apart; then not all of them are hidden."""
        return self.count > MOST_SPANS

    @property
    def edges(self) -> tuple[int, int]:
        """Count the hidden pieces at the beginning and at the end that no engine needs to see."""
        head, tail = (self._marks_at(step, _is_blank) for step in (1, -1))
        if head == len(self.hidden):
            return head, 0
        # Quotes and brackets outside marks are set aside on both sides or not at all.
        wide = tuple(self._marks_at(step, _is_wordless) for step in (1, -1))
        return (wide[0], wide[1]) if all(wide) and sum(wide) <= len(self.hidden) else (head, tail)

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
        words = self._words_in_capitals()
        return len(words) > 1 or any(len(word) >= _LEAST_SHOUTED or word in _SHORT_WORDS for word in words)

    @property
    def is_acronym(self) -> bool:
        """Return whether all there is to translate are two capitals, as in AI."""
        return len(self._words_in_capitals()) == 1 and not self.is_shouted

    def _words_in_capitals(self) -> list[str]:
        """Return all words if all are in capitals, else none."""
        words: list[str] = []
        for found in (found for text in self.plain for found in _WORD.finditer(text)):
            # Most texts are known by their first word.
            if not found[0].isupper():
                return []
            words.append(found[0])
        return words


class Masker:
    """Takes texts apart. `unseen` matches characters that the model cannot represent, each by itself.

    `respelt` are characters that are replaced before the model sees them.
    """

    def __init__(self, unseen: re.Pattern[str] | None, respelt: Iterable[str] = ()) -> None:
        signs = (Kind("unseen", _for_re2(unseen.pattern)),) if unseen else ()
        self._spans = _compiled((*SPANS, *signs))
        self._with_figures = _compiled((*SPANS, *FIGURES, *signs))
        patterns = [*map(re.escape, respelt), *([unseen.pattern] if unseen else [])]
        self._changed = re.compile("|".join(patterns) or "(?!)")

    def take_apart(self, text: str, own: OwnSpans | None = None, hiding: Hiding = Hiding.SPANS) -> Parts:
        """Split the text into what is translated and what must not change; `own` are the caller's own spans."""
        found = _Found()
        may_leave = self._may_leave if hiding is Hiding.FEW else _never
        pattern = self._with_figures if hiding is Hiding.FIGURES else self._spans
        at = 0
        for start, end in own.of(text, MOST_SPANS + 1) if own else ():
            _take(text[at:start], pattern, found, may_leave)
            found.hide(text[start:end])
            found.count += 1
            at = end
        _take(text[at:], pattern, found, may_leave)
        return found.parts()

    def _may_leave(self, span: str) -> bool:
        is_changed = self._changed.search(span) or _MASK_LIKE.search(span)
        return not is_changed and _TRIED.fullmatch(_encoded(span)) is not None


def _never(_span: str) -> bool:
    return False


def _take(text: str, pattern: Any, found: "_Found", may_leave: Callable[[str], bool], depth: int = 0) -> None:
    for plain, span in _split(pattern, text):
        found.add(plain)
        found.count += bool(span)
        if found.count > MOST_SPANS:
            found.add(span)
            continue
        wrapped = _WRAPPED.fullmatch(span) if depth < _DEEPEST and span[:1] in _WRAPPERS else None
        if wrapped:
            before, inside, behind = (one for one in wrapped.groups() if one is not None)
            found.hide(before, is_mark=True)
            _take(inside, pattern, found, may_leave, depth + 1)
            found.hide(behind, is_mark=True)
        elif span and may_leave(span.strip()):
            found.leave(span)
        else:
            found.hide(span)


class _Found:
    """Collects stretches and spans in order. Neighbours become one, because models often merge two masks."""

    def __init__(self) -> None:
        self._plain = [""]
        self._hidden: list[str] = []
        self._marks: list[bool] = []
        self._left: list[str] = []
        self._ends_in_left = False
        self.count = 0

    def add(self, plain: str) -> None:
        self._plain[-1] += plain
        self._ends_in_left &= not plain

    def leave(self, span: str) -> None:
        """Leave a span in the plain text, unless it touches a hidden one."""
        if self._hidden and not self._plain[-1] and not span[0].isspace():
            self.hide(span)
            return
        self.add(span)
        self._left.append(span.strip())
        self._ends_in_left = True

    def hide(self, span: str, *, is_mark: bool = False) -> None:
        """Hide a span, without the white space that a pattern took along in front."""
        bare = span.lstrip()
        if not bare:
            self.add(span)
            return
        if self._ends_in_left and bare == span:
            touching = self._left.pop()
            self._plain[-1] = self._plain[-1].removesuffix(touching)
            bare = touching + bare
        self._ends_in_left = False
        self.add(span[: len(span) - len(span.lstrip())])
        is_mark = is_mark or _MARK.fullmatch(_encoded(bare)) is not None
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
        return Parts(tuple(self._plain), tuple(self._hidden), tuple(self._marks), tuple(self._left), self.count)


def _is_blank(text: str) -> bool:
    return not text.strip()


def _is_wordless(text: str) -> bool:
    return not any(map(str.isalnum, text))


def _split(pattern: Any, text: str) -> Iterator[tuple[str, str]]:
    """Yield stretch and span in turn, the last span empty."""
    encoded = _encoded(text)
    at = 0
    for match in islice(pattern.finditer(encoded), MOST_SPANS + 1):
        start, end = match.span()
        if start == 0 and _is_label(encoded[:end]):
            continue
        yield _decoded(encoded[at:start]), _decoded(encoded[start:end])
        at = end
    yield _decoded(encoded[at:]), ""


def _is_label(span: bytes) -> bool:
    return span.rstrip().endswith(b":") and span.split(b":")[0].decode(errors="replace") in _LABELS


def _encoded(text: str) -> bytes:
    # RE2 reads bytes; the library would count characters at each match, which takes three times as long.
    return text.encode(errors="surrogatepass")


def _decoded(piece: bytes) -> str:
    return piece.decode(errors="surrogatepass")


@cache
def _compiled(kinds: tuple[Kind, ...]) -> Any:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    return re2.compile("|".join(f"(?:{kind.pattern})" for kind in kinds), options)


def _for_re2(pattern: str) -> str:
    r"""Return a pattern of characters in RE2's syntax, which writes \u20ac as \x{20ac}."""
    return _PYTHON_CHARACTER.sub(lambda found: rf"\x{{{found[1] or found[2]}}}", pattern)
