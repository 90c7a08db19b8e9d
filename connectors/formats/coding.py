"""Make coded text of the pieces of a unit: number its codes, merge adjacent ones, set those at the edges aside."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from itertools import groupby, pairwise
from typing import NamedTuple

from connectors.formats.protocol import Code, CodeKind
from connectors.formats.refusals import malformed
from schemas.coded_text import CODE, MOST_CODES, closing, codes_of, edged, isolated, opening
from schemas.units import UNIT_SEPARATOR

# Shown of a code in messages.
_LONGEST_SHOWN = 40
# Characters that mean something to the core, and halves of characters, which no encoding has.
_SPECIAL = re.compile(f"{CODE.pattern}|{UNIT_SEPARATOR}|\x00|[\ud800-\udfff]")


Original = tuple[tuple[str, int], ...]
# Of a segment that stands nowhere in the file.
NOWHERE = -1


class Coded(NamedTuple):
    """A unit as coded text, with what stands around it (coded text, too) and the originals of all codes.

    An original is made of segments: each a text and the offset where it stands in the file, -1 for what does not.
    """

    lead: str
    text: str
    trail: str
    originals: dict[str, Original]
    codes: tuple[Code, ...]


class _Is(Enum):
    TEXT = 0
    OPEN = 1
    CLOSE = 2
    ALONE = 3


@dataclass
class _Piece:
    """Text, or a code with its original. `pair` numbers the pair, -1 for what is none."""

    what: _Is
    text: str = ""
    original: Original = ()
    shown: str = ""
    kind: CodeKind = CodeKind.OBJECT
    pair: int = -1
    key: str = ""


class CodedBuilder:
    """Collects the pieces of one unit in their order. Originals are in the syntax of the file, texts are plain.

    `encode` writes a character in that syntax.
    """

    def __init__(self, encode: Callable[[str], str] = str) -> None:
        self._encode = encode
        self._pieces: list[_Piece] = []
        self._open: list[_Piece] = []
        self._open_keys: Counter[str] = Counter()
        self._pairs = 0

    def text(self, text: str) -> None:
        """Add text. Characters that mean codes or the end of a unit to us become codes."""
        start = 0
        for special in _SPECIAL.finditer(text):
            self._plain(text[start : special.start()])
            self.alone(self._encode(special[0]))
            start = special.end()
        self._plain(text[start:])

    def alone(
        self, original: str | Original, shown: str = "", kind: CodeKind = CodeKind.OBJECT, at: int = NOWHERE
    ) -> None:
        """Add a code that stands alone, from the offset `at` of the file."""
        segments = _segments(original, at)
        self._pieces.append(_Piece(_Is.ALONE, "", segments, shown or segments[0][0], kind))

    def open(self, original: str | Original, shown: str = "", key: str = "", at: int = NOWHERE) -> None:
        """Add the beginning of a pair; `key` is what its end will ask for."""
        segments = _segments(original, at)
        piece = _Piece(_Is.OPEN, "", segments, shown or segments[0][0], CodeKind.PAIR, self._pairs, key)
        self._pairs += 1
        self._pieces.append(piece)
        self._open.append(piece)
        self._open_keys[key] += 1

    def close(self, original: str | Original, key: str = "", at: int = NOWHERE) -> None:
        """Add the end of the last pair of that key. Pairs inside it without an end become codes of their own."""
        if not self._open_keys[key]:
            self.alone(original, at=at)
            return
        while (piece := self._opened_last()).key != key:
            piece.what = _Is.ALONE
        self._pieces.append(_Piece(_Is.CLOSE, "", _segments(original, at), "", CodeKind.PAIR, piece.pair))

    def _opened_last(self) -> _Piece:
        piece = self._open.pop()
        self._open_keys[piece.key] -= 1
        return piece

    def built(self) -> Coded | None:
        """Return the unit, None where nothing is there but white space and codes."""
        for piece in self._open:
            piece.what = _Is.ALONE
        pieces = _merged_pairs(_merged_alone(_without_empty_pairs(self._pieces)))
        coded = _numbered(pieces)
        return coded if coded.text else None

    def _plain(self, text: str) -> None:
        if not text:
            return
        if self._pieces and self._pieces[-1].what is _Is.TEXT:
            self._pieces[-1].text += text
        else:
            self._pieces.append(_Piece(_Is.TEXT, text))


def _segments(original: str | Original, at: int) -> Original:
    return ((original, at),) if isinstance(original, str) else original


def coded_of(text: str, encode: Callable[[str], str] = str) -> Coded | None:
    """Make a unit of plain text, None where it is blank."""
    builder = CodedBuilder(encode)
    builder.text(text)
    return builder.built()


def _without_empty_pairs(pieces: list[_Piece]) -> list[_Piece]:
    """Make one code of a pair with nothing, or with codes only, between."""
    kept: list[_Piece] = []
    for piece in pieces:
        kept.append(piece)
        if piece.what is not _Is.CLOSE:
            continue
        start = len(kept) - 2
        while kept[start].what is _Is.ALONE:
            start -= 1
        if kept[start].pair == piece.pair:
            kept[start:] = [_together(kept[start:])]
    return kept


def _merged_alone(pieces: list[_Piece]) -> list[_Piece]:
    kept: list[_Piece] = []
    for is_alone, some in groupby(pieces, lambda piece: piece.what is _Is.ALONE):
        run = list(some)
        kept += [_together(run)] if is_alone and len(run) > 1 else run
    return kept


def _together(pieces: list[_Piece]) -> _Piece:
    is_break = all(piece.kind is CodeKind.BREAK for piece in pieces)
    return _Piece(
        _Is.ALONE,
        "",
        tuple(segment for piece in pieces for segment in piece.original),
        "".join(piece.shown for piece in pieces),
        CodeKind.BREAK if is_break else CodeKind.OBJECT,
    )


def _merged_pairs(pieces: list[_Piece]) -> list[_Piece]:
    """Make one pair of two that open and close beside each other."""
    closed_at = {piece.pair: at for at, piece in enumerate(pieces) if piece.what is _Is.CLOSE}
    outer: dict[int, int] = {}
    for first, second in pairwise(pieces):
        if first.what is second.what is _Is.OPEN and closed_at[second.pair] + 1 == closed_at[first.pair]:
            outer[second.pair] = outer.get(first.pair, first.pair)
    moved = (replace(piece, pair=outer.get(piece.pair, piece.pair)) for piece in pieces)
    kept: list[_Piece] = []
    for _, some in groupby(
        enumerate(moved), lambda one: (one[1].what, one[1].pair) if one[1].pair >= 0 else one[0]
    ):
        run = [piece for _, piece in some]
        kept.append(run[0] if len(run) == 1 else _one_half(run))
    return kept


def _one_half(run: list[_Piece]) -> _Piece:
    original = tuple(segment for piece in run for segment in piece.original)
    return replace(run[0], original=original, shown="".join(piece.shown for piece in run))


def _numbered(pieces: list[_Piece]) -> Coded:
    originals: dict[str, Original] = {}
    codes: dict[int, Code] = {}
    numbers: dict[int, int] = {}
    text = []
    for piece in pieces:
        if piece.what is _Is.TEXT:
            text.append(piece.text)
            continue
        number = numbers.setdefault(piece.pair, len(codes)) if piece.pair >= 0 else len(codes)
        if number >= MOST_CODES:
            raise malformed(f"a unit has more than {MOST_CODES} inline codes")
        code = _CHARACTERS[piece.what](number)
        originals[code] = piece.original
        codes.setdefault(number, Code(number, piece.kind, piece.shown[:_LONGEST_SHOWN]))
        text.append(code)
    lead, inner, trail = edged("".join(text))
    used = {ord(code) % MOST_CODES for code in codes_of(inner)}
    return Coded(lead, inner, trail, originals, tuple(codes[number] for number in sorted(used)))


_CHARACTERS: dict[_Is, Callable[[int], str]] = {_Is.OPEN: opening, _Is.CLOSE: closing, _Is.ALONE: isolated}
