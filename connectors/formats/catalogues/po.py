"""gettext catalogues (.po, .pot): what has no translation yet gets one, marked fuzzy. All else stays.

A plural entry gets as many forms as the header says, else as the target language has. The form that stands for
one is made of the singular, which is not always the first: in Arabic that stands for none.
"""

import gettext
import re
from collections.abc import Iterator
from typing import NamedTuple

from babel.core import Locale, UnknownLocaleError
from babel.messages.plurals import get_plural

from connectors.formats.catalogues.po_entries import Entry, entries, escaped
from connectors.formats.coding import CodedBuilder
from connectors.formats.flat import FlatFilter
from connectors.formats.protocol import Options
from connectors.formats.refusals import malformed
from connectors.formats.splicing import Found, Stamp

_FORMS = re.compile(r"nplurals\s*=\s*(\d)\s*(?:;\s*plural\s*=([^;]*))?")
_LANGUAGE = re.compile(r'"Language:[ \t]*(?=\\n")')
_CHARSET = re.compile(rb'"Content-Type:[^"]*charset=([\w-]+)')
_MOST_FORMS = 6
_HEADER_CHARACTERS = 2000


class _Forms(NamedTuple):
    """How many plural forms there are, and which of them stands for one."""

    number: int
    of_one: int


def messages(text: str, options: Options) -> Iterator[Found | Stamp]:
    """Find the messages without a translation. The filter option `fuzzy=no` leaves new ones unmarked."""
    forms: _Forms | None = None
    for entry in entries(text):
        if not entry.value("msgid"):
            forms = forms or _forms(entry.value("msgstr"))
            yield from _language(text, entry, options)
        elif any(one.value for one in entry.translations()) or not entry.translations():
            continue
        elif entry.translations()[0] is not entry.texts.get(keyword := _keyword(entry)):
            raise malformed(f"the entry in line {entry.line} has no {keyword}")
        elif "msgid_plural" in entry.texts:
            yield from _plural(text, entry, forms or _forms_of(options.target_language), options)
        else:
            yield from _found(entry, entry.value("msgid"), _lead(text, entry, "msgstr", options), "msgstr")


def _keyword(entry: Entry) -> str:
    return "msgstr[0]" if "msgid_plural" in entry.texts else "msgstr"


def _found(entry: Entry, value: str, lead: tuple[int, str], keyword: str) -> Iterator[Found]:
    builder = CodedBuilder(_alone)
    builder.alone(lead[1])
    builder.text(value)
    coded = builder.built()
    if coded:
        yield Found(lead[0], entry.texts[keyword].end, coded, f"line {entry.line}", "string")


def _lead(text: str, entry: Entry, keyword: str, options: Options) -> tuple[int, str]:
    """Return what stands before a string in the entry, marked as fuzzy, and where that begins."""
    before_string = entry.texts[keyword].start
    if options.settings.get("fuzzy") == "no":
        return before_string, ""
    newline = _newline(text)
    if entry.flags is None:
        return entry.start, f"#, fuzzy{newline}{text[entry.start : before_string]}"
    start, end = entry.flags
    flags = text[start:end]
    marked = flags if "fuzzy" in flags else flags.replace("#,", "#, fuzzy,", 1)
    return start, marked + text[end:before_string]


def _plural(text: str, entry: Entry, forms: _Forms, options: Options) -> Iterator[Found | Stamp]:
    there = entry.translations()
    for form in range(forms.number):
        value = entry.value("msgid" if form == forms.of_one and forms.number > 1 else "msgid_plural")
        keyword = f"msgstr[{form}]"
        if form == 0:
            yield from _found(entry, value, _lead(text, entry, keyword, options), keyword)
        elif keyword in entry.texts:
            yield from _found(entry, value, (entry.texts[keyword].start, ""), keyword)
        else:
            yield from _added(text, entry, value, keyword)
    for surplus in there[forms.number :]:
        line_start = text.rindex("\n", 0, surplus.start)
        yield Stamp(line_start - (text[line_start - 1] == "\r"), surplus.end, "")


def _added(text: str, entry: Entry, value: str, keyword: str) -> Iterator[Found]:
    newline = _newline(text)
    builder = CodedBuilder(_alone)
    builder.alone(f"{newline}{keyword} ")
    builder.text(value)
    coded = builder.built()
    if coded:
        yield Found(entry.end, entry.end, coded, f"line {entry.line}", "string")


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
        yield Stamp(empty.start(), empty.end(), f'"Language: {options.target_language.replace("-", "_")}')


def _alone(character: str) -> str:
    # Between two strings: its neighbours become strings of their own.
    return f'\n"{escaped(character)}"\n'


def _string(text: str) -> str:
    if "\n" not in text[:-1]:
        return f'"{escaped(text)}"'
    lines = "".join(f'\n"{escaped(line)}"' for line in text.splitlines(keepends=True))
    return f'""{lines}'


def _declared(data: bytes) -> str | None:
    found = _CHARSET.search(data)
    return None if found is None or found[1] == b"CHARSET" else found[1].decode("ascii")


PO = FlatFilter(
    frozenset({"text/x-gettext-translation", "text/x-po", "application/x-gettext"}),
    "1",
    messages,
    {"string": _string}.__getitem__,
    declared=_declared,
)
