"""Take a text apart into what is translated and what must come back as it is. Pure."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import lru_cache, partial
from itertools import islice
from typing import Any

from inference_workers.fidelity.automata import compiled
from inference_workers.fidelity.notation import KEY
from inference_workers.fidelity.own_spans import OwnSpans
from inference_workers.fidelity.parts import Parts, PartsBuilder
from inference_workers.fidelity.spans import FIGURES, SPANS
from schemas.terms import Occurrence, TermIndex

# What is in a link, in emphasis, in an entry of a data file is translated: what opens, the inside, what closes.
_WRAPPED = re.compile(
    r"(!?\[)([^\[\]]+)(\][\[(].*)|(\*+(?!\*)|~~(?!~)|_)(?![_\s])(.+)(?<!\s)(\4)"
    r"|(\\(?:emph|textbf|textit|(?:sub)*section\*?|caption|footnote)\{)([^{}]+)(\})"
    rf"|({KEY}\")([^\"]+)(\",?)|({KEY}')([^']+)(',?)",
    re.DOTALL,
)
_WRAPPERS, _WRAPPER_ENDS = frozenset("![*~_\\"), frozenset("\"',")
_DEEPEST = 3
# Engines mostly keep these around the words that they emphasise.
_TRIED_MARKS = frozenset(("*", "**"))
# Labels that look like a speaker in capitals.
_LABELS = frozenset(
    ("A", "ANSWER", "ATTENTION", "BUG", "CAUTION", "DANGER", "DEBUG", "ERROR", "EXAMPLE", "FATAL", "FIXME", "HINT",
     "IMPORTANT", "INFO", "NB", "NOTE", "NOTICE", "PS", "Q", "QUESTION", "REMINDER", "RESULT", "STEP", "SUMMARY",
     "TIP", "TODO", "UPDATE", "URGENT", "WARN", "WARNING")
)  # fmt: skip
# Marks, tags and signs are no part of a sentence.
_MARK = compiled(
    rf"(?:{'|'.join(kind.pattern for kind in SPANS if kind.is_mark)}|</?[A-Za-z\d][^<>]*>|[^\pL\pN\s{{}}%$]|\s)+"
)
_TRIED = compiled(*(kind.pattern for kind in SPANS if kind.is_tried))
_SOFT_HYPHEN = "\u00ad".encode()
_IN_WORDS = frozenset((_SOFT_HYPHEN, "\u200c".encode(), "\u200d".encode()))
# Letters and the vowel signs that many scripts write behind them; the first script that joins is Arabic.
_LETTER = re.compile(r"[^\W\d_]|[\u0900-\u0dff]")
_FIRST_JOINED = "\u0600"
_MASK_LIKE = re.compile(r"qz|//x\.co/", re.IGNORECASE)
_PYTHON_CHARACTER = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})")


class Hiding(Enum):
    """How much is hidden: all spans but those that engines mostly keep, all spans, or figures too."""

    FEW = auto()
    SPANS = auto()
    FIGURES = auto()


# A text with more spans is a table or worse, and no engine keeps so many masks apart.
MOST_SPANS = 128


class Masker:
    """Takes texts apart, unless they have more than `most_spans` spans.

    `unseen` matches what the model cannot represent. `respelt` are characters that are replaced before the model
    sees them.
    """

    def __init__(
        self, unseen: re.Pattern[str] | None, respelt: Collection[str] = (), most_spans: int = MOST_SPANS
    ) -> None:
        self._most = most_spans
        signs = [_for_re2(unseen.pattern)] if unseen else []
        spans, figures = ([kind.pattern for kind in kinds] for kinds in (SPANS, FIGURES))
        self._spans, self._with_figures = compiled(*spans, *signs), compiled(*spans, *figures, *signs)
        changed = [any_character(respelt), *([unseen.pattern] if unseen else [])]
        self._changed = re.compile("|".join(changed))

    def take_apart(self, text: str, own: OwnSpans | None = None, hiding: Hiding = Hiding.SPANS) -> Parts:
        """Split the text into what is translated and what must not change; `own` are the caller's own spans.

        In the place of a term of the glossary stands its translation, which must not change either.
        """
        pattern = self._pattern_of(hiding)
        spans = _spans_of(text, pattern, self._most + 1) if own is None else None
        if spans == []:
            # Most texts end here.
            return Parts((text,), ())
        builder = PartsBuilder(_is_mark, own.glossary if own else None)
        taker = _Taker(builder, pattern, self._most, self._may_leave if hiding is Hiding.FEW else _never)
        if own is None:
            taker.take_found(text, spans or [])
        else:
            self._take_around(text, self._wanted(text, own), taker)
        return builder.parts() if builder.count <= self._most else Parts((text,), (), is_crowded=True)

    def _take_around(self, text: str, wanted: Sequence[tuple[int, int, str]], taker: "_Taker") -> None:
        taker.builder.count += len(wanted)
        at = 0
        for start, end, shown in wanted:
            taker.take(text[at:start])
            taker.builder.hide(shown, is_mark=False)
            at = end
        taker.take(text[at:])

    def _wanted(self, text: str, own: OwnSpans) -> list[tuple[int, int, str]]:
        """Return the spans that are taken out of the whole text, each with what comes back."""
        found = [(start, end, text[start:end]) for start, end in own.of(text, self._most + 1)]
        for one in self._with_spans(text, own.glossary) if own.glossary else ():
            if all(one.end <= start or end <= one.start for start, end, _ in found):
                found.append((one.start, one.end, one.target))
        return sorted(found)

    def _with_spans(self, text: str, glossary: TermIndex) -> list[Occurrence]:
        """Return the terms that hold a span, as `version 2.0` does: these go before it, unless it is larger."""
        terms = [one for one in glossary.find(text) if _spans_of(text[one.start : one.end], self._with_figures, 1)]
        spans = _spans_of(text, self._spans, self._most + 1) if terms else []
        return [one for one in terms if not any(_reaches_over(span, one, text) for span in spans)]

    def _pattern_of(self, hiding: Hiding) -> Any:
        return self._with_figures if hiding is Hiding.FIGURES else self._spans

    def _may_leave(self, span: str) -> bool:
        is_changed = self._changed.search(span) or _MASK_LIKE.search(span)
        return not is_changed and (span in _TRIED_MARKS or _TRIED.fullmatch(_encoded(span)) is not None)


def any_character(of: Collection[str]) -> str:
    """Return a pattern that finds any of the characters, many times as fast as alternatives would."""
    return f"[{re.escape(''.join(of))}]" if of else "(?!)"


def _never(_span: str) -> bool:
    return False


def _may_wrap(span: str) -> bool:
    return span[0] in _WRAPPERS or span[-1] in _WRAPPER_ENDS


@dataclass(frozen=True)
class _Taker:
    """Adds texts to a builder, as far as it is not crowded."""

    builder: PartsBuilder
    pattern: Any
    most: int
    may_leave: Callable[[str], bool]

    def take(self, text: str, depth: int = 0) -> None:
        spans = _spans_of(text, self.pattern, self.most + 1) if text and self.builder.count <= self.most else []
        self.take_found(text, spans, depth)

    def take_found(self, text: str, spans: Sequence[tuple[int, int]], depth: int = 0) -> None:
        self.builder.count += len(spans)
        if self.builder.count > self.most:
            return
        encoded, at = _encoded(text), 0
        # What is the whole text has no sentence around it to be part of.
        may_leave = _never if spans == [(0, len(encoded))] else self.may_leave
        for start, end in spans:
            self.builder.add(_decoded(encoded[at:start]))
            self._take_span(_decoded(encoded[start:end]), may_leave, depth)
            at = end
        self.builder.add(_decoded(encoded[at:]))

    def _take_span(self, span: str, may_leave: Callable[[str], bool], depth: int) -> None:
        wrapped = _WRAPPED.fullmatch(span) if depth < _DEEPEST and _may_wrap(span) else None
        if wrapped:
            before, inside, behind = (one for one in wrapped.groups() if one is not None)
            is_left = depth == 0 and before == behind and may_leave(before)
            add = self.builder.add if is_left else partial(self.builder.hide, is_mark=True)
            if is_left:
                self.builder.emphasis.append(before)
            add(before)
            replace(self, may_leave=may_leave).take(inside, depth + 1)
            add(behind)
        elif may_leave(span.strip()):
            self.builder.leave(span)
        else:
            self.builder.hide(span)


def _spans_of(text: str, pattern: Any, most: int) -> list[tuple[int, int]]:
    """Return where the first spans begin and end, in bytes."""
    encoded = _encoded(text)
    spans = [found.span() for found in islice(pattern.finditer(encoded), most)]
    if spans and not encoded.isascii():
        spans = [one for one in spans if not _is_in_word(encoded, *one)]
    return spans[1:] if spans and spans[0][0] == 0 and _is_label(encoded[: spans[0][1]]) else spans


def _is_in_word(encoded: bytes, start: int, end: int) -> bool:
    """Tell whether a soft hyphen or a joiner is part of a word, as joiners are in Persian and Hindi."""
    sign = encoded[start:end]
    if sign not in _IN_WORDS:
        return False
    before, behind = (
        piece.decode(errors="ignore") for piece in (encoded[max(start - 4, 0) : start], encoded[end : end + 4])
    )
    is_inside = bool(_LETTER.match(before[-1:]) and _LETTER.match(behind[:1]))
    return is_inside and (sign == _SOFT_HYPHEN or before[-1] >= _FIRST_JOINED)


def _reaches_over(span: tuple[int, int], term: Occurrence, text: str) -> bool:
    """Tell whether a span, in bytes, and a term overlap, and the span is not inside the term."""
    start, end = (len(_encoded(text[:at])) for at in (term.start, term.end))
    return span[0] < end and start < span[1] and not (start <= span[0] and span[1] <= end)


# Names and placeholders of a document stand in many of its sentences.
@lru_cache(maxsize=1024)
def _is_mark(span: str) -> bool:
    return _MARK.fullmatch(_encoded(span)) is not None


def _is_label(span: bytes) -> bool:
    return span.rstrip().endswith(b":") and span.split(b":")[0].decode(errors="replace") in _LABELS


def _encoded(text: str) -> bytes:
    # RE2 reads bytes; the library would count characters at each match, which takes three times as long.
    return text.encode(errors="surrogatepass")


def _decoded(piece: bytes) -> str:
    return piece.decode(errors="surrogatepass")


def _for_re2(pattern: str) -> str:
    r"""Return a pattern of characters in RE2's syntax, which writes \u20ac as \x{20ac}."""
    return _PYTHON_CHARACTER.sub(lambda found: rf"\x{{{found[1] or found[2]}}}", pattern)
