"""The content of a Markdown block, and where each of its characters stands in the source. Pure."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence


class Block:
    """What markdown-it calls the content of an inline token. `starts` says where its lines begin in the source.

    `line_start` stands between two of its lines there: the end of the first, and what the second one begins with.
    In a cell of a table, `|` has a backslash in the source.
    """

    def __init__(
        self, source: str, content: str, starts: Sequence[int], line_start: str, *, is_cell: bool
    ) -> None:
        self.content = content
        self.line_start = line_start
        self._source = source
        self._starts = starts
        self._lines = [0, *(found.end() for found in re.finditer("\n", content))]
        self._pipes = [found.start() for found in re.finditer(r"\|", content)] if is_cell else []

    def offset(self, at: int) -> int:
        """Return where a character of the content stands in the source."""
        line = bisect_right(self._lines, at) - 1
        return self._starts[line] + at - self._lines[line] + bisect_left(self._pipes, at)

    def written(self, start: int, end: int) -> str:
        """Return how a span of the content is written in the source."""
        return self._source[self.offset(start) : self.offset(end)]
