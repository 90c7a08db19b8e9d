r"""Cut gettext catalogues: what is not translated yet is filled in, everything else stays. Pure.

A `msgid` without a translation is translated into its `msgstr`; plural entries get as many as the header's
Plural-Forms says, else as the target language has. Each form is translated with a number of its own, which stands
for the placeholder of the number (%d). A line break in a message (\n) ends a segment.
"""

import gettext
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from schemas.gettext_strings import unescaped
from schemas.segments import trimmed
from stream_apps.pipeline.message_forms import GETTEXT, escaped, form_of, holds_number
from stream_apps.pipeline.passing_through import has_letters
from stream_apps.pipeline.plural_categories import OTHER, category_of, forms_of
from stream_apps.pipeline.split import Split

# Only these end a line of a catalogue; str.splitlines knows more.
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_STRING = r'"(?:[^"\\]|\\(?!x(?![0-9a-fA-F])).)*"'
_KEYWORD = re.compile(
    rf"\s*(?P<keyword>msgctxt|msgid_plural|msgid|msgstr(?:\[\d+\])?)(?:\s*(?P<string>{_STRING}))?\s*\Z"
)
_MORE = re.compile(rf"\s*(?P<string>{_STRING})\s*\Z")
_DOMAIN = re.compile(rf"\s*domain\s*{_STRING}\s*\Z")
_STARTS = re.compile(rf"(?:\s*domain\s*{_STRING})?\s*(?:msgctxt|msgid)\s*\"")
_PLURAL_FORMS = re.compile(r"nplurals\s*=\s*(?P<count>\d{1,2})\s*;\s*plural\s*=\s*(?P<rule>[^;]+);")
_PLACEHOLDER = re.compile(r"%(?:\d+\$)?[-+ 0,']*\d*(?:ll|[hljzt])?[diu]|%\(\w+\)d")
_TRIED = (1, 5, 3, 2, 0, 7, 11, 4, 6, 8, 20, 100, 12, 21)
_LONGEST = 1000
# Arabic has as many.
_MOST_FORMS = 6


class MalformedCatalogueError(Exception):
    """The text begins like a gettext catalogue and is none."""


@dataclass
class _Field:
    """A keyword with its string; `line_end` ends the first of its lines."""

    keyword: str
    text: str
    line_end: str
    raw: str


@dataclass
class _Writer:
    """A split that grows: text between segments, then segments."""

    between: list[str] = field(default_factory=lambda: [""])
    texts: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)

    def syntax(self, text: str) -> None:
        """Append what is not translated."""
        self.between[-1] += text

    def message(self, text: str, form: str) -> None:
        """Append a message, line by line. Raises MalformedCatalogueError for one that is too long."""
        for part in re.split(r"(\n)", text):
            lead, words, trail = trimmed(part)
            if len(words) > _LONGEST:
                raise MalformedCatalogueError
            if not has_letters(words):
                self.syntax(escaped(part, GETTEXT))
                continue
            self.syntax(escaped(lead, GETTEXT))
            self.texts.append(words)
            self.forms.append(form)
            self.between.append(escaped(trail, GETTEXT))


def is_catalogue(text: str) -> bool:
    """Tell whether the first line that is neither blank nor a comment is one of a gettext catalogue."""
    if "msgid" not in text:
        return False
    first = next((line for line in _LINE.finditer(text) if not _is_syntax(line[0])), None)
    return first is not None and _STARTS.match(text, first.start()) is not None


def split_catalogue(text: str, source: str, target: str) -> Split:
    """Split a catalogue; the languages are BCP-47 tags. Raises MalformedCatalogueError for what is none."""
    fields = list(_fields(text))
    writer = _Writer()
    examples = _examples_of(fields) or _examples_of_language(target)
    for entry in _entries(fields):
        _write(entry, writer, examples, source)
    lead, *gaps = writer.between
    return Split(lead, tuple(writer.texts), tuple(gaps), message_forms=tuple(writer.forms))


def _fields(text: str) -> Iterator[_Field]:
    """Yield keywords, comments and blank lines; together their `raw` is the text."""
    last: _Field | None = None
    for line in _LINE.findall(text):
        found = _KEYWORD.match(line)
        more = None if found else _MORE.match(line)
        if more and last and last.keyword:
            last.text += unescaped(more["string"][1:-1])
            last.raw += line
            continue
        if last:
            yield last
        if not found and not _is_syntax(line) and not _DOMAIN.match(line):
            raise MalformedCatalogueError
        line_end = line[len(line.rstrip("\r\n")) :]
        keyword, string = (found["keyword"], found["string"] or '""') if found else ("", '""')
        last = _Field(keyword, unescaped(string[1:-1]), line_end, line)
    if last:
        yield last


def _entries(fields: Sequence[_Field]) -> Iterator[list[_Field]]:
    """Yield the fields of each entry, with the comments before it."""
    entry: list[_Field] = []
    for one in fields:
        if any(each.keyword.startswith("msgstr") for each in entry) and not one.keyword.startswith("msgstr"):
            yield entry
            entry = []
        entry.append(one)
    yield entry


def _write(entry: Sequence[_Field], writer: _Writer, examples: Sequence[int], source: str) -> None:
    by_keyword = {one.keyword: one for one in entry if one.keyword}
    filled = [one for one in entry if one.keyword.startswith("msgstr")]
    single, plural = by_keyword.get("msgid"), by_keyword.get("msgid_plural")
    if single is None or not single.text or any(one.text for one in filled):
        writer.syntax("".join(one.raw for one in entry))
        return
    if not filled:
        raise MalformedCatalogueError
    writer.syntax("".join(one.raw for one in entry if one not in filled))
    for index, example in enumerate(examples if plural else [None]):
        writer.syntax(f'msgstr[{index}] "' if plural else 'msgstr "')
        text = single.text
        if plural and example is not None and category_of(source, example, ordinal=False) == OTHER:
            text = plural.text
        writer.message(*_with_example(text, example))
        writer.syntax(f'"{filled[0].line_end}')


def _with_example(text: str, example: int | None) -> tuple[str, str]:
    """Return the text with the example for its placeholder, and its form."""
    found = _PLACEHOLDER.findall(text)
    if example is None or len(found) != 1 or holds_number(text, example):
        return text, GETTEXT
    return _PLACEHOLDER.sub(str(example), text), form_of(GETTEXT, example, found[0])


def _examples_of(fields: Sequence[_Field]) -> Sequence[int]:
    """Return a number for each form of the header's Plural-Forms, none where it does not say or cannot be read."""
    header = next((one.text for one in fields if one.keyword == "msgstr"), "")
    found = _PLURAL_FORMS.search(header)
    if found is None:
        return ()
    try:
        index_of: Callable[[int], int] = gettext.c2py(found["rule"])
        indexes = {index_of(number): number for number in reversed((*_TRIED, 1_000_000))}
    except (ValueError, ArithmeticError):
        return ()
    return [indexes.get(index, _TRIED[1]) for index in range(min(int(found["count"]), _MOST_FORMS))]


def _examples_of_language(target: str) -> Sequence[int]:
    """Return a number for each form of the language; `other` only where whole numbers have it."""
    forms = [
        form
        for form in forms_of(target, ordinal=False)
        if form.category != OTHER or category_of(target, form.example, ordinal=False) == OTHER
    ]
    return [form.example for form in forms] or [1, 5]


def _is_syntax(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")
