"""Where links and pictures of Markdown end, by the same functions that found them. Pure."""

import re

from markdown_it.helpers import parseLinkDestination, parseLinkTitle

_SPACES = re.compile(r"[ \t\n]*")
_REFERENCE = re.compile(r"\](?:\[(?:[^\[\]\\]|\\.)*\])?", re.DOTALL)


def tail_end(content: str, at: int) -> int:
    """Return where a link ends whose label is closed by the `]` at an offset; -1 where none is."""
    if content.startswith("](", at) and (end := _inline_end(content, at + 2)) >= 0:
        return end
    reference = _REFERENCE.match(content, at)
    return reference.end() if reference else -1


def _inline_end(content: str, at: int) -> int:
    """Return where an address with a title ends, with its bracket."""
    at = _behind_spaces(content, at)
    address = parseLinkDestination(content, at, len(content))
    if address.ok:
        at = _behind_title(content, address.pos)
    return at + 1 if content.startswith(")", at) else -1


def _behind_title(content: str, at: int) -> int:
    start = _behind_spaces(content, at)
    title = parseLinkTitle(content, start, len(content))
    return _behind_spaces(content, title.pos) if title.ok and start > at else start


def _behind_spaces(content: str, at: int) -> int:
    found = _SPACES.match(content, at)
    return found.end() if found else at
