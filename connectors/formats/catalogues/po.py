"""gettext catalogues (.po, .pot): what has no translation yet gets one, marked fuzzy. All else stays.

A plural entry gets as many forms as the header says, else as the target language has. The form that stands for
one is made of the singular, which is not always the first: in Arabic that stands for none.
"""

import gettext
import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import NamedTuple

from babel.core import Locale, UnknownLocaleError
from babel.messages.plurals import get_plural

from connectors.formats.catalogues.po_entries import Entry, entries
from connectors.formats.coding import CodedBuilder
from connectors.formats.flat import FlatFilter
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found, Stamp
from schemas.gettext_strings import escaped, quoted

_FORMS = re.compile(r"nplurals\s*=\s*(\d)\s*(?:;\s*plural\s*=([^;]*))?")
_LANGUAGE = re.compile(r'(?P<before>"|\\n)Language:[ \t]*(?=\\n)')
_CHARSET = re.compile(r'Content-Type:[^"\\]*charset=([\w.:-]+)')
_MOST_FORMS = 6
# What the encoders of strings are called, by the line ends of their file.
_STRING, _STRING_CRLF = "string", "string crlf"
_HEADER_CHARACTERS = 2000


class _Forms(NamedTuple):
    """How many plural forms there are, and which of them stands for one."""

    number: int
    of_one: int


def messages(text: str, options: Options) -> Iterator[Found | Stamp]:
    """Find the messages without a translation. The filter option `fuzzy=no` leaves new ones unmarked."""
    forms: _Forms | None = None
    for entry in entries(text, _charset(text) or "utf-8"):
        if not entry.value("msgid"):
            # Each domain of a catalogue has a header of its own.
            forms = _forms(entry.value("msgstr")) or forms
            yield from _language(text, entry, options)
        elif any(one.value for one in entry.translations()) or not entry.translations():
            continue
        elif entry.translations()[0] is not entry.texts.get(keyword := _keyword(entry)):
            raise malformed(f"the entry in line {entry.line} has no {keyword}")
        elif "msgid_plural" in entry.texts:
            yield from _plural(text, entry, forms or _forms_of(options.target_language), options)
        else:
            lead = _lead(text, entry, keyword, options)
            yield from _found(text, entry, entry.value("msgid"), lead, entry.texts[keyword].end)


def _keyword(entry: Entry) -> str:
    return "msgstr[0]" if "msgid_plural" in entry.texts else "msgstr"


def _found(text: str, entry: Entry, value: str, lead: tuple[int, str], end: int) -> Iterator[Found]:
    """Make a unit of a string, which stands up to `end`, behind what begins at the offset in `lead`."""
    newline = _newline(text)
    builder = CodedBuilder(partial(_alone, newline))
    builder.alone(lead[1])
    builder.text(value)
    coded = builder.built()
    if coded:
        yield Found(lead[0], end, coded, f"line {entry.line}", _STRING if newline == "\n" else _STRING_CRLF)


def _lead(text: str, entry: Entry, keyword: str, options: Options) -> tuple[int, str]:
    """Return what stands before a string in the entry, marked as fuzzy, and where that begins."""
    before_string = entry.texts[keyword].start
    if options.settings.get("fuzzy") == "no":
        return before_string, ""
    if entry.flags is None:
        return entry.start, f"#, fuzzy{_newline(text)}{text[entry.start : before_string]}"
    start, end = entry.flags
    flags = text[start:end]
    marked = flags if entry.is_fuzzy else flags.replace("#,", "#, fuzzy,", 1)
    return start, marked + text[end:before_string]


def _plural(text: str, entry: Entry, forms: _Forms, options: Options) -> Iterator[Found | Stamp]:
    for form in range(forms.number):
        value = entry.value("msgid" if form == forms.of_one and forms.number > 1 else "msgid_plural")
        there = entry.texts.get(keyword := f"msgstr[{form}]")
        if there is None:
            lead, end = (entry.end, f"{_newline(text)}{keyword} "), entry.end
        else:
            lead, end = (_lead(text, entry, keyword, options) if form == 0 else (there.start, "")), there.end
        yield from _found(text, entry, value, lead, end)
    kept = {f"msgstr[{form}]" for form in range(forms.number)}
    for (_, before), (keyword, surplus) in pairwise(entry.texts.items()):
        if keyword.startswith("msgstr") and keyword not in kept:
            yield Stamp(before.end, surplus.end, "")


def _newline(text: str) -> str:
    # A look at the beginning only: it is asked for every message.
    return "\r\n" if "\r\n" in text[:_HEADER_CHARACTERS] else "\n"


def _forms(header: str) -> _Forms | None:
    found = _FORMS.search(header)
    return _ruled(int(found[1]), found[2] or "") if found else None


def _forms_of(language: str) -> _Forms:
    try:
        return _ruled(*get_plural(Locale.parse(language, sep="-")))
    except (ValueError, UnknownLocaleError):
        return _Forms(2, 0)


def _ruled(count: int, rule: str) -> _Forms:
    count = min(max(count, 1), _MOST_FORMS)
    try:
        of_one = gettext.c2py(rule)(1)
    except (ValueError, ArithmeticError):
        of_one = 0
    return _Forms(count, min(of_one, count - 1))


def _language(text: str, entry: Entry, options: Options) -> Iterator[Stamp]:
    empty = _LANGUAGE.search(text, max(entry.start, 0), max(entry.end, 0))
    if empty and options.target_language:
        language = options.target_language.replace("-", "_")
        yield Stamp(empty.start(), empty.end(), f"{empty['before']}Language: {language}")


def _alone(newline: str, character: str) -> str:
    # Between two strings: its neighbours become strings of their own.
    return f'{newline}"{escaped(character)}"{newline}'


def _charset(text: str) -> str | None:
    found = _CHARSET.search(text)
    return None if found is None or found[1] == "CHARSET" else found[1]


def _declared(data: bytes) -> str | None:
    # A template that does not say may be ASCII, and has to say when it is no more.
    return _charset(data.decode("latin-1")) or ("ascii" if data.isascii() else None)


def _declaring_utf8(text: str) -> str:
    found = _CHARSET.search(text)
    return f"{text[: found.start(1)]}UTF-8{text[found.end(1) :]}" if found else text


PO = FlatFilter(
    frozenset({"text/x-gettext-translation", "text/x-po", "application/x-gettext"}),
    "2",
    messages,
    {_STRING: partial(quoted, "\n"), _STRING_CRLF: partial(quoted, "\r\n")}.__getitem__,
    declared=_declared,
    declaring_utf8=_declaring_utf8,
)
