"""Cues of subtitles: which of them one sentence runs through, and how their lines are filled again. Pure."""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil

from connectors.formats.coding import CodedBuilder
from connectors.formats.protocol import CodeKind
from connectors.formats.splicing import Found, Slot
from schemas.coded_text import detagged, is_code

# What viewers can read: two lines of 42 columns (the usual rule of broadcasters). Longer text gets more lines.
WIDEST = 42
# A sentence is not looked for beyond so many cues.
_MOST_CUES = 4
_ENDS = re.compile(r"[.!?…。！？:;♪\"'»”’)\]]\s*\Z")
_SPEAKER = re.compile(r"\n(?=\s*[-–—‐]\s*\S)")
_NEWLINE = r"(?:\r\n|\n|\r(?!\n))"
# Tags, codes of other formats that players know, and blank lines.
_TAG = re.compile(
    r"</?[a-zA-Z][^<>\r\n]*>|<\d[\d:.]*>|\{\\[^{}\r\n]*\}|\\N"
    rf"|(?<![ \t])[ \t]*{_NEWLINE}(?:[ \t]*{_NEWLINE})+[ \t]*"
)
# Begins where white space does, so that much of it is looked at once.
_WRAP = re.compile(r"(?<![^\S\n])[^\S\n]*\n[^\S\n]*")
_ENDS_LINE = re.compile(r"[\r\n]|\\N")
_TAG_NAME = re.compile(r"</?([a-zA-Z]+)")


@dataclass(frozen=True)
class Cue:
    """The text of a cue, between two offsets of the file."""

    start: int
    end: int
    text: str
    place: str


def sentences(cues: Iterable[Cue]) -> Iterator[list[Cue]]:
    """Group the cues that one sentence runs through."""
    group: list[Cue] = []
    for cue in cues:
        if group and (_ends(group[-1]) or len(group) == _MOST_CUES or _SPEAKER.match(f"\n{cue.text}")):
            yield group
            group = []
        group.append(cue)
    if group:
        yield group


def _ends(cue: Cue) -> bool:
    bare = _TAG.sub("", cue.text)
    return not bare.strip() or bool(_ENDS.search(bare)) or bool(_SPEAKER.search(bare))


def found_in(text: str, group: list[Cue], encoder: str, decode: Callable[[str], str]) -> Iterator[Found]:
    """Make one unit of the cues of a sentence; what stands between them is a break."""
    builder = CodedBuilder()
    _add(builder, group[0].text, decode)
    for cue, following in pairwise(group):
        builder.alone(text[cue.end : following.start], " ", CodeKind.BREAK)
        _add(builder, following.text, decode)
    coded = builder.built()
    if coded:
        yield Found(group[0].start, group[-1].end, coded, group[0].place, encoder)


def _add(builder: CodedBuilder, text: str, decode: Callable[[str], str]) -> None:
    behind = 0
    for tag in _TAG.finditer(text):
        builder.text(_unwrapped(decode(text[behind : tag.start()])))
        _add_tag(builder, tag[0])
        behind = tag.end()
    builder.text(_unwrapped(decode(text[behind:])))


def _add_tag(builder: CodedBuilder, tag: str) -> None:
    name = _TAG_NAME.match(tag)
    if name is None:
        is_break = tag == "\\N" or not tag.strip()
        builder.alone(tag, " " if is_break else tag, CodeKind.BREAK if is_break else CodeKind.OBJECT)
    elif tag.startswith("</"):
        builder.close(tag, name[1])
    else:
        builder.open(tag, tag, name[1])


def _unwrapped(text: str) -> str:
    """Return a cue's lines as one; a new speaker keeps a line of his own."""
    lines = _SPEAKER.split(text.replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(_WRAP.sub(" ", line) for line in lines)


def newlines_of(text: str) -> str:
    """Name the line ends of a file: `crlf`, `lf` or `cr`."""
    if "\r\n" in text:
        return "crlf"
    return "cr" if "\r" in text and "\n" not in text else "lf"


NEWLINES = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}


def laid_out(text: str, slot: Slot) -> str:
    """Fill the lines of each cue again."""
    pieces = re.split(f"([{''.join(_breaks(slot))}])", text) if _breaks(slot) else [text]
    return "".join(piece if is_code(piece[:1] or " ") and len(piece) == 1 else _filled(piece) for piece in pieces)


def _breaks(slot: Slot) -> list[str]:
    """List the codes that a line ends at: those with line ends. Tags have none."""
    return [
        code for code, original in slot.originals.items() if any(_ENDS_LINE.search(text) for text, _ in original)
    ]


def _filled(cue: str) -> str:
    return "\n".join(_wrapped(line.strip(" ")) for line in cue.split("\n"))


def _wrapped(line: str) -> str:
    """Break a line into equal ones, as few as fit."""
    columns = [0, *accumulate(map(width, line))]
    count = ceil(columns[-1] / WIDEST)
    places = _places(line)
    breaks = sorted(
        {_nearest(places, columns, columns[-1] * number / count) for number in range(1, count) if places}
    )
    pieces = [line[start:end].strip(" ") for start, end in pairwise([0, *breaks, len(line)])]
    return "\n".join(pieces)


def _places(line: str) -> list[int]:
    """List where a line may be broken: at spaces, else (in scripts without spaces) between wide characters."""
    spaces = [at for at, character in enumerate(line) if character == " "]
    return spaces or [
        at for at, character in enumerate(line) if at and width(character) == 2 == width(line[at - 1])
    ]


def _nearest(places: list[int], columns: list[int], column: float) -> int:
    at = bisect_left(places, column, key=lambda place: columns[place])
    return min(places[max(0, at - 1) : at + 1], key=lambda place: abs(columns[place] - column))


def width(text: str) -> int:
    """Return the columns of a text: two for wide characters, none for codes."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in detagged(text))
