"""Text out of bytes and back: byte order marks, UTF-8, what the text declares, and a guess at last."""

import codecs
from collections.abc import Callable
from typing import NamedTuple

from connectors.formats.guessed_encodings import guessed, unmarked_utf16
from connectors.formats.refusals import unknown_encoding

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What programs write that name these: the same with more characters, as browsers read it.
_WIDER = {
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "tis-620": "cp874",
    # Names that browsers know and Python does not.
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "x-sjis": "cp932",
}
# Codecs of Python that are no encoding of a file. Browsers read no UTF-7 either: it hides markup.
_NONE = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "unicode_escape", "utf-7", "utf-8"})


class Decoded(NamedTuple):
    """A text, the encoding it was in, and the byte order mark before it."""

    text: str
    encoding: str
    mark: bytes

    def encoded(self, text: str, errors: str = "strict", declaring_utf8: Callable[[str], str] = str) -> bytes:
        """Write a text as this one was written; in UTF-8 where that encoding lacks a character.

        `declaring_utf8` makes such a text say that it is UTF-8 now.
        """
        try:
            return self.mark + text.encode(self.encoding, errors)
        except UnicodeEncodeError:
            return declaring_utf8(text).encode()


def decoded(data: bytes, declared: Callable[[bytes], str | None] = lambda _: None, language: str = "") -> Decoded:
    """Read a text; `declared` looks for an encoding that it names itself, `language` is what it is likely in.

    Raises PermanentError: `unknown_encoding`, also where writing it again would give other bytes.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _read(data[len(mark) :], [encoding], mark)
    wide = unmarked_utf16(data)
    if wide:
        return _read(data, [wide], b"")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        named = declared(data)
        return _read(data, _readings(named) if named else [guessed(data, language)], b"")
    return Decoded(text, _narrow(data, text, declared) if text.isascii() else "utf-8", b"")


def _readings(named: str) -> list[str]:
    try:
        name = codecs.lookup(named).name
    except LookupError:
        name = named.lower()
    return [_WIDER[name], named] if name in _WIDER else [named]


def _narrow(data: bytes, text: str, declared: Callable[[bytes], str | None]) -> str:
    """Return what ASCII is to be written in: what it declares itself, where that reads the same."""
    named = declared(data)
    try:
        return named if named and _is_sound(data, named) and data.decode(named) == text else "utf-8"
    except (UnicodeError, LookupError, ValueError):
        return "utf-8"


def _is_sound(data: bytes, encoding: str) -> bool:
    return codecs.lookup(encoding).name not in _NONE and data.decode(encoding).encode(encoding) == data


def _read(data: bytes, encodings: list[str], mark: bytes) -> Decoded:
    wrong = ""
    for encoding in encodings:
        try:
            text = data.decode(encoding)
            if text.encode(encoding) == data:
                return Decoded(text, encoding, mark)
            wrong = f"the text does not come back from {encoding} as it was"
        except (UnicodeError, LookupError, ValueError) as error:
            wrong = f"the text is no {encoding}: {error}"[:200]
    raise unknown_encoding(wrong)
