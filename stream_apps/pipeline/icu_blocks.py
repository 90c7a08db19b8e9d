"""Find the ICU messages with branches in a text: all of it, or the lines that hold one. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from stream_apps.pipeline.icu_messages import BRANCHING, MalformedMessageError, extent_of, parse

# Reading one that is never closed takes the time of the whole text.
_MOST_MALFORMED = 10


class Block(NamedTuple):
    """A stretch of a text, from `start` up to `end`."""

    start: int
    end: int
    is_message: bool


def blocks(text: str) -> Iterator[Block]:
    """Yield the stretches in order; together they are the text. A message begins and ends with a line.

    One that is not well formed ends before the next blank line.
    """
    if "\n\n" not in text and _is_message(text):
        yield Block(0, len(text), is_message=True)
        return
    at = malformed = 0
    while (found := BRANCHING.search(text, at)) and malformed < _MOST_MALFORMED:
        start, end = max(text.rfind("\n", at, found.start()) + 1, at), _end(text, found.start())
        if end is None:
            malformed += 1
            end = _blank_line(text, found.start())
        if start > at:
            yield Block(at, start, is_message=False)
        yield Block(start, end, is_message=True)
        at = end
    if at < len(text):
        yield Block(at, len(text), is_message=False)


def _blank_line(text: str, start: int) -> int:
    blank = text.find("\n\n", start)
    return blank if blank >= 0 else len(text)


def _end(text: str, start: int) -> int | None:
    """Return the end of the line where the last argument of the message ends, None where one is malformed."""
    while True:
        try:
            end = extent_of(text, start)
        except MalformedMessageError:
            return None
        found = text.find("\n", end)
        line_end = found if found >= 0 else len(text)
        following = BRANCHING.search(text, end, line_end)
        if following is None:
            return line_end
        start = following.start()


def _is_message(text: str) -> bool:
    try:
        parse(text)
    except MalformedMessageError:
        return False
    return True
