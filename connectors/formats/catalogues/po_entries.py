"""The entries of a gettext catalogue, with where their strings stand. Pure.

gettext reads words, not lines: keywords may be indented, stand alone or right before their string, and a line may
hold several strings.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.formats.refusals import malformed
from schemas.gettext_strings import unescaped

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_WORD = re.compile(
    r"[ \t\f\v]*(?:(?P<keyword>msgctxt|msgid_plural|msgid|msgstr|domain)(?![\w.-])"
    r"|(?P<index>\[[ \t]*\d{1,9}[ \t]*\])"
    r"|(?P<string>\"(?:[^\"\\]|\\.)*\")"
    r"|(?P<comment>#.*)"
    r"|\Z)"
)
_ANSWER, _DOMAIN = "msgstr", "domain"


@dataclass
class Text:
    """A string of an entry: its value, and the span of all its quoted pieces."""

    start: int
    end: int
    value: str


@dataclass
class Entry:
    """An entry. `start` is where its first keyword stands; `flags` is the span of its last line of flags."""

    line: int
    start: int = -1
    end: int = -1
    flags: tuple[int, int] | None = None
    is_fuzzy: bool = False
    texts: dict[str, Text] = field(default_factory=dict)

    def value(self, keyword: str) -> str:
        """Return one of its strings, "" where it is not there."""
        return self.texts[keyword].value if keyword in self.texts else ""

    def translations(self) -> list[Text]:
        """List its msgstr in order."""
        return [text for keyword, text in self.texts.items() if keyword.startswith(_ANSWER)]


def entries(text: str, encoding: str = "utf-8") -> Iterator[Entry]:
    """Yield the entries; obsolete ones are none. Raises PermanentError: `malformed_document` with the line.

    `encoding` is that of bytes which strings write as numbers.
    """
    reader = _Reader(encoding)
    for number, found in enumerate(_LINE.finditer(text), 1):
        yield from reader.read(number, found.start(), found[0].rstrip("\r\n"))
    yield from reader.ended(0)


class _Reader:
    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._entry = Entry(1)
        self._keyword = ""

    def read(self, number: int, start: int, line: str) -> Iterator[Entry]:
        """Read a line; yield the entry that it ends."""
        if not line.strip():
            yield from self.ended(number + 1)
        elif line.startswith("#"):
            yield from self._comment(number, start, line)
        else:
            yield from self._words(number, start, line)

    def ended(self, following: int) -> Iterator[Entry]:
        """Yield the entry that was read, and begin one in the line that follows."""
        if self._entry.texts:
            yield self._entry
        self._entry, self._keyword = Entry(following), ""

    def _comment(self, number: int, start: int, line: str) -> Iterator[Entry]:
        if self._entry.translations():
            yield from self.ended(number)
        if line.startswith("#,"):
            self._entry.flags = (start, start + len(line))
            self._entry.is_fuzzy |= "fuzzy" in map(str.strip, line[2:].split(","))
        elif line.startswith("#~"):
            # The flags before it were its own.
            self._entry.flags, self._entry.is_fuzzy = None, False

    def _words(self, number: int, start: int, line: str) -> Iterator[Entry]:
        at = 0
        while at < len(line):
            word = _WORD.match(line, at)
            if word is None:
                raise malformed(f"line {number} is no line of a gettext catalogue")
            if word["keyword"]:
                yield from self._keyword_at(word["keyword"], number, start + (word.start("keyword") if at else 0))
            elif word["index"] or word["string"]:
                self._take(word, start, number)
            at = word.end()

    def _keyword_at(self, keyword: str, number: int, at: int) -> Iterator[Entry]:
        if self._entry.translations() and not keyword.startswith(_ANSWER):
            yield from self.ended(number)
        if keyword != _DOMAIN and self._entry.start < 0:
            self._entry.start = at
        self._keyword = keyword

    def _take(self, word: re.Match[str], start: int, number: int) -> None:
        if not self._keyword or (word["index"] and self._keyword != _ANSWER):
            raise malformed(f"line {number} is no line of a gettext catalogue")
        if word["index"]:
            self._keyword += f"[{int(word['index'][1:-1])}]"
        elif self._keyword != _DOMAIN:
            self._string(word["string"], start + word.start("string"))

    def _string(self, string: str, at: int) -> None:
        text = self._entry.texts.setdefault(self._keyword, Text(at, at, ""))
        text.value += unescaped(string[1:-1], self._encoding)
        text.end = self._entry.end = at + len(string)
