"""Tell the charset of a file from its beginning: nothing else says in which one a translation was written."""

import asyncio
import codecs
from collections.abc import Iterator
from itertools import chain

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


async def begun(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """Read the first chunk; return it, and all of them. Raises what the chunks raise."""
    first = await asyncio.to_thread(next, chunks, b"")
    return first, chain([first], chunks)


def typed(media_type: str, first: bytes, *, is_whole: bool) -> str:
    """Return the Content-Type of a file that begins so; a text whose charset cannot be told has none."""
    if not media_type.startswith("text/") or "charset=" in media_type.lower():
        return media_type
    charset = charset_of(first, is_whole=is_whole)
    return f"{media_type}; charset={charset}" if charset else media_type


def charset_of(first: bytes, *, is_whole: bool) -> str | None:
    """Return the charset of a text that begins so, or is that; None where it may be in several."""
    for mark, charset in _MARKS:
        if first.startswith(mark):
            return charset
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(first, final=is_whole)
    except UnicodeDecodeError:
        return None
    # A long file may begin in ASCII and go on in anything.
    return "utf-8" if is_whole or not text.isascii() else None
