"""Text out of bytes and back: byte order marks, UTF-8, what the text declares, and a guess at last."""

import codecs
import re
from collections.abc import Callable
from typing import NamedTuple

from charset_normalizer import from_bytes

from connectors.formats.refusals import unknown_encoding

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# A guess reads no more than this of a file.
_GUESSED_BYTES = 100_000
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


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


def decoded(data: bytes, declared: Callable[[bytes], str | None] = lambda _: None) -> Decoded:
    """Read a text; `declared` looks for an encoding that it names itself.

    Raises PermanentError: `unknown_encoding`, also where writing it again would give other bytes.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _read(data[len(mark) :], encoding, mark)
    if data.isascii():
        return Decoded(data.decode(), _fit_for_ascii(data, declared(data)), b"")
    try:
        return Decoded(data.decode(), "utf-8", b"")
    except UnicodeDecodeError:
        return _read(data, declared(data) or _guessed(data), b"")


def _fit_for_ascii(data: bytes, declared: str | None) -> str:
    """Return the encoding that a text of ASCII declares: its translation needs more, and is read by that one."""
    try:
        is_fit = declared is not None and data.decode().encode(declared) == data
    except (UnicodeError, LookupError, ValueError):
        is_fit = False
    return codecs.lookup(declared).name if declared and is_fit else "utf-8"


def _read(data: bytes, encoding: str, mark: bytes) -> Decoded:
    try:
        text = data.decode(encoding)
        is_same = text.encode(encoding) == data
    except (UnicodeError, LookupError, ValueError) as error:
        raise unknown_encoding(f"the text is no {encoding}: {error}"[:200]) from error
    if not is_same:
        raise unknown_encoding(f"the text does not come back from {encoding} as it was")
    return Decoded(text, encoding, mark)


def _guessed(data: bytes) -> str:
    best = from_bytes(data[:_GUESSED_BYTES]).best()
    if best is None or _CONTROLS.search(str(best)):
        raise unknown_encoding("the encoding of the text cannot be recognised")
    # What it read of the beginning as ASCII may hold more further on.
    return "cp1252" if best.encoding == "ascii" else best.encoding
