"""How far a long reading or sending is, on standard error."""

from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

T = TypeVar("T")


class Track(Protocol):
    """Gives the items on, and shows how many there were."""

    def __call__(self, items: Iterable[T], what: str) -> Iterable[T]:
        """The same items; `what` is done with them."""


@contextmanager
def progress_bars(is_shown: bool) -> Iterator[Track]:
    """A bar for each thing tracked, gone at the end; or nothing."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not is_shown) as bars:

        def track(items: Iterable[T], what: str) -> Iterable[T]:
            return bars.track(items, total=len(items) if isinstance(items, Sized) else None, description=what)

        yield track
