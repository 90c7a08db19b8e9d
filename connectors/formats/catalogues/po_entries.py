"""The entries of a gettext catalogue, with where their strings stand. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from connectors.formats.refusals import malformed

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")
_KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)[ \t]+("(?:[^"\\]|\\.)*")[ \t]*\Z')
_MORE = re.compile(r'[ \t]*("(?:[^"\\]|\\.)*")[ \t]*\Z')
_ESCAPE = re.compile(r"\\(?:([abfnrtv\\\"'?])|x([0-9a-fA-F]{2})|([0-7]{1,3})|(.))")
_NAMED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


@dataclass
class Text:
    """A string of an entry: its value, and the span of all its quoted pieces."""

    start: int
    end: int
    value: str


@dataclass
class Entry:
    """An entry. `start` is where its first keyword stands; `flags` is the span of its line of flags."""

    line: int
    start: int = -1
    end: int = -1
    flags: tuple[int, int] | None = None
    texts: dict[str, Text] = field(default_factory=dict)

    def value(self, keyword: str) -> str:
        """Return one of its strings, "" where it is not there."""
        return self.texts[keyword].value if keyword in self.texts else ""

    def translations(self) -> list[Text]:
        """List its msgstr in order."""
        return [text for keyword, text in self.texts.items() if keyword.startswith("msgstr")]


class _Line(NamedTuple):
    start: int
    text: str


def entries(text: str) -> Iterator[Entry]:
    """Yield the entries; obsolete ones are none. Raises PermanentError: `malformed_document` with the line."""
    entry, last = Entry(1), ""
    for number, found in enumerate(_LINE.finditer(text), 1):
        line = _Line(found.start(), found[0].rstrip("\r\n"))
        if _begins_next(line.text, entry):
            if entry.texts:
                yield entry
            entry, last = Entry(number + (not line.text.strip())), ""
        if line.text.startswith("#,"):
            entry.flags = (line.start, line.start + len(line.text))
        elif line.text.strip() and not line.text.lstrip().startswith("#"):
            last = _take(entry, line, last, number)
    if entry.texts:
        yield entry


def _begins_next(line: str, entry: Entry) -> bool:
    has_answer = any(keyword.startswith("msgstr") for keyword in entry.texts)
    return not line.strip() or (has_answer and line.startswith(("#", "msgid ", "msgid\t", "msgctxt")))


def _take(entry: Entry, line: _Line, last: str, number: int) -> str:
    keyword = _KEYWORD.match(line.text)
    more = _MORE.match(line.text) if last else None
    if keyword:
        span = (line.start + keyword.start(2), line.start + keyword.end(2))
        entry.texts[keyword[1]] = Text(*span, unescaped(keyword[2][1:-1]))
        entry.start = line.start if entry.start < 0 else entry.start
        last = keyword[1]
    elif more:
        entry.texts[last].value += unescaped(more[1][1:-1])
        entry.texts[last].end = line.start + more.end(1)
    else:
        raise malformed(f"line {number} is no line of a gettext catalogue")
    entry.end = entry.texts[last].end
    return last


def unescaped(text: str) -> str:
    """Read the escapes of C."""
    return _ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    named, hexadecimal, octal, other = escape.groups()
    if named:
        return _NAMED.get(named, named)
    if hexadecimal:
        return chr(int(hexadecimal, 16))
    return chr(int(octal, 8)) if octal else f"\\{other}"


def escaped(text: str) -> str:
    """Write a text with the escapes of C."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    for name, character in _NAMED.items():
        text = text.replace(character, f"\\{name}")
    return text
