"""Coded text: a text whose inline codes (tags, fields, line breaks) are one private-use character each. Pure.

A pair n opens with U+F0000+n and closes with U+F4000+n; an isolated code is U+F8000+n. A number stands for one
code of its unit. Okapi's coded text is the model. Nothing needs escaping or counts as a word; offsets stay true.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

OPENING, CLOSING, ISOLATED = 0xF0000, 0xF4000, 0xF8000
# The most codes of a unit.
MOST_CODES = 0x4000
LAST = ISOLATED + MOST_CODES - 1
CODE = re.compile(f"[{chr(OPENING)}-{chr(LAST)}]")


class Renumbered(NamedTuple):
    """A text whose codes are numbered by appearance; `numbers[new]` is the number that the code had."""

    text: str
    numbers: tuple[int, ...]


class Edged(NamedTuple):
    """A text as `lead + text + trail`: the codes and white space at its edges set aside."""

    lead: str
    text: str
    trail: str


def opening(number: int) -> str:
    """Return the character that opens a pair."""
    return chr(OPENING + number)


def closing(number: int) -> str:
    """Return the character that closes a pair."""
    return chr(CLOSING + number)


def isolated(number: int) -> str:
    """Return the character of a code that stands alone."""
    return chr(ISOLATED + number)


def is_code(character: str) -> bool:
    """Tell whether the character is a code."""
    return OPENING <= ord(character) <= LAST


def number_of(code: str) -> int:
    """Return the number of a code's character."""
    return (ord(code) - OPENING) % MOST_CODES


def is_opening(code: str) -> bool:
    """Tell whether a code opens a pair."""
    return OPENING <= ord(code) < CLOSING


def is_closing(code: str) -> bool:
    """Tell whether a code closes a pair."""
    return CLOSING <= ord(code) < ISOLATED


def has_codes(text: str) -> bool:
    """Tell whether a text has inline codes."""
    return not text.isascii() and CODE.search(text) is not None


def codes_of(text: str) -> list[str]:
    """List the codes of a text in their order."""
    return CODE.findall(text)


def detagged(text: str) -> str:
    """Return the text without its codes."""
    return CODE.sub("", text)


def renumbered(text: str) -> Renumbered:
    """Count the codes by appearance, so that texts that differ only in the numbers of their codes become equal."""
    new: dict[int, int] = {}
    moved = CODE.sub(lambda code: _moved(code[0], new), text)
    return Renumbered(moved, tuple(new))


def numbered_back(text: str, numbers: Sequence[int]) -> str:
    """Give the codes of a renumbered text, or of its translation, their old numbers."""
    return CODE.sub(lambda code: chr(ord(code[0]) - number_of(code[0]) + numbers[number_of(code[0])]), text)


def _moved(code: str, new: dict[int, int]) -> str:
    number = number_of(code)
    return chr(ord(code) - number + new.setdefault(number, len(new)))


def balanced(pieces: Sequence[str]) -> list[str]:
    """Close and open again every pair that a cut runs through: each piece is well nested by itself."""
    whole: list[str] = []
    still_open: list[int] = []
    for piece in pieces:
        begin = "".join(map(opening, still_open))
        for code in codes_of(piece):
            _follow(code, still_open)
        whole.append(begin + piece + "".join(map(closing, reversed(still_open))))
    return whole


def _follow(code: str, still_open: list[int]) -> None:
    if is_opening(code):
        still_open.append(number_of(code))
    elif is_closing(code) and number_of(code) in still_open:
        still_open.remove(number_of(code))


def rejoined(pieces: Iterable[str]) -> str:
    """Join pieces and take out the seams of `balanced`: of a pair the first opening and the last closing stay."""
    text = "".join(pieces)
    first: dict[str, int] = {}
    last: dict[str, int] = {}
    for code in CODE.finditer(text):
        first.setdefault(code[0], code.start())
        last[code[0]] = code.start()

    def kept(code: re.Match[str]) -> str:
        is_seam = (is_opening(code[0]) and code.start() != first[code[0]]) or (
            is_closing(code[0]) and code.start() != last[code[0]]
        )
        return "" if is_seam else code[0]

    return CODE.sub(kept, text)


def edged(text: str) -> Edged:
    """Set aside what stands around the words: white space, isolated codes, and pairs around all of them.

    A wholly bold sentence is plain then. Openings whose closing stands amid the words stay.
    """
    start, end = 0, len(text)
    while True:
        start, end = _inward(text, start, end)
        if not (start < end and _is_pair(text[start], text[end - 1])):
            break
        if not _spans_all(text[start:end]):
            break
        start, end = start + 1, end - 1
    return Edged(text[:start], text[start:end], text[end:])


def _inward(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return start, end


def _is_blank(character: str) -> bool:
    return character.isspace() or ISOLATED <= ord(character) <= LAST


def _is_pair(first: str, last: str) -> bool:
    return is_code(first) and is_opening(first) and last == closing(number_of(first))


def _spans_all(text: str) -> bool:
    # A number is used once, so the last character closes what the first one opens; seams would break that.
    return text.count(text[0]) == 1


def restored(text: str, originals: Mapping[str, str], encode: Callable[[str], str]) -> str:
    """Put the originals in place of the codes; what stands between them is encoded.

    Raises KeyError for a code without an original.
    """
    return "".join(originals[piece] if is_one else encode(piece) for piece, is_one in pieces_of(text))


def pieces_of(text: str) -> Iterator[tuple[str, bool]]:
    """Yield codes and the texts between them in order, with whether it is a code."""
    start = 0
    for code in CODE.finditer(text):
        if code.start() > start:
            yield text[start : code.start()], False
        yield code[0], True
        start = code.end()
    if start < len(text):
        yield text[start:], False


def check(source: str, translated: str) -> str | None:
    """Return what is wrong with the codes of a translation, None where each stands once and in its pair.

    One of `missing_code`, `foreign_code`, `repeated_code`, `crossed_codes`, and `moved_code` (out of its pair).
    """
    wanted, found = codes_of(source), codes_of(translated)
    if wanted == found:
        return None
    if set(found) - set(wanted):
        return "foreign_code"
    if set(wanted) - set(found):
        return "missing_code"
    if len(found) != len(wanted):
        return "repeated_code"
    holders = _holders(found)
    if holders is None:
        return "crossed_codes"
    return None if holders == _holders(wanted) else "moved_code"


def _holders(codes: Sequence[str]) -> dict[str, int | None] | None:
    """Map each opening and isolated code to the number of the pair around it; None where pairs cross."""
    holders: dict[str, int | None] = {}
    still_open: list[int] = []
    for code in codes:
        if is_closing(code):
            if not still_open or still_open.pop() != number_of(code):
                return None
            continue
        holders[code] = still_open[-1] if still_open else None
        if is_opening(code):
            still_open.append(number_of(code))
    return None if still_open else holders
