"""Everything that commands print: tables, Markdown, JSON, times and progress bars.

Results go to standard output, progress bars to standard error.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence, Sized
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

_GAP = "  "

T = TypeVar("T")

Json = dict[str, Any]


def print_json(value: object) -> None:
    """Print the value as one line of JSON, for scripts. Characters outside ASCII are not escaped."""
    typer.echo(json.dumps(value, ensure_ascii=False))


def lines_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Align rows as plain text, which a terminal, a pipe and a bug report can all carry.

    Every column is as wide as its widest cell. An empty header is left out.
    """
    cells = [header, *rows] if header else list(rows)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(_line(row, widths) for row in cells)


def markdown_of(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Make a table for a page of the documentation; a bar inside a cell does not end it."""
    cells = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in cells)


def csv_of(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write rows as CSV (RFC 4180 with plain line ends), with a header; None is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def time_text(at_ms: int | None) -> str:
    """Write milliseconds since the epoch as ISO 8601 in UTC, to the second; `-` for None."""
    return "-" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")


class ProgressBars:
    """One bar for each name. Made by `progress_bars`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def show_count(self, name: str, done: int, total: int | None = None) -> None:
        """Show that so many are done; None where nobody knows how many there are."""
        self._progress.update(self._task(name), completed=done, total=total)

    def advance(self, name: str, count: int) -> None:
        """Show that so many more are done, of an unknown number."""
        self._progress.advance(self._task(name), count)

    def show_share(self, name: str, share: float, *, label: str | None = None, note: str = "") -> None:
        """Show which share is done, 0 to 1; `label` replaces the name, `note` stands behind the percentage."""
        figures = f"{share:.0%} {note}".rstrip()
        task = self._task(name)
        self._progress.update(task, completed=share, total=1.0, description=label or name, figures=figures)

    def track(self, items: Iterable[T], what: str) -> Iterable[T]:
        """Give the items on and count them; `what` is the name of the bar."""
        total = len(items) if isinstance(items, Sized) else None
        return self._progress.track(items, total=total, description=what)

    def _task(self, name: str) -> TaskID:
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(name, total=None)
        return self._tasks[name]


@contextmanager
def progress_bars(*, is_shown: bool) -> Iterator[ProgressBars]:
    """Show bars on standard error, where that is a terminal."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), _FiguresColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, disable=not (is_shown and console.is_terminal)) as progress:
        yield ProgressBars(progress)


class _FiguresColumn(ProgressColumn):
    """The figures of the task where it has its own, else how many of how many are done."""

    def render(self, task: Task) -> Text:
        total = "" if task.total is None else f"/{task.total:.0f}"
        return Text(task.fields.get("figures") or f"{task.completed:.0f}{total}")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
