"""Rows as aligned plain text, which a terminal, a pipe and a bug report can all carry; or as Markdown.

How far a long reading or sending is, on standard error.
"""

from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stream_apps.redrive.sources import Track

_GAP = "  "


def lines_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Every column as wide as its widest cell; no header where it is empty."""
    cells = [header, *rows] if header else list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(_line(row, widths) for row in cells)


def markdown_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """For a page of the documentation; a bar in a cell does not end it."""
    cells = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in cells)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


T = TypeVar("T")


@contextmanager
def progress_bars(is_shown: bool) -> Iterator[Track]:
    """A bar for each thing tracked, gone at the end; or nothing."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not is_shown) as bars:

        def track(items: Iterable[T], what: str) -> Iterable[T]:
            return bars.track(items, total=len(items) if isinstance(items, Sized) else None, description=what)

        yield track
